//! The rows about channels as tasks on tokio, for tokio's own channels and for the asynchronous side of others.

use std::future::{poll_fn, Future};
use std::pin::pin;
use std::task::Poll;

use futures_util::stream::{Stream, StreamExt};
use tokio::runtime::{Builder, Handle};
use tokio::select;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::{expect, sum_below, Checked};

/// Channels as these rows use them.
pub trait Channels: 'static {
    type Sender<T: Send + 'static>: Clone + Send + Sync + 'static;
    type Receiver<T: Send + 'static>: Send + 'static;

    /// The capacity that is nearest to none.
    const UNBUFFERED: usize;

    fn channel<T: Send + 'static>(capacity: usize) -> (Self::Sender<T>, Self::Receiver<T>);
    fn send<T: Send + 'static>(to: &Self::Sender<T>, value: T) -> impl Future<Output = ()> + Send;
    /// None when the channel is closed.
    fn recv<T: Send + 'static>(from: &mut Self::Receiver<T>) -> impl Future<Output = Option<T>> + Send;
    fn stream<T: Send + 'static>(from: &mut Self::Receiver<T>) -> impl Stream<Item = T> + Send + Unpin;
}

fn unbuffered_channel<C: Channels>() -> (C::Sender<i64>, C::Receiver<i64>) {
    C::channel(C::UNBUFFERED)
}

/// Calls f beside the workers, not on one of them.
pub fn run(_row: &str, workers: usize, f: &mut dyn FnMut()) {
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_time().build().expect("a runtime");
    let _guard = runtime.enter();
    f();
}

/// The task that measures runs on a worker: the thread that `block_on` is called on is none.
pub fn on_worker<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> T {
    Handle::current().block_on(async { tokio::spawn(task).await.expect("the task ends") })
}

/// Waits for all of them.
pub async fn join_all<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.expect("the task ends"));
    }
    results
}

pub fn unbuffered<C: Channels>(n: i64) -> Checked {
    on_worker(carry::<C, _>(n, C::UNBUFFERED, |i| i, |v| v))
}

pub fn buffered_128<C: Channels>(n: i64) -> Checked {
    on_worker(carry::<C, _>(n, 128, |i| i, |v| v))
}

/// The first and the last word of the value are the number.
fn chan_words<C: Channels, const WORDS: usize>(n: i64) -> Checked {
    let pack = |i| {
        let mut words = [0; WORDS];
        (words[0], words[WORDS - 1]) = (i, i);
        words
    };
    on_worker(carry::<C, _>(n, 128, pack, |words| (words[0] + words[WORDS - 1]) / 2))
}

pub fn chan_64<C: Channels>(n: i64) -> Checked {
    chan_words::<C, 8>(n)
}

pub fn chan_1k<C: Channels>(n: i64) -> Checked {
    chan_words::<C, 128>(n)
}

pub fn chan_ptr<C: Channels>(n: i64) -> Checked {
    on_worker(carry::<C, _>(n, 128, Box::new, |v| *v))
}

async fn carry<C: Channels, T: Send + 'static>(
    n: i64,
    capacity: usize,
    pack: impl Fn(i64) -> T + Send + 'static,
    unpack: impl Fn(T) -> i64,
) -> Checked {
    let (tx, mut rx) = C::channel(capacity);
    let producer = tokio::spawn(async move {
        for i in 0..n {
            C::send(&tx, pack(i)).await;
        }
    });
    let mut sum = 0;
    while let Some(v) = C::recv(&mut rx).await {
        sum += unpack(v);
    }
    join_all(vec![producer]).await;
    expect("the sum of the values", sum, sum_below(n))
}

/// Sends the numbers below n.
async fn produce<C: Channels>(n: i64, to: C::Sender<i64>) {
    for i in 0..n {
        C::send(&to, i).await;
    }
}

/// Passes on what comes, increased by one, until the channel is closed.
async fn add_one<C: Channels>(mut from: C::Receiver<i64>, to: C::Sender<i64>) {
    while let Some(v) = C::recv(&mut from).await {
        C::send(&to, v + 1).await;
    }
}

pub fn ping_pong<C: Channels>(n: i64) -> Checked {
    on_worker(async move {
        let (ping, pinged) = unbuffered_channel::<C>();
        let (pong, mut ponged) = unbuffered_channel::<C>();
        let other = tokio::spawn(add_one::<C>(pinged, pong));
        let mut token = 0;
        for _ in 0..n {
            C::send(&ping, token).await;
            token = C::recv(&mut ponged).await.unwrap_or(0);
        }
        drop(ping);
        join_all(vec![other]).await;
        expect("the token", token, n)
    })
}

pub fn buffered_uncontended<C: Channels>(n: i64) -> Checked {
    on_worker(async move {
        let (tx, mut rx) = C::channel(1);
        let mut sum = 0;
        for i in 0..n {
            C::send(&tx, i).await;
            sum += C::recv(&mut rx).await.unwrap_or(0);
        }
        expect("the sum of the values", sum, sum_below(n))
    })
}

