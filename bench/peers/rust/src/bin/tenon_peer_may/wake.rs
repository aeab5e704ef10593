//! How late sleepers wake.

use std::time::{Duration, Instant};

use may::coroutine::sleep;
use may::go;
use tenon_peers::harness::Measurement;
use tenon_peers::work::lateness;

use crate::spawn::{join, on_worker};

/// How late four coroutines wake that sleep a millisecond at a time.
pub fn wake<const PER_THOUSAND: usize>(target: Duration) -> Result<Measurement, String> {
    const NAP: Duration = Duration::from_millis(1);
    let end = Instant::now() + 10 * target;
    let sleeper = move || {
        let mut late = Vec::with_capacity(1 << 16);
        let mut now = Instant::now();
        while now < end {
            let due = now + NAP;
            sleep(NAP);
            now = Instant::now();
            late.push(now - due);
        }
        late
    };
    let late = on_worker(move || {
        let sleepers = [(); 4].map(|()| go!(sleeper));
        sleepers.map(join)
    });
    Ok(lateness(late.concat(), PER_THOUSAND))
}
