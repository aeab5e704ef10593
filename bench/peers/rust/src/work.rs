//! What the rows do besides what they measure, where it is the same whatever runs it.

use std::hint::black_box;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::harness::{expect, Checked, Measurement};

/// A computation, for what goes on inside a lock.
pub fn spin(rounds: i64) {
    for i in 0..rounds {
        black_box(i);
    }
}

/// The rounds of `spin` that take so many nanoseconds. The first call finds out, and takes a few milliseconds.
pub fn spins(ns: i64) -> i64 {
    const ROUNDS: i64 = 100_000;
    static ROUNDS_PER_US: LazyLock<i64> = LazyLock::new(|| {
        let once = || {
            let start = Instant::now();
            spin(ROUNDS);
            start.elapsed().as_nanos() as i64
        };
        let fastest = (0..20).map(|_| once()).min().unwrap_or(0);
        (ROUNDS * 1000 / fastest.max(1)).max(1)
    });
    match ns {
        0 => 0,
        _ => *ROUNDS_PER_US * ns / 1000,
    }
}

pub const BATCH: i64 = 1000;

/// How often each of a batch ran. What is spawned cannot borrow; a static spares it a counted reference.
pub static RUNS: [AtomicI64; BATCH as usize] = [const { AtomicI64::new(0) }; BATCH as usize];

/// Checks the first so many of RUNS, and sets them to zero.
pub fn expect_runs(count: i64, each: i64) -> Checked {
    let mut runs = RUNS.iter().take(count as usize).map(|r| r.swap(0, Relaxed));
    runs.try_for_each(|r| expect("the number of runs of one of the batch", r, each))
}

/// A million numbers that `sort` sorts.
pub fn sorted_1m(sort: impl FnOnce(&mut [i64])) -> Checked {
    let mut seed = 1_u64;
    let mut numbers = Vec::with_capacity(1_000_000);
    for _ in 0..numbers.capacity() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        numbers.push((seed >> 1) as i64);
    }
    let sum = |numbers: &[i64]| numbers.iter().fold(0_i64, |sum, v| sum.wrapping_add(*v));
    let before = sum(&numbers);
    sort(&mut numbers);
    expect("what the sum has changed by", sum(&numbers).wrapping_sub(before), 0)?;
    match numbers.is_sorted() {
        true => Ok(()),
        false => Err("wrong result: the numbers are not sorted".into()),
    }
}

/// What is not longer is sorted without splitting it.
pub const FEW: usize = 2048;

/// Moves what is less than the pivot to the front, and returns both parts, neither of which is empty.
pub fn split(part: &mut [i64]) -> (&mut [i64], &mut [i64]) {
    let (mut i, mut j) = (0, part.len() - 1);
    let (first, last) = (part[i], part[j]);
    let pivot = first.min(last).max(first.max(last).min(part[part.len() / 2]));
    loop {
        while part[i] < pivot {
            i += 1;
        }
        while pivot < part[j] {
            j -= 1;
        }
        if i >= j {
            return part.split_at_mut(i.max(1));
        }
        part.swap(i, j);
        i += 1;
        j -= 1;
    }
}

/// One of the thousand parts of how late sleepers woke.
pub fn lateness(mut late: Vec<Duration>, per_thousand: usize) -> Measurement {
    late.sort_unstable();
    let value = (late[late.len() * per_thousand / 1000].as_nanos() as f64).max(1.0);
    Measurement { unit: "ns", value, ops: late.len() as i64 }
}