pub fn mpmc_4x4<C: Channels>(n: i64) -> Checked
where
    C::Receiver<i64>: Clone,
{
    on_worker(async move {
        let (tx, rx) = C::channel(128);
        let senders = (0..4).map(|s| {
            let tx = tx.clone();
            tokio::spawn(async move {
                for i in (s..n).step_by(4) {
                    C::send(&tx, i).await;
                }
            })
        });
        let senders = senders.collect();
        let receivers = (0..4).map(|_| {
            let mut rx = rx.clone();
            tokio::spawn(async move {
                let mut sum = 0;
                while let Some(v) = C::recv(&mut rx).await {
                    sum += v;
                }
                sum
            })
        });
        let receivers = receivers.collect();
        join_all(senders).await;
        drop(tx);
        expect("the sum of the values", join_all(receivers).await.iter().sum(), sum_below(n))
    })
}

pub const FAN_IN: i64 = 100;

pub fn fan_in_100<C: Channels>(n: i64) -> Checked {
    on_worker(async move {
        let (tx, mut rx) = C::channel(128);
        let senders = (0..FAN_IN).map(|_| tokio::spawn(produce::<C>(n / FAN_IN, tx.clone()))).collect();
        let mut sum = 0;
        for _ in 0..n {
            sum += C::recv(&mut rx).await.unwrap_or(0);
        }
        join_all(senders).await;
        expect("the sum of the values", sum, FAN_IN * sum_below(n / FAN_IN))
    })
}

