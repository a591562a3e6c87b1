//! The work queue of one kind.
//!
//! As client-go's: what is added twice is done once, and what is added while it is worked on is done again
//! afterwards. Every key has at most one timer; the latest outcome decides it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::{Backoff, ObjectKey, Trigger};

/// How soon a key comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// After all others: what the first list brings, of which most is in order.
    Low,
    /// In the order of coming.
    Normal,
}

/// Why a key is added.
#[derive(Clone, Debug)]
pub struct Wake {
    /// The object whose change it is.
    pub trigger: Trigger,
    /// Whether work on the key that only waits is given up for it.
    pub supersedes: bool,
    /// How soon it comes.
    pub priority: Priority,
}

impl Wake {
    /// Work that waits is given up.
    pub fn superseding(trigger: Trigger) -> Self {
        Self {
            trigger,
            supersedes: true,
            priority: Priority::Normal,
        }
    }

    /// Work that waits goes on; the key is worked on again after it.
    pub fn following(trigger: Trigger) -> Self {
        Self {
            trigger,
            supersedes: false,
            priority: Priority::Normal,
        }
    }
}

/// The queue; a handle that is cheap to clone.
#[derive(Clone, Default)]
pub struct Queue(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    normal: VecDeque<ObjectKey>,
    low: VecDeque<ObjectKey>,
    /// Keys in one of the two queues, and since when.
    queued: HashMap<ObjectKey, (Priority, Instant)>,
    /// Keys that are worked on.
    running: HashMap<ObjectKey, Running>,
    timers: BTreeMap<(Instant, u64), ObjectKey>,
    timer_of: HashMap<ObjectKey, (Instant, u64)>,
    failures: HashMap<ObjectKey, u32>,
    sequence: u64,
    adds: u64,
    retries: u64,
}

struct Running {
    since: Instant,
    again: Option<Priority>,
    superseded: watch::Sender<Option<Trigger>>,
}

/// A key to be worked on.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) key: ObjectKey,
    /// Turns to the trigger when the work is superseded.
    pub(crate) superseded: watch::Receiver<Option<Trigger>>,
    /// How long the key was queued.
    pub(crate) queued_for: Duration,
}

/// What the metrics of a queue tell.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) depth_normal: usize,
    pub(crate) depth_low: usize,
    pub(crate) adds: u64,
    pub(crate) retries: u64,
    pub(crate) longest_running: Duration,
    pub(crate) unfinished: Duration,
}

impl Queue {
    /// Adds a key because of a change.
    pub fn add(&self, key: &ObjectKey, wake: Wake) {
        {
            let mut state = self.0.state.lock();
            state.adds += 1;
            if let Some(running) = state.running.get_mut(key) {
                running.again = running.again.max(Some(wake.priority));
                if wake.supersedes {
                    running.superseded.send_if_modified(|seen| {
                        let first = seen.is_none();
                        if first {
                            *seen = Some(wake.trigger);
                        }
                        first
                    });
                }
                return;
            }
            state.enqueue(key, wake.priority);
        }
        self.0.changed.notify_one();
    }

    /// Adds a key after a time, in place of its earlier timer.
    pub(crate) fn add_after(&self, key: &ObjectKey, delay: Duration) {
        {
            let mut state = self.0.state.lock();
            state.retries += 1;
            state.set_timer(key, delay);
        }
        self.0.changed.notify_one();
    }

    /// Adds a key after the delay that its failures in a row ask for.
    pub(crate) fn add_after_failure(&self, key: &ObjectKey, backoff: Backoff) -> Duration {
        let delay = {
            let mut state = self.0.state.lock();
            state.retries += 1;
            let failures = state.failures.entry(key.clone()).or_insert(0);
            let delay = backoff.delay(*failures);
            *failures = failures.saturating_add(1);
            state.set_timer(key, delay);
            delay
        };
        self.0.changed.notify_one();
        delay
    }

    /// The key did not fail.
    pub(crate) fn reset_failures(&self, key: &ObjectKey) {
        self.0.state.lock().failures.remove(key);
    }

    /// The object is gone: no timer, no memory of failures.
    pub(crate) fn forget(&self, key: &ObjectKey) {
        let mut state = self.0.state.lock();
        state.failures.remove(key);
        state.clear_timer(key);
    }

    /// The work on a key is over.
    pub(crate) fn done(&self, key: &ObjectKey) {
        {
            let mut state = self.0.state.lock();
            let Some(running) = state.running.remove(key) else {
                return;
            };
            if let Some(priority) = running.again {
                state.enqueue(key, priority);
            }
        }
        self.0.changed.notify_one();
    }

