//! Quantities such as `500m` or `1.5Gi`, exact to a billionth.
//!
//! Source: apimachinery `pkg/api/resource`.

use std::cmp::Ordering;

const NANO: i128 = 1_000_000_000;
/// Larger amounts are cut to this when they are read.
const MAX: i128 = i64::MAX as i128 * NANO;

/// An amount in billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

const FORMAT: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

fn suffix_scale(suffix: &str) -> Option<(i128, i32)> {
    // (binary factor, power of ten)
    Some(match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => {
            let digits = suffix.strip_prefix(['e', 'E'])?;
            let power: i32 = digits.parse().ok()?;
            (1, power)
        }
    })
}

impl Quantity {
    /// A whole number.
    pub fn from_i64(number: i64) -> Self {
        Self(i128::from(number) * NANO)
    }

    /// Reads a quantity. The error is that of the API server.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err(FORMAT.to_owned());
        }
        let (negative, rest) = match text.as_bytes()[0] {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (digits, suffix) = rest.split_at(end);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if fraction.contains('.') || whole.is_empty() && fraction.is_empty() {
            return Err(FORMAT.to_owned());
        }
        let Some((factor, power)) = suffix_scale(suffix) else {
            let is_known = suffix
                .bytes()
                .all(|byte| b"eEinumkKMGTP+-0123456789".contains(&byte));
            return Err(if is_known {
                "unable to parse quantity's suffix".to_owned()
            } else {
                FORMAT.to_owned()
            });
        };
        let mut amount = scaled(whole, fraction, factor, power)
            .unwrap_or(MAX)
            .min(MAX);
        if negative {
            amount = -amount;
        }
        Ok(Self(amount))
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// -1, 0 or 1.
    pub fn sign(self) -> i64 {
        self.0.signum() as i64
    }

    /// -1, 0 or 1.
    pub fn compare(self, other: Self) -> i64 {
        match self.0.cmp(&other.0) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }

    /// The amount if it is a whole number.
    pub fn as_i64(self) -> Option<i64> {
        (self.0 % NANO == 0)
            .then(|| i64::try_from(self.0 / NANO).ok())
            .flatten()
    }

    /// The amount, as nearly as a float has it.
    pub fn as_f64(self) -> f64 {
        if self.0 % NANO == 0 {
            (self.0 / NANO) as f64
        } else {
            self.0 as f64 / NANO as f64
        }
    }
}

/// Billionths of `whole.fraction × factor × 10^power`, rounded up; `None` if it is too large.
fn scaled(whole: &str, fraction: &str, factor: i128, power: i32) -> Option<i128> {
    let mut digits = format!("{whole}{fraction}");
    let trimmed = digits.trim_start_matches('0');
    if trimmed.is_empty() {
        return Some(0);
    }
    digits = trimmed.to_owned();
    // The value is digits × 10^exponent billionths.
    let exponent = i64::from(power) + 9 - fraction.len() as i64;
    if digits.len() > 60 || exponent > 60 {
        return None;
    }
    let mut rest_is_zero = true;
    let mut exponent = exponent;
    // Digits far below a billionth of a binary unit only matter for rounding.
    while digits.len() > 30 && exponent < 0 {
        rest_is_zero &= digits.ends_with('0');
        digits.pop();
        exponent += 1;
    }
    let mut amount: i128 = digits.parse().ok()?;
    amount = amount.checked_mul(factor)?;
    if exponent >= 0 {
        return amount.checked_mul(10_i128.checked_pow(exponent as u32)?);
    }
    let Some(divisor) = 10_i128.checked_pow(exponent.unsigned_abs() as u32) else {
        return Some(1);
    };
    let is_exact = amount % divisor == 0 && rest_is_zero;
    Some(amount / divisor + i128::from(!is_exact))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_compared_across_units() {
        let parse = |text: &str| Quantity::parse(text).unwrap();
        assert_eq!(parse("1Ki"), parse("1024"));
        assert_eq!(parse("0.5"), parse("500m"));
        assert_eq!(parse("1e3"), parse("1k"));
        assert!(parse("50Mi") > parse("50M"));
        assert_eq!(parse("1.5Gi").as_i64(), Some(1_610_612_736));
        assert_eq!(parse("100m").as_i64(), None);
        assert_eq!(parse("-5").sign(), -1);
        assert!(Quantity::parse("Three Gi").is_err());
        assert!(Quantity::parse("1Xi").is_err());
    }
}
