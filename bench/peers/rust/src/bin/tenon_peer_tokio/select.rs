//! `select!` over tokio's channels.

use tenon_peers::harness::{expect, sum_below, Checked};
use tenon_peers::tasks::{join_all, on_worker};
use tokio::select;
use tokio::sync::mpsc;

async fn produce(n: i64, to: mpsc::Sender<i64>) {
    for i in 0..n {
        let _ = to.send(i).await;
    }
}

pub fn select_2(n: i64) -> Checked {
    on_worker(async move {
        let (to_a, mut a) = mpsc::channel(1);
        let (to_b, mut b) = mpsc::channel(1);
        let sender = tokio::spawn(async move {
            for i in 0..n / 2 {
                let _ = to_a.send(i).await;
                let _ = to_b.send(i).await;
            }
        });
        let (mut sum_a, mut sum_b) = (0, 0);
        for _ in 0..n {
            select! {
                Some(v) = a.recv() => sum_a += v,
                Some(v) = b.recv() => sum_b += v,
            }
        }
        join_all(vec![sender]).await;
        expect("the sum of the first channel's values", sum_a, sum_below(n / 2))?;
        expect("the sum of the second channel's values", sum_b, sum_below(n / 2))
    })
}

/// A channel of capacity 1 would take one value more than its receiver will: that is what the condition is for.
pub fn select_send(n: i64) -> Checked {
    on_worker(async move {
        let (to, mut taken) = mpsc::channel(1);
        let (given, mut from) = mpsc::channel(1);
        let consumer = tokio::spawn(async move {
            let mut sum = 0;
            for _ in 0..n / 2 {
                sum += taken.recv().await.unwrap_or(0);
            }
            sum
        });
        let producer = tokio::spawn(produce(n / 2, given));
        let (mut sent, mut sum) = (0, 0);
        for _ in 0..n {
            select! {
                Ok(place) = to.reserve(), if sent < n / 2 => {
                    place.send(sent);
                    sent += 1;
                }
                Some(v) = from.recv() => sum += v,
            }
        }
        join_all(vec![producer]).await;
        expect("the number of values sent", sent, n / 2)?;
        expect("the sum of the values sent", join_all(vec![consumer]).await[0], sum_below(n / 2))?;
        expect("the sum of the values received", sum, sum_below(n / 2))
    })
}

/// `try_recv` of each is what stands for a select with a default.
pub fn select_default(n: i64) -> Checked {
    on_worker(async move {
        let (_to_a, mut a) = mpsc::channel::<i64>(1);
        let (_to_b, mut b) = mpsc::channel::<i64>(1);
        let mut misses = 0;
        for _ in 0..n {
            if a.try_recv().is_err() && b.try_recv().is_err() {
                misses += 1;
            }
        }
        expect("the number of times that the default was chosen", misses, n)
    })
}
