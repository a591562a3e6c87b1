//! Decimal arithmetic on floats, so that 0.1 + 0.2 is 0.3: shopspring/decimal as sprig uses it.

use num_bigint::{BigInt, Sign};

use crate::function::CallError;
use crate::strconv::{FloatFormat, append_float};
use crate::text::lossy;

/// Decimals of a quotient.
const DIVISION_PRECISION: i64 = 16;

/// `value × 10^exponent`.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    value: BigInt,
    exponent: i64,
}

fn power_of_ten(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}

impl Decimal {
    /// The shortest decimal that reads back as `number`.
    pub(super) fn from_float(number: f64) -> Result<Decimal, CallError> {
        if !number.is_finite() {
            let mut text = Vec::new();
            append_float(&mut text, number, FloatFormat::General, None);
            return Err(CallError::new(format!(
                "Cannot create a Decimal from {}",
                lossy(&text)
            )));
        }
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let decimals = mantissa
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len() as i64);
        let digits: String = mantissa.chars().filter(|char| *char != '.').collect();
        Ok(Decimal {
            value: digits.parse().unwrap_or_default(),
            exponent: exponent.parse::<i64>().unwrap_or(0) - decimals,
        })
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        format!("{}e{}", self.value, self.exponent)
            .parse()
            .unwrap_or(0.0)
    }

    fn aligned(&self, other: &Decimal) -> (BigInt, BigInt, i64) {
        let exponent = self.exponent.min(other.exponent);
        let scale = |decimal: &Decimal| &decimal.value * power_of_ten(decimal.exponent - exponent);
        (scale(self), scale(other), exponent)
    }

    pub(super) fn add(&self, other: &Decimal) -> Decimal {
        let (left, right, exponent) = self.aligned(other);
        Decimal {
            value: left + right,
            exponent,
        }
    }

    pub(super) fn subtract(&self, other: &Decimal) -> Decimal {
        let (left, right, exponent) = self.aligned(other);
        Decimal {
            value: left - right,
            exponent,
        }
    }

    pub(super) fn multiply(&self, other: &Decimal) -> Decimal {
        Decimal {
            value: &self.value * &other.value,
            exponent: self.exponent + other.exponent,
        }
    }

    /// The quotient with sixteen decimals, halves away from zero.
    pub(super) fn divide(&self, other: &Decimal) -> Result<Decimal, CallError> {
        if other.value.sign() == Sign::NoSign {
            return Err(CallError::new("decimal division by 0"));
        }
        let shift = self.exponent - other.exponent + DIVISION_PRECISION;
        let (dividend, divisor) = if shift < 0 {
            (self.value.clone(), &other.value * power_of_ten(-shift))
        } else {
            (&self.value * power_of_ten(shift), other.value.clone())
        };
        let mut quotient = &dividend / &divisor;
        let rest = &dividend % &divisor;
        if rest.magnitude() * 2_u32 >= *divisor.magnitude() {
            let negative =
                (self.value.sign() == Sign::Minus) != (other.value.sign() == Sign::Minus);
            quotient += if negative { -1 } else { 1 };
        }
        Ok(Decimal {
            value: quotient,
            exponent: -DIVISION_PRECISION,
        })
    }
}
