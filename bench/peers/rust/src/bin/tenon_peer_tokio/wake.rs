//! How late sleepers wake.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tenon_peers::harness::Measurement;
use tenon_peers::tasks::{join_all, on_worker};
use tenon_peers::work::lateness;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How late four tasks wake that sleep a millisecond at a time.
pub fn wake<const PER_THOUSAND: usize>(target: Duration) -> Result<Measurement, String> {
    const NAP: Duration = Duration::from_millis(1);
    let end = Instant::now() + 10 * target;
    let late = on_worker(async move {
        let sleeper = |_| {
            tokio::spawn(async move {
                let mut late = Vec::with_capacity(1 << 16);
                let mut now = Instant::now();
                while now < end {
                    let due = now + NAP;
                    sleep(NAP).await;
                    now = Instant::now();
                    late.push(now - due);
                }
                late
            })
        };
        join_all((0..4).map(sleeper).collect()).await
    });
    Ok(lateness(late.concat(), PER_THOUSAND))
}

/// While something computes without a pause: where tokio wants such work, on a thread of its own beside the workers.
pub fn beside_a_hog(measured: &mut dyn FnMut()) {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let hog = spawn_blocking(move || while !stopped.load(Relaxed) {});
    measured();
    stop.store(true, Relaxed);
    Handle::current().block_on(hog).expect("the hog ends");
}
