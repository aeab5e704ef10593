//! tenon_peer_flume measures flume at the rows of bench/README.md that are about channels: as threads where one sends and
//! one receives through a buffer, and where nobody waits; as tasks on tokio, which are faster there, at the others.

use std::process::ExitCode;

use flume::{bounded, Receiver, Sender};
use futures_util::stream::Stream;
use tenon_peers::harness::{self, expect, Checked, Row};
use tenon_peers::{tasks, threads};

struct Flume;

impl threads::Channels for Flume {
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

impl tasks::Channels for Flume {
    type Sender<T: Send + 'static> = Sender<T>;
    type Receiver<T: Send + 'static> = Receiver<T>;

    const UNBUFFERED: usize = 0;

    fn channel<T: Send + 'static>(capacity: usize) -> (Sender<T>, Receiver<T>) {
        bounded(capacity)
    }

    async fn send<T: Send + 'static>(to: &Sender<T>, value: T) {
        let _ = to.send_async(value).await;
    }

    async fn recv<T: Send + 'static>(from: &mut Receiver<T>) -> Option<T> {
        from.recv_async().await.ok()
    }

    fn stream<T: Send + 'static>(from: &mut Receiver<T>) -> impl Stream<Item = T> + Send + Unpin {
        from.stream()
    }
}

fn select_default(n: i64) -> Checked {
    let (_to_a, a) = bounded::<i64>(0);
    let (_to_b, b) = bounded::<i64>(0);
    let mut misses = 0;
    for _ in 0..n {
        if a.try_recv().is_err() && b.try_recv().is_err() {
            misses += 1;
        }
    }
    expect("the number of times that the default was chosen", misses, n)
}

const ROWS: &[Row] = &[
    Row::ops("unbuffered", tasks::unbuffered::<Flume>),
    Row::ops("ping_pong", tasks::ping_pong::<Flume>),
    Row::ops("buffered_128", threads::buffered_128::<Flume>),
    Row::ops("buffered_uncontended", threads::buffered_uncontended::<Flume>),
    Row::multiple("mpmc_4x4", 4, tasks::mpmc_4x4::<Flume>),
    Row::multiple("select_2", 2, tasks::select_2::<Flume>),
    Row::ops("select_default", select_default),
    Row::multiple("ring_1000", 1000, tasks::ring::<Flume, 1000>),
    Row::whole("sieve_500", 500, tasks::sieve_500::<Flume>),
    Row::whole("skynet_1m", 1_000_000, tasks::skynet_1m::<Flume>),
    // The core rows end here.
    Row::multiple("select_8", 8, tasks::select_wide::<Flume, 8>),
    Row::multiple("select_64", 64, tasks::select_wide::<Flume, 64>),
    Row::multiple("select_send", 2, tasks::select_send::<Flume>),
    Row::ops("chan_64", threads::chan_64::<Flume>),
    Row::ops("chan_1k", threads::chan_1k::<Flume>),
    Row::ops("chan_ptr", threads::chan_ptr::<Flume>),
    Row::multiple("fan_in_100", tasks::FAN_IN, tasks::fan_in_100::<Flume>),
    Row::multiple("ring_100", 100, tasks::ring::<Flume, 100>),
    Row::ops("pipeline_10", tasks::pipeline_10::<Flume>),
    Row::whole("sieve_range", 500, tasks::sieve_range::<Flume>),
];

fn main() -> ExitCode {
    harness::main(env!("CARGO_BIN_NAME"), ROWS, tasks::run)
}
