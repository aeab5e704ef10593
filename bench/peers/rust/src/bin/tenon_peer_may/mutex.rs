//! may's locks, semaphore and condition variable.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use may::coroutine::scope;
use may::go;
use may::sync::{Condvar, Mutex, RwLock, Semphore};
use tenon_peers::harness::{expect, Checked};
use tenon_peers::work::{spin, spins};

use crate::spawn::on_worker;

const CONTENDERS: i64 = 8;
const UNPOISONED: &str = "no one panics";

pub fn uncontended(n: i64) -> Checked {
    on_worker(move || {
        let count = Mutex::new(0);
        for _ in 0..n {
            *count.lock().expect(UNPOISONED) += 1;
        }
        let count = *count.lock().expect(UNPOISONED);
        expect("the counter", count, n)
    })
}

pub fn contended<const SIDES: i64, const INSIDE_NS: i64>(n: i64) -> Checked {
    let spins = spins(INSIDE_NS);
    on_worker(move || {
        let count = Mutex::new(0);
        scope(|s| {
            for _ in 0..SIDES {
                go!(s, || for _ in 0..n / SIDES {
                    let mut count = count.lock().expect(UNPOISONED);
                    *count += 1;
                    spin(spins);
                });
            }
        });
        let count = *count.lock().expect(UNPOISONED);
        expect("the counter", count, n)
    })
}

pub fn rw_90_10(n: i64) -> Checked {
    on_worker(move || {
        let words = RwLock::new((0, 0));
        let torn = AtomicI64::new(0);
        scope(|s| {
            for _ in 0..CONTENDERS {
                go!(s, || for i in 0..n / CONTENDERS {
                    if i % 10 == 0 {
                        let mut words = words.write().expect(UNPOISONED);
                        words.0 += 1;
                        words.1 += 1;
                    } else {
                        let words = words.read().expect(UNPOISONED);
                        if words.0 != words.1 {
                            torn.fetch_add(1, Relaxed);
                        }
                    }
                });
            }
        });
        expect("the number of torn reads", torn.load(Relaxed), 0)?;
        let writes = words.read().expect(UNPOISONED).0;
        expect("the number of writes", writes, n / 10)
    })
}

pub fn cond_ping_pong(n: i64) -> Checked {
    on_worker(move || {
        let turn = Mutex::new(0);
        let changed = Condvar::new();
        let play = |mine| {
            for _ in 0..n {
                let turn = turn.lock().expect(UNPOISONED);
                let mut turn = changed.wait_while(turn, |turn| *turn % 2 != mine).expect(UNPOISONED);
                *turn += 1;
                changed.notify_one();
            }
        };
        scope(|s| {
            go!(s, || play(1));
            play(0);
        });
        let turns = *turn.lock().expect(UNPOISONED);
        expect("the number of turns", turns, 2 * n)
    })
}

pub fn semaphore_4(n: i64) -> Checked {
    on_worker(move || {
        let units = Semphore::new(4);
        let count = AtomicI64::new(0);
        scope(|s| {
            for _ in 0..CONTENDERS {
                go!(s, || for _ in 0..n / CONTENDERS {
                    units.wait();
                    count.fetch_add(1, Relaxed);
                    units.post();
                });
            }
        });
        expect("the counter", count.load(Relaxed), n)
    })
}
