//! Spreading of intervals, so that objects with the same interval do not all come at once.

use std::time::Duration;

/// Changes a duration by a random share of itself, in both directions. Source: fluxcd/pkg `runtime/jitter`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jitter {
    percentage: u8,
}

impl Jitter {
    /// Up to `percentage` percent (`--interval-jitter-percentage`); from 100 on it is none, as in Flux.
    pub fn percent(percentage: u8) -> Self {
        Self {
            percentage: if percentage < 100 { percentage } else { 0 },
        }
    }

    /// The duration, spread.
    pub fn apply(self, duration: Duration) -> Duration {
        if self.percentage == 0 {
            return duration;
        }
        let share = f64::from(self.percentage) / 100.0 * rand::random_range(-1.0..1.0);
        duration.mul_f64(1.0 + share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_within_the_share() {
        let minute = Duration::from_secs(60);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let spread = Jitter::percent(5).apply(minute);
            assert!((57.0..=63.0).contains(&spread.as_secs_f64()), "{spread:?}");
            seen.insert(spread);
        }
        assert!(seen.len() > 100);
        assert_eq!(Jitter::percent(0).apply(minute), minute);
        assert_eq!(Jitter::percent(100).apply(minute), minute);
    }
}
