//! Small programs under loom (inside of its primitives' atomics, every order with two preemptions) and under shuttle (between operations: every
//! order, or so many random ones). Prints a line for each: tool, program, schedules, seconds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

static RUNS: AtomicU64 = AtomicU64::new(0);

fn told(tool: &str, program: &str, explore: impl FnOnce()) {
    RUNS.store(0, Ordering::Relaxed);
    let began = Instant::now();
    explore();
    let seconds = began.elapsed().as_secs_f64();
    println!("{tool} {program} {} {seconds:.3}", RUNS.load(Ordering::Relaxed));
}

fn counted() {
    RUNS.fetch_add(1, Ordering::Relaxed);
}

mod under_loom {
    use super::counted;
    use loom::sync::atomic::{AtomicUsize, Ordering};
    use loom::sync::{mpsc, Arc, Mutex};
    use loom::thread;

    pub fn mutex() {
        counted();
        let n = Arc::new(Mutex::new(0));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let n = n.clone();
                thread::spawn(move || *n.lock().unwrap() += 1)
            })
            .collect();
        *n.lock().unwrap() += 1;
        for t in others {
            t.join().unwrap();
        }
        assert_eq!(*n.lock().unwrap(), 3);
    }

    pub fn channel() {
        counted();
        let (tx, rx) = mpsc::channel();
        let other = tx.clone();
        let a = thread::spawn(move || tx.send(1).unwrap());
        let b = thread::spawn(move || other.send(2).unwrap());
        assert_eq!(rx.recv().unwrap() + rx.recv().unwrap(), 3);
        a.join().unwrap();
        b.join().unwrap();
    }

    /// Three count twice, and read what the others have.
    pub fn counter() {
        counted();
        let n = Arc::new(AtomicUsize::new(0));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let n = n.clone();
                thread::spawn(move || {
                    n.fetch_add(1, Ordering::AcqRel);
                    n.fetch_add(n.load(Ordering::Acquire), Ordering::AcqRel);
                })
            })
            .collect();
        n.fetch_add(1, Ordering::AcqRel);
        n.load(Ordering::Acquire);
        for t in others {
            t.join().unwrap();
        }
    }
}

mod under_shuttle {
    use super::counted;
    use shuttle::sync::{mpsc, Arc, Mutex};
    use shuttle::thread;

    pub fn mutex() {
        counted();
        let n = Arc::new(Mutex::new(0));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let n = n.clone();
                thread::spawn(move || *n.lock().unwrap() += 1)
            })
            .collect();
        *n.lock().unwrap() += 1;
        for t in others {
            t.join().unwrap();
        }
        assert_eq!(*n.lock().unwrap(), 3);
    }

    pub fn channel() {
        counted();
        let (tx, rx) = mpsc::channel();
        let other = tx.clone();
        let a = thread::spawn(move || tx.send(1).unwrap());
        let b = thread::spawn(move || other.send(2).unwrap());
        assert_eq!(rx.recv().unwrap() + rx.recv().unwrap(), 3);
        a.join().unwrap();
        b.join().unwrap();
    }
}

fn loom_all(program: fn()) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(program);
}

fn main() {
    let random = 100_000;
    told("loom", "mutex", || loom_all(under_loom::mutex));
    told("loom", "channel", || loom_all(under_loom::channel));
    told("loom", "counter", || loom_all(under_loom::counter));
    told("shuttle-random", "mutex", || {
        shuttle::check_random(under_shuttle::mutex, random)
    });
    told("shuttle-random", "channel", || {
        shuttle::check_random(under_shuttle::channel, random)
    });
    told("shuttle-all", "mutex", || {
        shuttle::check_dfs(under_shuttle::mutex, Some(random))
    });
    told("shuttle-all", "channel", || {
        shuttle::check_dfs(under_shuttle::channel, Some(random))
    });
}
