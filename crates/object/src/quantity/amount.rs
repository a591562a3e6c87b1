//! The number of a quantity: 64 bits and a power of ten, or a number of any size and a power of ten.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};

/// Beyond so many digits of difference in size, the smaller summand is left out.
const MAX_ALIGNMENT: u32 = 40_000;

/// `value` × 10^`scale`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Small {
    pub(super) value: i64,
    pub(super) scale: i32,
}

impl Small {
    pub(super) fn to_big(self) -> Big {
        Big {
            unscaled: self.value.into(),
            exponent: self.scale,
        }
    }

    /// The number of 10^`scale`, rounded away from zero.
    ///
    /// Upstream quirk, kept: what does not fit is 0, or for some powers the lower bits.
    pub(super) fn scaled_value(self, scale: i32) -> i64 {
        let times = self.scale.abs_diff(scale);
        if self.scale < scale {
            return divide_up(self.value, times).0;
        }
        match multiply_up(self.value, times) {
            Some(value) => value,
            None if self.value != i64::MIN && matches!(times, 1..=3 | 6 | 9) => {
                self.value.wrapping_mul(10_i64.pow(times))
            }
            None => 0,
        }
    }

    /// The whole number, if it needs no rounding and fits.
    pub(super) fn whole(self) -> Option<i64> {
        if self.scale < 0 {
            return None;
        }
        multiply_up(self.value, self.scale.unsigned_abs())
    }

    /// Rounded away from zero to a multiple of 10^`scale`, and whether that changed nothing.
    pub(super) fn as_scale(self, scale: i32) -> (Self, bool) {
        if self.scale >= scale {
            return (self, true);
        }
        let (value, exact) = divide_up(self.value, scale.abs_diff(self.scale));
        (Self { value, scale }, exact)
    }

    pub(super) fn add(self, other: Self) -> Option<Self> {
        if other.value == 0 {
            return Some(self);
        }
        if self.value == 0 {
            return Some(other);
        }
        let scale = self.scale.min(other.scale);
        let left = multiply_up(self.value, self.scale.abs_diff(scale))?;
        let right = multiply_up(other.value, other.scale.abs_diff(scale))?;
        let value = left.checked_add(right)?;
        Some(Self { value, scale })
    }

    pub(super) fn multiply(self, factor: i64) -> Option<Self> {
        if self.value == 0 {
            return Some(self);
        }
        if factor == 0 {
            return Some(Self::default());
        }
        let value = self.value.checked_mul(factor)?;
        if self.scale > 0 {
            multiply_up(value, self.scale.unsigned_abs())?;
        }
        Some(Self { value, ..self })
    }

    /// Number and exponent, a multiple of three; `None` if the number does not fit.
    pub(super) fn canonical(self) -> Option<(i64, i64)> {
        let (mut value, mut exponent) = (self.value, i64::from(self.scale));
        while value >= 10 || value <= -10 {
            if value % 10 != 0 {
                break;
            }
            value /= 10;
            exponent += 1;
        }
        let shift = exponent.rem_euclid(3);
        let value = multiply_up(value, shift as u32)?;
        Some((value, exponent - shift))
    }
}

/// `value` × 10^`times`, if that fits.
fn multiply_up(value: i64, times: u32) -> Option<i64> {
    if value == 0 {
        return Some(0);
    }
    10_i64.checked_pow(times)?.checked_mul(value)
}

/// `value` / 10^`times` rounded away from zero, and whether it was exact.
fn divide_up(value: i64, times: u32) -> (i64, bool) {
    let Some(divisor) = 10_i64.checked_pow(times) else {
        return (value.signum(), value == 0);
    };
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest == 0 {
        (quotient, true)
    } else {
        (quotient + value.signum(), false)
    }
}

/// `unscaled` × 10^`exponent`.
#[derive(Debug, Clone, Default)]
pub(super) struct Big {
    pub(super) unscaled: BigInt,
    pub(super) exponent: i32,
}

impl From<i64> for Big {
    fn from(value: i64) -> Self {
        Self {
            unscaled: value.into(),
            exponent: 0,
        }
    }
}

impl Big {
    pub(super) fn magnitude(&self) -> Self {
        Self {
            unscaled: self.unscaled.magnitude().clone().into(),
            exponent: self.exponent,
        }
    }

    /// Rounded away from zero to a multiple of 10^`exponent`, with that exponent.
    ///
    /// A number whose exponent is far above is left as it is.
    pub(super) fn round_up(&self, exponent: i32) -> Self {
        let shift = self.exponent.abs_diff(exponent);
        if self.exponent >= exponent {
            if shift > MAX_ALIGNMENT {
                return self.clone();
            }
            return Self {
                unscaled: &self.unscaled * pow10(shift),
                exponent,
            };
        }
        let sign = BigInt::from(self.sign());
        if shift > self.digits() {
            return Self {
                unscaled: sign,
                exponent,
            };
        }
        let divisor = pow10(shift);
        let quotient = &self.unscaled / &divisor;
        let exact = &quotient * &divisor == self.unscaled;
        Self {
            unscaled: if exact { quotient } else { quotient + sign },
            exponent,
        }
    }

