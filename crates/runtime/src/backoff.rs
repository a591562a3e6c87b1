//! How long to wait after failures.

use std::time::Duration;

/// Doubles from `min` to `max` with each failure in a row, as client-go's `ItemExponentialFailureRateLimiter`.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The delay after the first failure (`--min-retry-delay`).
    pub min: Duration,
    /// The longest delay (`--max-retry-delay`).
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            min: Duration::from_millis(750),
            max: Duration::from_secs(15 * 60),
        }
    }
}

impl Backoff {
    /// The delay after `failures` failures before this one.
    pub fn delay(&self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
        self.min
            .checked_mul(factor)
            .map_or(self.max, |delay| delay.min(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_limit() {
        let backoff = Backoff::default();
        let seen: Vec<u128> = [0, 1, 2, 10, 11, 31, 32, 1000]
            .map(|n| backoff.delay(n).as_millis())
            .into();
        assert_eq!(
            seen,
            [750, 1500, 3000, 768_000, 900_000, 900_000, 900_000, 900_000]
        );
    }
}