/// Waits for all channels at once; asks the one after the last that had a value first, so that none is left behind. Returns
/// the sum of what came from each, n values in all.
async fn receive_from_any<C: Channels>(n: i64, rxs: &mut [C::Receiver<i64>]) -> Vec<i64> {
    let width = rxs.len();
    let mut streams: Vec<_> = rxs.iter_mut().map(C::stream).collect();
    let mut sums = vec![0; width];
    let mut first = 0;
    for _ in 0..n {
        let (c, v) = poll_fn(|cx| {
            let polled = (first..width).chain(0..first).find_map(|c| match streams[c].poll_next_unpin(cx) {
                Poll::Ready(Some(v)) => Some((c, v)),
                _ => None,
            });
            polled.map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        sums[c] += v;
        first = (c + 1) % width;
    }
    sums
}

/// A sender for each channel.
pub fn select_wide<C: Channels, const WIDTH: usize>(n: i64) -> Checked {
    on_worker(async move {
        let each = n / WIDTH as i64;
        let (txs, mut rxs): (Vec<_>, Vec<_>) = (0..WIDTH).map(|_| unbuffered_channel::<C>()).unzip();
        let producers = txs.into_iter().map(|tx| tokio::spawn(produce::<C>(each, tx))).collect();
        let sums = receive_from_any::<C>(n, &mut rxs).await;
        join_all(producers).await;
        sums.iter().try_for_each(|&sum| expect("the sum of one channel's values", sum, sum_below(each)))
    })
}

/// One sender, which alternates between two channels.
pub fn select_2<C: Channels>(n: i64) -> Checked {
    on_worker(async move {
        let (a, from_a) = unbuffered_channel::<C>();
        let (b, from_b) = unbuffered_channel::<C>();
        let sender = tokio::spawn(async move {
            for i in 0..n / 2 {
                C::send(&a, i).await;
                C::send(&b, i).await;
            }
        });
        let sums = receive_from_any::<C>(n, &mut [from_a, from_b]).await;
        join_all(vec![sender]).await;
        sums.iter().try_for_each(|&sum| expect("the sum of one channel's values", sum, sum_below(n / 2)))
    })
}

/// The futures stay, whichever is chosen: one that is dropped when it has its value may lose it.
pub fn select_send<C: Channels>(n: i64) -> Checked {
    on_worker(async move {
        let (to, mut taken) = unbuffered_channel::<C>();
        let (given, mut from) = unbuffered_channel::<C>();
        let consumer = tokio::spawn(async move {
            let mut sum = 0;
            for _ in 0..n / 2 {
                sum += C::recv(&mut taken).await.unwrap_or(0);
            }
            (sum, taken) // which stays open
        });
        let producer = tokio::spawn(produce::<C>(n / 2, given));
        let mut receiving = C::stream(&mut from);
        let mut sending = pin!(C::send(&to, 0));
        let (mut sent, mut sum) = (0, 0);
        for _ in 0..n {
            select! {
                () = &mut sending => {
                    sent += 1;
                    sending.set(C::send(&to, sent));
                }
                Some(v) = receiving.next() => sum += v,
            }
        }
        join_all(vec![producer]).await;
        expect("the number of values sent", sent, n / 2)?;
        expect("the sum of the values sent", join_all(vec![consumer]).await[0].0, sum_below(n / 2))?;
        expect("the sum of the values received", sum, sum_below(n / 2))
    })
}

pub fn pipeline_10<C: Channels>(n: i64) -> Checked {
    const STAGES: i64 = 10;
    on_worker(async move {
        let (tx, mut last) = unbuffered_channel::<C>();
        let mut tasks = vec![tokio::spawn(produce::<C>(n, tx))];
        for _ in 0..STAGES {
            let (tx, rx) = unbuffered_channel::<C>();
            tasks.push(tokio::spawn(add_one::<C>(last, tx)));
            last = rx;
        }
        let mut sum = 0;
        while let Some(v) = C::recv(&mut last).await {
            sum += v;
        }
        join_all(tasks).await;
        expect("the sum of the values", sum, sum_below(n) + STAGES * n)
    })
}

pub fn ring<C: Channels, const SIZE: i64>(n: i64) -> Checked {
    on_worker(async move {
        let (first, mut last) = unbuffered_channel::<C>();
        let mut others = Vec::new();
        for _ in 1..SIZE {
            let (tx, rx) = unbuffered_channel::<C>();
            others.push(tokio::spawn(add_one::<C>(last, tx)));
            last = rx;
        }
        let mut token = 0;
        for _ in 0..n / SIZE {
            C::send(&first, token).await;
            token = C::recv(&mut last).await.unwrap_or(0) + 1;
        }
        drop(first);
        join_all(others).await;
        expect("the token", token, n)
    })
}

const PRIMES: i64 = 500;
const LAST: i64 = 3571; // the 500th prime
const SUM: i64 = 824_693; // of the first 500 primes

/// A token that is cancelled stands for the channel that says to stop.
pub fn sieve_500<C: Channels>() -> Checked {
    on_worker(async {
        let stop = CancellationToken::new();
        let (tx, mut last) = unbuffered_channel::<C>();
        let stopped = stop.clone();
        let generator = tokio::spawn(async move {
            let mut stopped = pin!(stopped.cancelled());
            for v in 2..=LAST {
                select! {
                    () = C::send(&tx, v) => {}
                    () = &mut stopped => break,
                }
            }
            tx // which stays open
        });
        let mut filters = Vec::new();
        let mut sum = 0;
        for _ in 0..PRIMES {
            let prime = C::recv(&mut last).await.unwrap_or(1);
            sum += prime;
            let (tx, rx) = unbuffered_channel::<C>();
            let mut numbers = std::mem::replace(&mut last, rx);
            let stopped = stop.clone();
            filters.push(tokio::spawn(async move {
                let mut stopped = pin!(stopped.cancelled());
                loop {
                    let v = select! {
                        Some(v) = C::recv(&mut numbers) => v,
                        () = &mut stopped => return,
                    };
                    if v % prime != 0 {
                        select! {
                            () = C::send(&tx, v) => {}
                            () = &mut stopped => return,
                        }
                    }
                }
            }));
        }
        stop.cancel();
        join_all(filters).await;
        join_all(vec![generator]).await;
        expect("the sum of the primes", sum, SUM)
    })
}

pub fn sieve_range<C: Channels>() -> Checked {
    on_worker(async {
        let (tx, mut last) = unbuffered_channel::<C>();
        let mut tasks = vec![tokio::spawn(async move {
            for v in 2..=LAST {
                C::send(&tx, v).await;
            }
        })];
        let mut sum = 0;
        for _ in 0..PRIMES {
            let prime = C::recv(&mut last).await.unwrap_or(1);
            sum += prime;
            let (tx, rx) = unbuffered_channel::<C>();
            let mut numbers = std::mem::replace(&mut last, rx);
            tasks.push(tokio::spawn(async move {
                while let Some(v) = C::recv(&mut numbers).await {
                    if v % prime != 0 {
                        C::send(&tx, v).await;
                    }
                }
            }));
        }
        let more = C::recv(&mut last).await;
        join_all(tasks).await;
        expect("the sum of the primes", sum, SUM)?;
        expect("the number of primes after the 500th", more.iter().count() as i64, 0)
    })
}

pub const LEAVES: i64 = 1_000_000;
const FANOUT: i64 = 10;

pub fn skynet_1m<C: Channels>() -> Checked {
    on_worker(async {
        let (tx, mut rx) = unbuffered_channel::<C>();
        skynet::<C>(tx, 0, LEAVES);
        expect("the sum of the leaves", C::recv(&mut rx).await.unwrap_or(0), sum_below(LEAVES))
    })
}

fn skynet<C: Channels>(result: C::Sender<i64>, number: i64, leaves: i64) {
    tokio::spawn(async move {
        if leaves == 1 {
            return C::send(&result, number).await;
        }
        let (tx, mut rx) = unbuffered_channel::<C>();
        let below = leaves / FANOUT;
        for i in 0..FANOUT {
            skynet::<C>(tx.clone(), number + i * below, below);
        }
        let mut sum = 0;
        for _ in 0..FANOUT {
            sum += C::recv(&mut rx).await.unwrap_or(0);
        }
        C::send(&result, sum).await;
    });
}
