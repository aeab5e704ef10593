//! tenon_peer_tokio measures tokio at the rows that bench/README.md defines.

use std::future::Future;
use std::process::ExitCode;

use futures_util::stream::{self, Stream};
use tenon_peers::harness::{self, Row};
use tenon_peers::tasks::{self, Channels};
use tenon_peers::work::BATCH;
use tokio::sync::mpsc;

mod context;
mod mutex;
mod patterns;
mod select;
mod spawn;
mod timer;
mod wake;

/// tokio's own channels, which have one receiver.
struct Tokio;

impl Channels for Tokio {
    type Sender<T: Send + 'static> = mpsc::Sender<T>;
    type Receiver<T: Send + 'static> = mpsc::Receiver<T>;

    const UNBUFFERED: usize = 1; // there are none without a buffer

    fn channel<T: Send + 'static>(capacity: usize) -> (mpsc::Sender<T>, mpsc::Receiver<T>) {
        mpsc::channel(capacity)
    }

    async fn send<T: Send + 'static>(to: &mpsc::Sender<T>, value: T) {
        let _ = to.send(value).await;
    }

    fn recv<T: Send + 'static>(from: &mut mpsc::Receiver<T>) -> impl Future<Output = Option<T>> + Send {
        from.recv()
    }

    fn stream<T: Send + 'static>(from: &mut mpsc::Receiver<T>) -> impl Stream<Item = T> + Send + Unpin {
        stream::poll_fn(|cx| from.poll_recv(cx))
    }
}

const ROWS: &[Row] = &[
    Row::multiple("yield", 2, spawn::yields).on_one_worker(),
    Row::ops("spawn_join", spawn::spawn_join),
    Row::multiple("spawn_batch", BATCH, spawn::spawn_batch),
    Row::ops("unbuffered", tasks::unbuffered::<Tokio>),
    Row::ops("ping_pong", tasks::ping_pong::<Tokio>),
    Row::ops("buffered_128", tasks::buffered_128::<Tokio>),
    Row::ops("buffered_uncontended", tasks::buffered_uncontended::<Tokio>),
    Row::multiple("select_2", 2, select::select_2),
    Row::ops("select_default", select::select_default),
    Row::ops("mutex_uncontended", mutex::uncontended),
    Row::multiple("mutex_contended", 8, mutex::contended::<8, 0>),
    Row::ops("context_cancel", context::cancel),
    Row::ops("timer_start_stop", timer::start_stop),
    Row::multiple("ring_1000", 1000, tasks::ring::<Tokio, 1000>),
    Row::whole("sieve_500", 500, tasks::sieve_500::<Tokio>),
    Row::whole("skynet_1m", 1_000_000, tasks::skynet_1m::<Tokio>),
    // The core rows end here.
    Row::multiple("select_8", 8, tasks::select_wide::<Tokio, 8>),
    Row::multiple("select_64", 64, tasks::select_wide::<Tokio, 64>),
    Row::multiple("select_send", 2, select::select_send),
    Row::ops("chan_64", tasks::chan_64::<Tokio>),
    Row::ops("chan_1k", tasks::chan_1k::<Tokio>),
    Row::ops("chan_ptr", tasks::chan_ptr::<Tokio>),
    Row::multiple("fan_in_100", tasks::FAN_IN, tasks::fan_in_100::<Tokio>),
    Row::multiple("mutex_2_0", 2, mutex::contended::<2, 0>),
    Row::multiple("mutex_2_100", 2, mutex::contended::<2, 100>),
    Row::multiple("mutex_2_1000", 2, mutex::contended::<2, 1000>),
    Row::multiple("mutex_8_0", 8, mutex::contended::<8, 0>),
    Row::multiple("mutex_8_100", 8, mutex::contended::<8, 100>),
    Row::multiple("mutex_8_1000", 8, mutex::contended::<8, 1000>),
    Row::multiple("mutex_64_0", 64, mutex::contended::<64, 0>),
    Row::multiple("mutex_64_100", 64, mutex::contended::<64, 100>),
    Row::multiple("mutex_64_1000", 64, mutex::contended::<64, 1000>),
    Row::multiple("rwmutex_90_10", 80, mutex::rw_90_10),
    Row::ops("cond_ping_pong", mutex::cond_ping_pong),
    Row::multiple("semaphore_4", 8, mutex::semaphore_4),
    Row::multiple("group_100", spawn::GROUP, spawn::group_100),
    Row::multiple("context_tree_10", 10, context::tree::<10>),
    Row::multiple("context_tree_100", 100, context::tree::<100>),
    Row::multiple("context_tree_1000", 1000, context::tree::<1000>),
    Row::multiple("context_tree_10k", 10_000, context::tree::<10_000>),
    Row::multiple("context_depth_100", context::DEPTH, context::depth),
    Row::ops("context_poll", context::poll),
    Row::ops("timers_1k", timer::start_stop).around(timer::among::<1000>),
    Row::ops("timers_1m", timer::start_stop).around(timer::among::<1_000_000>),
    Row::own("ticker_load", timer::ticker_load),
    Row::multiple("ring_100", 100, tasks::ring::<Tokio, 100>),
    Row::multiple("ring_10k", 10_000, tasks::ring::<Tokio, 10_000>),
    Row::multiple("ring_100k", 100_000, tasks::ring::<Tokio, 100_000>),
    Row::multiple("park_100", 100, spawn::park::<100>),
    Row::multiple("park_1000", 1000, spawn::park::<1000>),
    Row::multiple("park_10k", 10_000, spawn::park::<10_000>),
    Row::multiple("park_100k", 100_000, spawn::park::<100_000>),
    Row::multiple("park_1m", 1_000_000, spawn::park::<1_000_000>),
    Row::ops("pipeline_10", tasks::pipeline_10::<Tokio>),
    Row::whole("sieve_range", 500, tasks::sieve_range::<Tokio>),
    Row::ops("parallel_transform", patterns::parallel_transform),
    Row::whole("quicksort_1m", 1_000_000, patterns::quicksort_1m),
    Row::own("wake_p50", wake::wake::<500>),
    Row::own("wake_p99", wake::wake::<990>),
    Row::own("wake_p999", wake::wake::<999>),
    Row::own("hog_wake_p50", wake::wake::<500>).around(wake::beside_a_hog),
    Row::own("hog_wake_p99", wake::wake::<990>).around(wake::beside_a_hog),
    Row::own("hog_wake_p999", wake::wake::<999>).around(wake::beside_a_hog),
    Row::ops("hog_ping_pong", tasks::ping_pong::<Tokio>).around(wake::beside_a_hog),
];

fn main() -> ExitCode {
    harness::main(env!("CARGO_BIN_NAME"), ROWS, tasks::run)
}
