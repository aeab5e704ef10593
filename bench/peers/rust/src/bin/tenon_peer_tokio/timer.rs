//! Timers and tickers.

use std::future::{poll_fn, Future};
use std::pin::{pin, Pin};
use std::task::Poll;
use std::time::Duration;

use tenon_peers::harness::{expect, Checked, Measurement};
use tenon_peers::tasks::{join_all, on_worker};
use tokio::time::{interval, sleep, timeout, MissedTickBehavior, Sleep};

const HOUR: Duration = Duration::from_secs(3600);

/// A Sleep starts when it is first polled. It stops when it is dropped.
async fn start(mut timer: Pin<&mut Sleep>) -> bool {
    poll_fn(|cx| Poll::Ready(timer.as_mut().poll(cx).is_pending())).await
}

pub fn start_stop(n: i64) -> Checked {
    on_worker(async move {
        let mut stopped = 0;
        for _ in 0..n {
            stopped += i64::from(start(pin!(sleep(HOUR))).await);
        }
        expect("the number of timers stopped in time", stopped, n)
    })
}

/// While so many are pending.
pub fn among<const PENDING: u64>(measured: &mut dyn FnMut()) {
    let pending = on_worker(async {
        let mut pending: Vec<Pin<Box<Sleep>>> = Vec::new();
        for i in 0..PENDING {
            let mut timer = Box::pin(sleep(HOUR + Duration::from_micros(i)));
            start(timer.as_mut()).await;
            pending.push(timer);
        }
        pending
    });
    measured();
    drop(pending);
}

/// What a tick costs the processor, where a hundred tickers of a millisecond each have a task that takes them.
pub fn ticker_load(target: Duration) -> Result<Measurement, String> {
    const TICKERS: u32 = 100;
    let began = cpu_time();
    let ticks = on_worker(async move {
        let ticker = |_| {
            tokio::spawn(async move {
                let mut ticks = 0;
                let _ = timeout(4 * target, async {
                    let mut ticker = interval(Duration::from_millis(1));
                    ticker.set_missed_tick_behavior(MissedTickBehavior::Skip);
                    loop {
                        ticker.tick().await;
                        ticks += 1;
                    }
                })
                .await;
                ticks
            })
        };
        join_all((0..TICKERS).map(ticker).collect()).await
    });
    let cpu = cpu_time() - began;
    let all: i64 = ticks.iter().sum();
    if (all as f64) < f64::from(TICKERS) * (4 * target).as_secs_f64() * 1e3 / 2.0 {
        return Err("wrong result: fewer than half of the ticks came".into());
    }
    Ok(Measurement { unit: "ns cpu", value: cpu.as_nanos() as f64 / all as f64, ops: all })
}

/// That the whole process has used.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes to the timespec, which outlives the call.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
