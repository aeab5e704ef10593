//! What the Rust programs of the comparison share.

pub mod harness;
pub mod tasks;
pub mod threads;
pub mod work;