    /// Waits until there is a key to be worked on.
    pub(crate) async fn ready(&self) {
        loop {
            let deadline = {
                let mut state = self.0.state.lock();
                state.expire(Instant::now());
                if !state.queued.is_empty() {
                    return;
                }
                state.timers.keys().next().map(|(at, _)| *at)
            };
            match deadline {
                Some(at) => {
                    tokio::select! {
                        () = self.0.changed.notified() => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
                None => self.0.changed.notified().await,
            }
        }
    }

    /// The next key, as soon as there is one. From then on it is worked on, until [`Queue::done`].
    pub(crate) async fn next(&self) -> Job {
        loop {
            self.ready().await;
            if let Some(job) = self.0.state.lock().pop() {
                return job;
            }
        }
    }

    /// How many keys wait or are worked on.
    pub fn pending(&self) -> usize {
        let state = self.0.state.lock();
        state.queued.len() + state.running.len()
    }

    pub(crate) fn figures(&self) -> Figures {
        let state = self.0.state.lock();
        let now = Instant::now();
        let ages = state.running.values().map(|running| now - running.since);
        Figures {
            depth_normal: state.normal.len(),
            depth_low: state.low.len(),
            adds: state.adds,
            retries: state.retries,
            longest_running: ages.clone().max().unwrap_or_default(),
            unfinished: ages.sum(),
        }
    }
}

impl State {
    fn enqueue(&mut self, key: &ObjectKey, priority: Priority) {
        self.clear_timer(key);
        let since = match self.queued.get(key) {
            Some((queued, _)) if *queued >= priority => return,
            Some((_, since)) => {
                self.low.retain(|other| other != key);
                *since
            }
            None => Instant::now(),
        };
        self.queued.insert(key.clone(), (priority, since));
        match priority {
            Priority::Low => self.low.push_back(key.clone()),
            Priority::Normal => self.normal.push_back(key.clone()),
        }
    }

    fn set_timer(&mut self, key: &ObjectKey, delay: Duration) {
        self.clear_timer(key);
        self.sequence += 1;
        let timer = (Instant::now() + delay, self.sequence);
        self.timers.insert(timer, key.clone());
        self.timer_of.insert(key.clone(), timer);
    }

    fn clear_timer(&mut self, key: &ObjectKey) {
        if let Some(timer) = self.timer_of.remove(key) {
            self.timers.remove(&timer);
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let key = entry.remove();
            self.timer_of.remove(&key);
            match self.running.get_mut(&key) {
                Some(running) => running.again = Some(Priority::Normal),
                None => self.enqueue(&key, Priority::Normal),
            }
        }
    }

    fn pop(&mut self) -> Option<Job> {
        let key = self.normal.pop_front().or_else(|| self.low.pop_front())?;
        let now = Instant::now();
        let since = self.queued.remove(&key).map_or(now, |(_, since)| since);
        let (superseded, receiver) = watch::channel(None);
        self.running.insert(
            key.clone(),
            Running {
                since: now,
                again: None,
                superseded,
            },
        );
        Some(Job {
            key,
            superseded: receiver,
            queued_for: now - since,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("ns", name)
    }

    fn wake(priority: Priority, supersedes: bool) -> Wake {
        Wake {
            trigger: Trigger::new("Kind", key("cause")),
            supersedes,
            priority,
        }
    }

    async fn names(queue: &Queue, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(queue.next().await.key.name);
        }
        names
    }

    fn is_empty(queue: &Queue) -> bool {
        let figures = queue.figures();
        figures.depth_low + figures.depth_normal == 0
    }

    #[tokio::test(start_paused = true)]
    async fn low_ones_come_last_and_can_rise() {
        let queue = Queue::default();
        for name in ["a", "b", "c"] {
            queue.add(&key(name), wake(Priority::Low, false));
        }
        queue.add(&key("d"), wake(Priority::Normal, false));
        queue.add(&key("b"), wake(Priority::Normal, false));
        queue.add(&key("d"), wake(Priority::Low, false));
        assert_eq!(names(&queue, 4).await, ["d", "b", "a", "c"]);
        assert!(is_empty(&queue));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_added_during_the_work_is_done_once_more_after_it() {
        let queue = Queue::default();
        queue.add(&key("a"), wake(Priority::Normal, false));
        let job = queue.next().await;
        for _ in 0..3 {
            queue.add(&key("a"), wake(Priority::Normal, false));
        }
        assert!(is_empty(&queue), "it is not handed out twice at once");
        assert!(job.superseded.borrow().is_none());
        queue.add(&key("a"), wake(Priority::Normal, true));
        assert_eq!(
            job.superseded.borrow().as_ref().unwrap().to_string(),
            "Kind/ns/cause"
        );
        queue.done(&key("a"));
        assert_eq!(names(&queue, 1).await, ["a"]);
        queue.done(&key("a"));
        assert!(is_empty(&queue));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_timer_counts() {
        let queue = Queue::default();
        let start = Instant::now();
        queue.add_after(&key("a"), Duration::from_secs(5));
        queue.add_after(&key("a"), Duration::from_secs(60));
        queue.add_after(&key("b"), Duration::from_secs(30));
        assert_eq!(names(&queue, 2).await, ["b", "a"]);
        assert_eq!(start.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_takes_the_place_of_the_timer() {
        let queue = Queue::default();
        queue.add_after(&key("a"), Duration::from_secs(5));
        queue.add(&key("a"), wake(Priority::Normal, false));
        assert_eq!(names(&queue, 1).await, ["a"]);
        queue.done(&key("a"));
        assert!(
            tokio::time::timeout(Duration::from_secs(60), queue.next())
                .await
                .is_err()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_wait_longer() {
        let queue = Queue::default();
        let backoff = Backoff {
            min: Duration::from_secs(1),
            max: Duration::from_secs(5),
        };
        let delays: Vec<u64> = (0..4)
            .map(|_| queue.add_after_failure(&key("a"), backoff).as_secs())
            .collect();
        assert_eq!(delays, [1, 2, 4, 5]);
        queue.reset_failures(&key("a"));
        assert_eq!(queue.add_after_failure(&key("a"), backoff).as_secs(), 1);
    }
}
