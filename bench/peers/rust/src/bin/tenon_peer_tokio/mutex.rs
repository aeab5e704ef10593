//! tokio's locks, which make a task wait and not its thread, its semaphore, and what it has for a condition variable.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::Arc;

use tenon_peers::harness::{expect, Checked};
use tenon_peers::tasks::{join_all, on_worker};
use tenon_peers::work::{spin, spins};
use tokio::sync::{Mutex, Notify, RwLock, Semaphore};

const CONTENDERS: i64 = 8;

pub fn uncontended(n: i64) -> Checked {
    on_worker(async move {
        let count = Mutex::new(0);
        for _ in 0..n {
            *count.lock().await += 1;
        }
        expect("the counter", count.into_inner(), n)
    })
}

pub fn contended<const SIDES: i64, const INSIDE_NS: i64>(n: i64) -> Checked {
    let spins = spins(INSIDE_NS);
    on_worker(async move {
        let count = Arc::new(Mutex::new(0));
        let contend = |_| {
            let count = count.clone();
            tokio::spawn(async move {
                for _ in 0..n / SIDES {
                    let mut count = count.lock().await;
                    *count += 1;
                    spin(spins);
                }
            })
        };
        join_all((0..SIDES).map(contend).collect()).await;
        let count = *count.lock().await;
        expect("the counter", count, n)
    })
}

pub fn rw_90_10(n: i64) -> Checked {
    on_worker(async move {
        let words = Arc::new(RwLock::new((0, 0)));
        let contend = |_| {
            let words = words.clone();
            tokio::spawn(async move {
                let mut torn = 0;
                for i in 0..n / CONTENDERS {
                    if i % 10 == 0 {
                        let mut words = words.write().await;
                        words.0 += 1;
                        words.1 += 1;
                    } else {
                        let words = words.read().await;
                        torn += i64::from(words.0 != words.1);
                    }
                }
                torn
            })
        };
        let torn = join_all((0..CONTENDERS).map(contend).collect()).await;
        expect("the number of torn reads", torn.iter().sum(), 0)?;
        let writes = words.read().await.0;
        expect("the number of writes", writes, n / 10)
    })
}

/// A Notify for each side: it keeps a permit, which would wake the one that gave it if they shared one.
pub fn cond_ping_pong(n: i64) -> Checked {
    #[derive(Default)]
    struct Game {
        turn: std::sync::Mutex<i64>,
        changed: [Notify; 2],
    }
    impl Game {
        /// Takes the turn if it is this side's. The lock is not held while waiting, so it may be the standard one.
        fn take(&self, mine: usize) -> bool {
            let mut turn = self.turn.lock().expect("no one panics");
            let is_mine = *turn % 2 == mine as i64;
            *turn += i64::from(is_mine);
            is_mine
        }

        async fn play(self: Arc<Self>, n: i64, mine: usize) {
            for _ in 0..n {
                while !self.take(mine) {
                    self.changed[mine].notified().await;
                }
                self.changed[1 - mine].notify_one();
            }
        }
    }
    on_worker(async move {
        let game = Arc::new(Game::default());
        let other = tokio::spawn(game.clone().play(n, 1));
        game.clone().play(n, 0).await;
        join_all(vec![other]).await;
        let turns = *game.turn.lock().expect("no one panics");
        expect("the number of turns", turns, 2 * n)
    })
}

pub fn semaphore_4(n: i64) -> Checked {
    on_worker(async move {
        let shared = Arc::new((Semaphore::new(4), AtomicI64::new(0)));
        let contend = |_| {
            let shared = shared.clone();
            tokio::spawn(async move {
                let (units, count) = &*shared;
                for _ in 0..n / CONTENDERS {
                    let _unit = units.acquire().await;
                    count.fetch_add(1, Relaxed);
                }
            })
        };
        join_all((0..CONTENDERS).map(contend).collect()).await;
        expect("the counter", shared.1.load(Relaxed), n)
    })
}