    fn sign(&self) -> i32 {
        match self.unscaled.sign() {
            Sign::Minus => -1,
            Sign::NoSign => 0,
            Sign::Plus => 1,
        }
    }

    /// The number of decimal digits, or one more or less.
    fn digits(&self) -> u32 {
        // 1233/4096 is nearly log10(2).
        (self.unscaled.bits().saturating_mul(1233) / 4096 + 1) as u32
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let order = self.sign().cmp(&other.sign());
        if order != Ordering::Equal || self.sign() == 0 {
            return order;
        }
        // Sizes that differ by orders of magnitude need no multiplication.
        let size = |big: &Self| i64::from(big.digits()) + i64::from(big.exponent);
        let difference = size(self) - size(other);
        if difference.abs() > 2 {
            let order = difference.cmp(&0);
            return if self.sign() > 0 {
                order
            } else {
                order.reverse()
            };
        }
        let (left, right, _) = self.align(other);
        left.cmp(&right)
    }

    /// Both numbers as multiples of the smaller power of ten.
    fn align(&self, other: &Self) -> (BigInt, BigInt, i32) {
        let exponent = self.exponent.min(other.exponent);
        let raise = |big: &Self| &big.unscaled * pow10(big.exponent.abs_diff(exponent));
        (raise(self), raise(other), exponent)
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        if other.sign() == 0 {
            return self.clone();
        }
        if self.sign() == 0 {
            return other.clone();
        }
        if self.exponent.abs_diff(other.exponent) > MAX_ALIGNMENT {
            let is_larger = self.magnitude().compare(&other.magnitude()) != Ordering::Less;
            return if is_larger {
                self.clone()
            } else {
                other.clone()
            };
        }
        let (left, right, exponent) = self.align(other);
        Self {
            unscaled: left + right,
            exponent,
        }
    }

    /// The number when the exponent is not negative.
    pub(super) fn whole(&self) -> BigInt {
        &self.unscaled * pow10(self.exponent.unsigned_abs().min(MAX_ALIGNMENT))
    }

    /// Number and exponent, a multiple of three.
    pub(super) fn canonical(&self) -> (BigInt, i64) {
        let (number, times) = remove_factors(self.unscaled.clone(), 10);
        let exponent = i64::from(self.exponent) + i64::from(times);
        let shift = exponent.rem_euclid(3);
        (number * pow10(shift as u32), exponent - shift)
    }

    /// The number of 10^`scale` in 64 bits, as upstream computes it: rounded up where there is a
    /// fraction, and cut to the lower bits where there is no room.
    pub(super) fn scaled_value(&self, scale: i32) -> i64 {
        let low = low_bits(&self.unscaled);
        let shift = self.exponent.abs_diff(scale);
        if self.exponent == scale {
            return low;
        }
        if self.exponent > scale {
            // Go converts a float that is too large to the smallest integer.
            let factor = 10_i64.checked_pow(shift).unwrap_or(i64::MIN);
            return low.wrapping_mul(factor);
        }
        if self.unscaled < BigInt::from(i64::MAX) && shift < 19 {
            let divisor = 10_i64.pow(shift);
            return low / divisor + i64::from(low % divisor != 0);
        }
        if shift > self.digits() {
            // Division rounds down and one is added: 1 for a positive number, 0 for a negative one.
            return i64::from(self.sign() > 0);
        }
        let divisor = pow10(shift);
        let mut quotient = &self.unscaled / &divisor;
        let rest = &self.unscaled - &quotient * &divisor;
        if rest.sign() == Sign::Minus {
            quotient -= 1;
        }
        let quotient = low_bits(&quotient);
        if rest.sign() == Sign::NoSign {
            quotient
        } else {
            quotient.wrapping_add(1)
        }
    }
}

/// The lower 64 bits of the magnitude with the sign (`big.Int.Int64`).
fn low_bits(number: &BigInt) -> i64 {
    let low = number.magnitude().iter_u64_digits().next().unwrap_or(0) as i64;
    if number.sign() == Sign::Minus {
        low.wrapping_neg()
    } else {
        low
    }
}

fn pow10(exponent: u32) -> BigInt {
    BigUint::from(10_u32).pow(exponent).into()
}

/// Divides by `factor` while that goes; how often it went.
pub(super) fn remove_factors(mut number: BigInt, factor: u32) -> (BigInt, u32) {
    let mut times = 0;
    while number.sign() != Sign::NoSign {
        let quotient = &number / factor;
        if &quotient * factor != number {
            break;
        }
        number = quotient;
        times += 1;
    }
    (number, times)
}

/// Go's `math.Pow10`: the product of two table entries.
pub(super) fn float_pow10(exponent: i32) -> f64 {
    let entry = |exponent: i32| format!("1e{exponent}").parse::<f64>().unwrap_or(f64::NAN);
    match exponent {
        0..=308 => entry(exponent / 32 * 32) * entry(exponent % 32),
        -323..0 => entry(exponent / 32 * 32) / entry(-exponent % 32),
        ..0 => 0.0,
        _ => f64::INFINITY,
    }
}
