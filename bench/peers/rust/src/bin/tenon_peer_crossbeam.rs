//! tenon_peer_crossbeam measures crossbeam-channel at the rows of bench/README.md that are about channels, with a thread
//! where they speak of a goroutine.

use std::process::ExitCode;
use std::thread;

use crossbeam_channel::{bounded, select, Receiver, Select, Sender};
use tenon_peers::harness::{self, expect, sum_below, Checked, Row};
use tenon_peers::threads::{self, produce, Channels};

struct Crossbeam;

impl Channels for Crossbeam {
    type Sender<T: Send> = Sender<T>;
    type Receiver<T: Send> = Receiver<T>;

    fn channel<T: Send>(capacity: usize) -> (Sender<T>, Receiver<T>) {
        bounded(capacity)
    }

    fn send<T: Send>(to: &Sender<T>, value: T) {
        let _ = to.send(value);
    }

    fn recv<T: Send>(from: &Receiver<T>) -> Option<T> {
        from.recv().ok()
    }
}

fn select_2(n: i64) -> Checked {
    let (to_a, a) = bounded(0);
    let (to_b, b) = bounded(0);
    let (mut sum_a, mut sum_b) = (0, 0);
    thread::scope(|s| {
        s.spawn(|| {
            for i in 0..n / 2 {
                Crossbeam::send(&to_a, i);
                Crossbeam::send(&to_b, i);
            }
        });
        for _ in 0..n {
            select! {
                recv(a) -> v => sum_a += v.unwrap_or(0),
                recv(b) -> v => sum_b += v.unwrap_or(0),
            }
        }
    });
    expect("the sum of the first channel's values", sum_a, sum_below(n / 2))?;
    expect("the sum of the second channel's values", sum_b, sum_below(n / 2))
}

fn select_wide<const WIDTH: usize>(n: i64) -> Checked {
    let each = n / WIDTH as i64;
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..WIDTH).map(|_| bounded(0)).unzip();
    let mut select = Select::new();
    for rx in &rxs {
        select.recv(rx);
    }
    let mut sums = [0; WIDTH];
    thread::scope(|s| {
        for tx in &txs {
            s.spawn(move || produce::<Crossbeam>(each, tx));
        }
        for _ in 0..n {
            let chosen = select.select();
            let c = chosen.index();
            sums[c] += chosen.recv(&rxs[c]).unwrap_or(0);
        }
    });
    sums.iter().try_for_each(|&sum| expect("the sum of one channel's values", sum, sum_below(each)))
}

fn select_send(n: i64) -> Checked {
    let (to, taken) = bounded(0);
    let (given, from) = bounded(0);
    let (mut sent, mut sum) = (0, 0);
    let sum_sent = thread::scope(|s| {
        let consumer = s.spawn(|| taken.iter().take(n as usize / 2).sum());
        s.spawn(|| produce::<Crossbeam>(n / 2, &given));
        for _ in 0..n {
            select! {
                send(to, sent) -> _ => sent += 1,
                recv(from) -> v => sum += v.unwrap_or(0),
            }
        }
        consumer.join().expect("the thread ends")
    });
    expect("the number of values sent", sent, n / 2)?;
    expect("the sum of the values sent", sum_sent, sum_below(n / 2))?;
    expect("the sum of the values received", sum, sum_below(n / 2))
}

fn select_default(n: i64) -> Checked {
    let (_to_a, a) = bounded::<i64>(0);
    let (_to_b, b) = bounded::<i64>(0);
    let mut misses = 0;
    for _ in 0..n {
        select! {
            recv(a) -> _ => {}
            recv(b) -> _ => {}
            default => misses += 1,
        }
    }
    expect("the number of times that the default was chosen", misses, n)
}

const ROWS: &[Row] = &[
    Row::ops("unbuffered", threads::unbuffered::<Crossbeam>),
    Row::ops("ping_pong", threads::ping_pong::<Crossbeam>),
    Row::ops("buffered_128", threads::buffered_128::<Crossbeam>),
    Row::ops("buffered_uncontended", threads::buffered_uncontended::<Crossbeam>),
    Row::multiple("mpmc_4x4", 4, threads::mpmc_4x4::<Crossbeam>),
    Row::multiple("select_2", 2, select_2),
    Row::ops("select_default", select_default),
    // The core rows end here.
    Row::multiple("select_8", 8, select_wide::<8>),
    Row::multiple("select_64", 64, select_wide::<64>),
    Row::multiple("select_send", 2, select_send),
    Row::ops("chan_64", threads::chan_64::<Crossbeam>),
    Row::ops("chan_1k", threads::chan_1k::<Crossbeam>),
    Row::ops("chan_ptr", threads::chan_ptr::<Crossbeam>),
    Row::multiple("fan_in_100", threads::FAN_IN, threads::fan_in_100::<Crossbeam>),
    Row::multiple("ring_100", 100, threads::ring::<Crossbeam, 100>),
    Row::ops("pipeline_10", threads::pipeline_10::<Crossbeam>),
];

fn main() -> ExitCode {
    harness::main(env!("CARGO_BIN_NAME"), ROWS, threads::run)
}
