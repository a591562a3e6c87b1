//! What templates may learn from outside: the time, chance and the process environment.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::time::Time;

/// The source of everything that is not the same in each run.
///
/// The engine itself reads no clock and no random source; whoever renders gives them.
pub trait Environment: Send + Sync {
    /// The current time.
    fn now(&self) -> Time;

    /// Fills `bytes` with random ones, fit for keys.
    fn fill_random(&self, bytes: &mut [u8]);

    /// The value of an environment variable; empty when unset. Helm has no such function.
    fn variable(&self, _name: &str) -> String {
        String::new()
    }

    /// The address of a host name; Helm gives the empty string unless DNS is allowed.
    fn host_address(&self, _name: &str) -> String {
        String::new()
    }
}

/// An environment in which it is always the same moment, and chance takes the same course each time: for tests and
/// for renders that have to be repeatable.
#[derive(Debug)]
pub struct FixedEnvironment {
    now: Time,
    // What the next random bytes are derived from: it has to move on, or a search for two primes never ends.
    state: AtomicU64,
}

impl FixedEnvironment {
    /// An environment at the moment `now`; `seed` is what the random bytes are derived from.
    pub fn new(now: Time, seed: u64) -> FixedEnvironment {
        FixedEnvironment {
            now,
            state: AtomicU64::new(seed),
        }
    }
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Environment for FixedEnvironment {
    fn now(&self) -> Time {
        self.now.clone()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        // SplitMix64: good enough to look random, and the same everywhere.
        for chunk in bytes.chunks_mut(8) {
            let state = self.state.fetch_add(STEP, Ordering::Relaxed);
            let mut mixed = state.wrapping_add(STEP);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^= mixed >> 31;
            let length = chunk.len();
            chunk.copy_from_slice(&mixed.to_le_bytes()[..length]);
        }
    }
}
