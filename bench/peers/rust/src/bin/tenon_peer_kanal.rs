//! tenon_peer_kanal measures kanal at the rows of bench/README.md that are about channels: as threads where one sends and
//! one receives through a buffer, and where nobody waits; as tasks on tokio, which are faster there, at the others.

use std::process::ExitCode;

use futures_util::stream::{self, Stream, StreamExt};
use kanal::{bounded, bounded_async, AsyncReceiver, AsyncSender, Receiver, Sender};
use tenon_peers::harness::{self, expect, Checked, Row};
use tenon_peers::{tasks, threads};

struct Kanal;

impl threads::Channels for Kanal {
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

impl tasks::Channels for Kanal {
    type Sender<T: Send + 'static> = AsyncSender<T>;
    type Receiver<T: Send + 'static> = AsyncReceiver<T>;

    const UNBUFFERED: usize = 0;

    fn channel<T: Send + 'static>(capacity: usize) -> (AsyncSender<T>, AsyncReceiver<T>) {
        bounded_async(capacity)
    }

    async fn send<T: Send + 'static>(to: &AsyncSender<T>, value: T) {
        let _ = to.send(value).await;
    }

    async fn recv<T: Send + 'static>(from: &mut AsyncReceiver<T>) -> Option<T> {
        from.recv().await.ok()
    }

    /// A future for each value: kanal's own stream uses one for all, and returns values that it has returned before.
    fn stream<T: Send + 'static>(from: &mut AsyncReceiver<T>) -> impl Stream<Item = T> + Send + Unpin {
        Box::pin(stream::unfold(from, |from| async { from.recv().await.ok().map(|v| (v, from)) }).fuse())
    }
}

fn select_default(n: i64) -> Checked {
    let (_to_a, a) = bounded::<i64>(0);
    let (_to_b, b) = bounded::<i64>(0);
    let mut misses = 0;
    for _ in 0..n {
        if let (Ok(None), Ok(None)) = (a.try_recv(), b.try_recv()) {
            misses += 1;
        }
    }
    expect("the number of times that the default was chosen", misses, n)
}

const ROWS: &[Row] = &[
    Row::ops("unbuffered", tasks::unbuffered::<Kanal>),
    Row::ops("ping_pong", tasks::ping_pong::<Kanal>),
    Row::ops("buffered_128", threads::buffered_128::<Kanal>),
    Row::ops("buffered_uncontended", threads::buffered_uncontended::<Kanal>),
    Row::multiple("mpmc_4x4", 4, tasks::mpmc_4x4::<Kanal>),
    Row::multiple("select_2", 2, tasks::select_2::<Kanal>),
    Row::ops("select_default", select_default),
    Row::multiple("ring_1000", 1000, tasks::ring::<Kanal, 1000>),
    Row::whole("sieve_500", 500, tasks::sieve_500::<Kanal>),
    Row::whole("skynet_1m", 1_000_000, tasks::skynet_1m::<Kanal>),
    // The core rows end here.
    Row::multiple("select_8", 8, tasks::select_wide::<Kanal, 8>),
    Row::multiple("select_64", 64, tasks::select_wide::<Kanal, 64>),
    Row::multiple("select_send", 2, tasks::select_send::<Kanal>),
    Row::ops("chan_64", threads::chan_64::<Kanal>),
    Row::ops("chan_1k", threads::chan_1k::<Kanal>),
    Row::ops("chan_ptr", threads::chan_ptr::<Kanal>),
    Row::multiple("fan_in_100", tasks::FAN_IN, tasks::fan_in_100::<Kanal>),
    Row::multiple("ring_100", 100, tasks::ring::<Kanal, 100>),
    Row::ops("pipeline_10", tasks::pipeline_10::<Kanal>),
    Row::whole("sieve_range", 500, tasks::sieve_range::<Kanal>),
];

fn main() -> ExitCode {
    harness::main(env!("CARGO_BIN_NAME"), ROWS, tasks::run)
}
