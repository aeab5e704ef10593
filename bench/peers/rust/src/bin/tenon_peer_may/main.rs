//! tenon_peer_may measures may, whose coroutines have stacks, at the rows that bench/README.md defines.

use std::process::ExitCode;

use tenon_peers::harness::{self, Row};
use tenon_peers::work::BATCH;

mod channel;
mod mutex;
mod spawn;
mod wake;

const ROWS: &[Row] = &[
    Row::multiple("yield", 2, spawn::yields).on_one_worker(),
    Row::ops("spawn_join", spawn::spawn_join),
    Row::multiple("spawn_batch", BATCH, spawn::spawn_batch),
    Row::ops("ping_pong", channel::ping_pong),
    Row::ops("buffered_uncontended", channel::buffered_uncontended),
    Row::ops("select_default", channel::select_default),
    Row::ops("mutex_uncontended", mutex::uncontended),
    Row::multiple("mutex_contended", 8, mutex::contended::<8, 0>),
    Row::multiple("ring_1000", 1000, channel::ring::<1000>),
    // The core rows end here.
    Row::multiple("mutex_2_0", 2, mutex::contended::<2, 0>),
    Row::multiple("mutex_2_100", 2, mutex::contended::<2, 100>),
    Row::multiple("mutex_2_1000", 2, mutex::contended::<2, 1000>),
    Row::multiple("mutex_8_0", 8, mutex::contended::<8, 0>),
    Row::multiple("mutex_8_100", 8, mutex::contended::<8, 100>),
    Row::multiple("mutex_8_1000", 8, mutex::contended::<8, 1000>),
    Row::multiple("mutex_64_0", 64, mutex::contended::<64, 0>),
    Row::multiple("mutex_64_100", 64, mutex::contended::<64, 100>),
    Row::multiple("mutex_64_1000", 64, mutex::contended::<64, 1000>),
    Row::multiple("rwmutex_90_10", 80, mutex::rw_90_10),
    Row::ops("cond_ping_pong", mutex::cond_ping_pong),
    Row::multiple("semaphore_4", 8, mutex::semaphore_4),
    Row::multiple("ring_100", 100, channel::ring::<100>),
    Row::multiple("ring_10k", 10_000, channel::ring::<10_000>),
    Row::multiple("park_100", 100, channel::park::<100>),
    Row::multiple("park_1000", 1000, channel::park::<1000>),
    Row::multiple("park_10k", 10_000, channel::park::<10_000>),
    Row::whole("quicksort_1m", 1_000_000, spawn::quicksort_1m),
    Row::own("wake_p50", wake::wake::<500>),
    Row::own("wake_p99", wake::wake::<990>),
    Row::own("wake_p999", wake::wake::<999>),
];

fn run(row: &str, workers: usize, f: &mut dyn FnMut()) {
    // A stack for each coroutine: beyond the pool, one is mapped and unmapped again. Not many more: they are used in
    // turns, so that those of a large pool are never in the cache.
    let stacks = if row.ends_with("_10k") { 10_000 } else { 2000 };
    may::config().set_workers(workers).set_pool_capacity(stacks);
    spawn::on_worker(|| ()); // the first one starts the workers
    f();
}

fn main() -> ExitCode {
    harness::main(env!("CARGO_BIN_NAME"), ROWS, run)
}
