//! CancellationToken is what tokio has for a context; it carries no error, so the row asks whether it is canceled.

use tenon_peers::harness::{expect, Checked};
use tenon_peers::tasks::on_worker;
use tokio_util::sync::CancellationToken;

pub fn cancel(n: i64) -> Checked {
    on_worker(async move {
        let mut canceled = 0;
        for _ in 0..n {
            let parent = CancellationToken::new();
            let child = parent.child_token();
            parent.cancel();
            child.cancelled().await;
            canceled += i64::from(child.is_cancelled());
        }
        expect("the number of tokens seen canceled", canceled, n)
    })
}

pub const DEPTH: i64 = 100;

fn count_canceled(tokens: &[CancellationToken]) -> i64 {
    tokens.iter().filter(|token| token.is_cancelled()).count() as i64
}

pub fn tree<const WIDTH: i64>(n: i64) -> Checked {
    on_worker(async move {
        let mut canceled = 0;
        for _ in 0..n / WIDTH {
            let parent = CancellationToken::new();
            let children: Vec<_> = (0..WIDTH).map(|_| parent.child_token()).collect();
            parent.cancel();
            canceled += count_canceled(&children);
        }
        expect("the number of children seen canceled", canceled, n)
    })
}

pub fn depth(n: i64) -> Checked {
    on_worker(async move {
        let mut canceled = 0;
        for _ in 0..n / DEPTH {
            let first = CancellationToken::new();
            let next = |last: &CancellationToken| Some(last.child_token());
            let chain: Vec<_> = std::iter::successors(Some(first), next).take(DEPTH as usize).collect();
            chain[0].cancel();
            canceled += count_canceled(&chain);
        }
        expect("the number of descendants seen canceled", canceled, n)
    })
}

pub fn poll(n: i64) -> Checked {
    on_worker(async move {
        let token = CancellationToken::new().child_token();
        let live = (0..n).filter(|_| !token.is_cancelled()).count() as i64;
        expect("the number of polls before the end", live, n)
    })
}
