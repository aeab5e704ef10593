//! Starting tasks, yielding, and waiting for tasks to end.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::Arc;

use tenon_peers::harness::{expect, sum_below, Checked};
use tenon_peers::tasks::{join_all, on_worker};
use tenon_peers::work::{expect_runs, BATCH, RUNS};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch, Semaphore};
use tokio::task::{yield_now, JoinSet};

/// On the runtime that is made for one thread, which is faster at it than the other with one worker.
pub fn yields(n: i64) -> Checked {
    async fn half(n: i64) -> i64 {
        let mut count = 0;
        for _ in 0..n / 2 {
            yield_now().await;
            count += 1;
        }
        count
    }
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async move {
        let other = tokio::spawn(half(n));
        let mine = half(n).await;
        expect("the number of yields", mine + join_all(vec![other]).await[0], n)
    })
}

pub fn spawn_join(n: i64) -> Checked {
    on_worker(async move {
        let (ended, mut last) = mpsc::channel(1);
        let mut sum = 0;
        for i in 0..n {
            let ended = ended.clone();
            tokio::spawn(async move { ended.send(i).await });
            sum += last.recv().await.unwrap_or(0);
        }
        expect("the sum of what the tasks sent", sum, sum_below(n))
    })
}

pub fn spawn_batch(n: i64) -> Checked {
    on_worker(async move {
        for _ in 0..n / BATCH {
            let spawn = |r: &'static AtomicI64| tokio::spawn(async { r.fetch_add(1, Relaxed) });
            join_all(RUNS.iter().map(spawn).collect()).await;
        }
        expect_runs(BATCH, n / BATCH)
    })
}

pub const GROUP: i64 = 100;

/// A JoinSet whose tasks may fail; the first that does ends the others with it.
pub fn group_100(n: i64) -> Checked {
    on_worker(async move {
        for _ in 0..n / GROUP {
            let mut group = JoinSet::new();
            for r in RUNS.iter().take(GROUP as usize) {
                group.spawn(async {
                    r.fetch_add(1, Relaxed);
                    Checked::Ok(())
                });
            }
            while let Some(ended) = group.join_next().await {
                ended.expect("the task ends")?;
            }
        }
        expect_runs(GROUP, n / GROUP)
    })
}

/// A watch stands for the channel: of tokio's it is one that many can wait at, and that wakes them when it is closed.
pub fn park<const SIZE: u32>(n: i64) -> Checked {
    on_worker(async move {
        let rounds = n / i64::from(SIZE);
        let mut wakes = vec![0; SIZE as usize];
        for _ in 0..rounds {
            let (gate, closed) = watch::channel(());
            let there = Arc::new(Semaphore::new(0));
            let parked = |_: &i64| {
                let (mut closed, there) = (closed.clone(), there.clone());
                tokio::spawn(async move {
                    there.add_permits(1);
                    i64::from(closed.changed().await.is_err())
                })
            };
            let parked = wakes.iter().map(parked).collect();
            let _all = there.acquire_many(SIZE).await;
            drop(gate);
            wakes.iter_mut().zip(join_all(parked).await).for_each(|(w, woken)| *w += woken);
        }
        wakes.iter().try_for_each(|&w| expect("the number of times that a task was woken", w, rounds))
    })
}
