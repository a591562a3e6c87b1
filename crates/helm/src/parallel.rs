//! Doing the same to many texts on the cores there are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Texts shorter than this together are not worth a thread.
const WORTH_A_THREAD: usize = 64 << 10;
/// The most threads, the caller's included.
const MAX_THREADS: usize = 4;

/// The results of `work` for each of `items`, in their order; `total` is how many bytes they have together.
///
/// On one core, and for little, everything happens on the caller's thread.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    total: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(MAX_THREADS).min(1 + total / WORTH_A_THREAD);
    if threads <= 1 || items.len() < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            match items.get(index) {
                Some(item) => done.push((index, work(item))),
                None => return done,
            }
        }
    };
    let mut results: Vec<(usize, R)> = thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut results = take();
        for helper in helpers {
            match helper.join() {
                Ok(done) => results.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_come_in_order() {
        let items: Vec<usize> = (0..1000).collect();
        let doubled = super::map(&items, 10 << 20, |item| item * 2);
        assert_eq!(doubled, (0..1000).map(|item| item * 2).collect::<Vec<_>>());
    }
}
