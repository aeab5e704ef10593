//! may's channels have no bounds, so there are only those rows here in which at most one value is on its way. Where one
//! sends and one receives, spsc's are the fastest.

use may::go;
use may::sync::{mpmc, spsc, Semphore};
use std::sync::Arc;

use tenon_peers::harness::{expect, sum_below, Checked};

use crate::spawn::{join, on_worker};

/// Passes on what comes, increased by one, until the channel is closed.
fn add_one(from: spsc::Receiver<i64>, to: spsc::Sender<i64>) {
    for v in from {
        let _ = to.send(v + 1);
    }
}

pub fn ping_pong(n: i64) -> Checked {
    on_worker(move || {
        let (ping, pinged) = spsc::channel();
        let (pong, ponged) = spsc::channel();
        let other = go!(move || add_one(pinged, pong));
        let mut token = 0;
        for _ in 0..n {
            let _ = ping.send(token);
            token = ponged.recv().unwrap_or(0);
        }
        drop(ping);
        join(other);
        expect("the token", token, n)
    })
}

pub fn buffered_uncontended(n: i64) -> Checked {
    on_worker(move || {
        let (tx, rx) = spsc::channel();
        let mut sum = 0;
        for i in 0..n {
            let _ = tx.send(i);
            sum += rx.recv().unwrap_or(0);
        }
        expect("the sum of the values", sum, sum_below(n))
    })
}

/// `try_recv` of each is what stands for a select with a default.
pub fn select_default(n: i64) -> Checked {
    on_worker(move || {
        let (_to_a, a) = spsc::channel::<i64>();
        let (_to_b, b) = spsc::channel::<i64>();
        let mut misses = 0;
        for _ in 0..n {
            if a.try_recv().is_err() && b.try_recv().is_err() {
                misses += 1;
            }
        }
        expect("the number of times that the default was chosen", misses, n)
    })
}

pub fn ring<const SIZE: i64>(n: i64) -> Checked {
    on_worker(move || {
        let (first, mut last) = spsc::channel();
        let mut others = Vec::new();
        for _ in 1..SIZE {
            let (tx, rx) = spsc::channel();
            let from = std::mem::replace(&mut last, rx);
            others.push(go!(move || add_one(from, tx)));
        }
        let mut token = 0;
        for _ in 0..n / SIZE {
            let _ = first.send(token);
            token = last.recv().unwrap_or(0) + 1;
        }
        drop(first);
        others.into_iter().for_each(join);
        expect("the token", token, n)
    })
}

pub fn park<const SIZE: usize>(n: i64) -> Checked {
    on_worker(move || {
        let rounds = n / SIZE as i64;
        let mut wakes = vec![0; SIZE];
        for _ in 0..rounds {
            let (gate, closed) = mpmc::channel::<i64>();
            let there = Arc::new(Semphore::new(0));
            let parked = |_: &i64| {
                let (closed, there) = (closed.clone(), there.clone());
                go!(move || {
                    there.post();
                    i64::from(closed.recv().is_err())
                })
            };
            let parked: Vec<_> = wakes.iter().map(parked).collect();
            (0..SIZE).for_each(|_| there.wait());
            drop(gate);
            wakes.iter_mut().zip(parked).for_each(|(w, one)| *w += join(one));
        }
        wakes.iter().try_for_each(|&w| expect("the number of times that a coroutine was woken", w, rounds))
    })
}
