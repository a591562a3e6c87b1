//! A least and a greatest number, of sizes and costs.

/// From `min` to `max`; the greatest number stands for all beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Range {
    /// Nothing is known.
    pub(crate) const UNKNOWN: Self = Self {
        min: 0,
        max: u64::MAX,
    };

    pub(crate) const fn fixed(number: u64) -> Self {
        Self {
            min: number,
            max: number,
        }
    }

    /// The range that a union with another leaves as the other.
    pub(crate) const fn none() -> Self {
        Self {
            min: u64::MAX,
            max: 0,
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            min: self.min.saturating_add(other.min),
            max: self.max.saturating_add(other.max),
        }
    }

    pub(crate) fn times(self, other: Self) -> Self {
        Self {
            min: self.min.saturating_mul(other.min),
            max: self.max.saturating_mul(other.max),
        }
    }

    /// Rounded up.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        let scale = |number: u64| (number as f64 * factor).ceil() as u64;
        Self {
            min: scale(self.min),
            max: if self.max == u64::MAX && factor > 0.0 && factor < 1.0 {
                (self.max as f64 * factor).ceil() as u64
            } else {
                scale(self.max)
            },
        }
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}
