//! What templates may learn from outside: the time, chance and the process environment.

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

/// An environment in which it is always the same moment and chance always the same: for tests and for
/// renders that have to be repeatable.
#[derive(Clone, Debug)]
pub struct FixedEnvironment {
    /// The moment.
    pub now: Time,
    /// What the random bytes are derived from.
    pub seed: u64,
}

impl Environment for FixedEnvironment {
    fn now(&self) -> Time {
        self.now.clone()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        // SplitMix64: good enough to look random, and the same everywhere.
        let mut state = self.seed;
        for chunk in bytes.chunks_mut(8) {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^= mixed >> 31;
            let length = chunk.len();
            chunk.copy_from_slice(&mixed.to_le_bytes()[..length]);
        }
    }
}
