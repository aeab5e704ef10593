//! Starting coroutines, yielding, and waiting for coroutines to end.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use may::coroutine::{scope, yield_now, JoinHandle};
use may::go;
use may::sync::mpsc;
use tenon_peers::harness::{expect, sum_below, Checked};
use tenon_peers::work::{expect_runs, sorted_1m, split, BATCH, FEW, RUNS};

/// The coroutine that measures runs on a worker: the thread that starts it is none.
pub fn on_worker<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    join(go!(f))
}

pub fn join<T>(coroutine: JoinHandle<T>) -> T {
    coroutine.join().expect("the coroutine ends")
}

pub fn yields(n: i64) -> Checked {
    let half = move || {
        let mut count = 0;
        for _ in 0..n / 2 {
            yield_now();
            count += 1;
        }
        count
    };
    on_worker(move || {
        let other = go!(half);
        let mine = half();
        expect("the number of yields", mine + join(other), n)
    })
}

pub fn spawn_join(n: i64) -> Checked {
    on_worker(move || {
        let (ended, last) = mpsc::channel();
        let mut sum = 0;
        for i in 0..n {
            let ended = ended.clone();
            go!(move || ended.send(i));
            sum += last.recv().unwrap_or(0);
        }
        expect("the sum of what the coroutines sent", sum, sum_below(n))
    })
}

pub fn spawn_batch(n: i64) -> Checked {
    on_worker(move || {
        for _ in 0..n / BATCH {
            let spawn = |r: &'static AtomicI64| go!(move || r.fetch_add(1, Relaxed));
            let batch: Vec<_> = RUNS.iter().map(spawn).collect();
            for one in batch {
                join(one);
            }
        }
        expect_runs(BATCH, n / BATCH)
    })
}

pub fn quicksort_1m() -> Checked {
    on_worker(|| sorted_1m(quicksort))
}

fn quicksort(mut part: &mut [i64]) {
    scope(move |halves| {
        while part.len() > FEW {
            let (low, high) = split(part);
            go!(halves, move || quicksort(low));
            part = high;
        }
        part.sort_unstable();
    });
}
