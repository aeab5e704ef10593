//! The rows about channels as threads, for libraries whose channels block them.

use std::thread;

use crate::harness::{expect, sum_below, Checked};

/// Channels as these rows use them.
pub trait Channels {
    type Sender<T: Send>: Clone + Send + Sync;
    type Receiver<T: Send>: Send + Sync;

    fn channel<T: Send>(capacity: usize) -> (Self::Sender<T>, Self::Receiver<T>);
    fn send<T: Send>(to: &Self::Sender<T>, value: T);
    /// None when the channel is closed.
    fn recv<T: Send>(from: &Self::Receiver<T>) -> Option<T>;
}

/// The rows make their threads themselves, whatever the number of workers.
pub fn run(_row: &str, _workers: usize, f: &mut dyn FnMut()) {
    f();
}

pub fn unbuffered<C: Channels>(n: i64) -> Checked {
    carry::<C, _>(n, 0, |i| i, |v| v)
}

pub fn buffered_128<C: Channels>(n: i64) -> Checked {
    carry::<C, _>(n, 128, |i| i, |v| v)
}

/// The first and the last word of the value are the number.
fn chan_words<C: Channels, const WORDS: usize>(n: i64) -> Checked {
    let pack = |i| {
        let mut words = [0; WORDS];
        (words[0], words[WORDS - 1]) = (i, i);
        words
    };
    carry::<C, _>(n, 128, pack, |words| (words[0] + words[WORDS - 1]) / 2)
}

pub fn chan_64<C: Channels>(n: i64) -> Checked {
    chan_words::<C, 8>(n)
}

pub fn chan_1k<C: Channels>(n: i64) -> Checked {
    chan_words::<C, 128>(n)
}

pub fn chan_ptr<C: Channels>(n: i64) -> Checked {
    carry::<C, _>(n, 128, Box::new, |v| *v)
}

fn carry<C: Channels, T: Send>(
    n: i64,
    capacity: usize,
    pack: impl Fn(i64) -> T + Send,
    unpack: impl Fn(T) -> i64,
) -> Checked {
    let (tx, rx) = C::channel(capacity);
    let sum = thread::scope(|s| {
        s.spawn(move || (0..n).for_each(|i| C::send(&tx, pack(i))));
        received::<C, T>(&rx).map(unpack).sum()
    });
    expect("the sum of the values", sum, sum_below(n))
}

/// What comes until the channel is closed.
fn received<C: Channels, T: Send>(from: &C::Receiver<T>) -> impl Iterator<Item = T> + use<'_, C, T> {
    std::iter::from_fn(|| C::recv(from))
}

/// Sends the numbers below n.
pub fn produce<C: Channels>(n: i64, to: &C::Sender<i64>) {
    (0..n).for_each(|i| C::send(to, i));
}

/// Passes on what comes, increased by one, until the channel is closed.
fn add_one<C: Channels>(from: C::Receiver<i64>, to: C::Sender<i64>) {
    received::<C, _>(&from).for_each(|v| C::send(&to, v + 1));
}

pub fn ping_pong<C: Channels>(n: i64) -> Checked {
    let (ping, pinged) = C::channel(0);
    let (pong, ponged) = C::channel(0);
    let token = thread::scope(|s| {
        s.spawn(|| add_one::<C>(pinged, pong));
        let mut token = 0;
        for _ in 0..n {
            C::send(&ping, token);
            token = C::recv(&ponged).unwrap_or(0);
        }
        drop(ping);
        token
    });
    expect("the token", token, n)
}

pub fn buffered_uncontended<C: Channels>(n: i64) -> Checked {
    let (tx, rx) = C::channel(1);
    let mut sum = 0;
    for i in 0..n {
        C::send(&tx, i);
        sum += C::recv(&rx).unwrap_or(0);
    }
    expect("the sum of the values", sum, sum_below(n))
}

pub fn mpmc_4x4<C: Channels>(n: i64) -> Checked {
    let (tx, rx) = C::channel(128);
    let sum = thread::scope(|s| {
        for first in 0..4 {
            let tx = tx.clone();
            s.spawn(move || (first..n).step_by(4).for_each(|i| C::send(&tx, i)));
        }
        drop(tx); // the channel is closed when the last of them has ended
        let receivers = [(); 4].map(|()| s.spawn(|| received::<C, i64>(&rx).sum::<i64>()));
        receivers.into_iter().map(|r| r.join().expect("the thread ends")).sum()
    });
    expect("the sum of the values", sum, sum_below(n))
}

pub const FAN_IN: i64 = 100;

pub fn fan_in_100<C: Channels>(n: i64) -> Checked {
    let (tx, rx) = C::channel(128);
    let sum = thread::scope(|s| {
        for _ in 0..FAN_IN {
            s.spawn(|| produce::<C>(n / FAN_IN, &tx));
        }
        (0..n).filter_map(|_| C::recv(&rx)).sum()
    });
    expect("the sum of the values", sum, FAN_IN * sum_below(n / FAN_IN))
}

pub fn pipeline_10<C: Channels>(n: i64) -> Checked {
    const STAGES: i64 = 10;
    let sum = thread::scope(|s| {
        let (tx, mut last) = C::channel(0);
        s.spawn(move || produce::<C>(n, &tx));
        for _ in 0..STAGES {
            let (tx, rx) = C::channel(0);
            s.spawn(move || add_one::<C>(last, tx));
            last = rx;
        }
        received::<C, i64>(&last).sum()
    });
    expect("the sum of the values", sum, sum_below(n) + STAGES * n)
}

pub fn ring<C: Channels, const SIZE: i64>(n: i64) -> Checked {
    let token = thread::scope(|s| {
        let (first, mut last) = C::channel(0);
        for _ in 1..SIZE {
            let (tx, rx) = C::channel(0);
            s.spawn(move || add_one::<C>(last, tx));
            last = rx;
        }
        let mut token = 0;
        for _ in 0..n / SIZE {
            C::send(&first, token);
            token = C::recv(&last).unwrap_or(0) + 1;
        }
        token
    });
    expect("the token", token, n)
}
