//! The rows that are small programs, beyond those that tokio shares with other channels.

use tenon_peers::harness::Checked;
use tenon_peers::tasks::{join_all, on_worker};
use tenon_peers::work::{sorted_1m, split, FEW};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Values are dealt to the workers, and results collected from them, in turns. That keeps the order without a channel
/// for each value, and a channel of tokio has only one receiver, so the workers could not share one.
pub fn parallel_transform(n: i64) -> Checked {
    const WORKERS: usize = 4;
    const WINDOW: usize = 8;
    on_worker(async move {
        let mut workers = Vec::new();
        let (mut jobs, mut results) = (Vec::new(), Vec::new());
        for _ in 0..WORKERS {
            let (job, mut given) = mpsc::channel(WINDOW / WORKERS);
            let (done, result) = mpsc::channel(WINDOW / WORKERS);
            workers.push(tokio::spawn(async move {
                while let Some(v) = given.recv().await {
                    let _ = done.send(2 * v).await;
                }
            }));
            jobs.push(job);
            results.push(result);
        }
        workers.push(tokio::spawn(async move {
            for (i, job) in (0..n).zip(jobs.iter().cycle()) {
                let _ = job.send(i).await;
            }
        }));
        for next in 0..n {
            let result = results[next as usize % WORKERS].recv().await;
            if result != Some(2 * next) {
                return Err("wrong result: the results are out of order".into());
            }
        }
        join_all(workers).await;
        Ok(())
    })
}

pub fn quicksort_1m() -> Checked {
    sorted_1m(|numbers| {
        // SAFETY: tasks cannot borrow, so they get the numbers for ever, but they have ended when `on_worker` returns.
        let numbers: &'static mut [i64] = unsafe { &mut *std::ptr::from_mut(numbers) };
        on_worker(async { join_all(vec![quicksort(numbers)]).await });
    })
}

fn quicksort(mut part: &'static mut [i64]) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut halves = Vec::new();
        while part.len() > FEW {
            let (low, high) = split(part);
            halves.push(quicksort(low));
            part = high;
        }
        part.sort_unstable();
        join_all(halves).await;
    })
}
