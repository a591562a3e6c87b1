//! Amounts of resources: `100m`, `1.5Gi`, `12e6`.
//!
//! A quantity is exact: a whole number times a power of ten. It remembers the form it was written in
//! and prints in the canonical form of that family. Source: apimachinery `api/resource` (v0.35);
//! its odd corners (values that overflow, exponents without a suffix) are kept, because the numbers
//! reach users and clients. Known difference: a number of more than 20 000 digits, written out or
//! through its exponent, is an error here, where upstream computes on.

mod amount;
mod parse;
mod suffix;

use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, Sign};
use serde_json::Value;

use amount::{Big, Small};

pub use parse::ParseError;

/// The family of suffixes in which a quantity prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// `12e6`.
    #[default]
    DecimalExponent,
    /// `12Mi`.
    BinarySi,
    /// `12M`.
    DecimalSi,
}

impl Format {
    /// The name of the format in Go.
    pub fn name(self) -> &'static str {
        match self {
            Self::DecimalExponent => "DecimalExponent",
            Self::BinarySi => "BinarySI",
            Self::DecimalSi => "DecimalSI",
        }
    }
}

/// The power of ten of thousandths, for [`Quantity::scaled_value`].
pub const MILLI: i32 = -3;
const NANO: i32 = -9;

#[derive(Debug, Clone)]
enum Amount {
    Small(Small),
    Big(Big),
}

/// An exact amount and the form it prints in.
///
/// Equality and order are those of the amounts: `1000m`, `1` and `1e0` are equal.
#[derive(Debug, Clone)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// The text it was read from, if that was canonical already.
    text: Option<Box<str>>,
}

impl Default for Quantity {
    fn default() -> Self {
        Self::of(Small::default(), Format::default())
    }
}

impl std::str::FromStr for Quantity {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse::parse(text)
    }
}

impl Quantity {
    fn of(small: Small, format: Format) -> Self {
        Self {
            amount: Amount::Small(small),
            format,
            text: None,
        }
    }

    /// A whole number.
    pub fn new(value: i64, format: Format) -> Self {
        Self::scaled(value, 0, format)
    }

    /// A number of thousandths.
    pub fn new_milli(value: i64, format: Format) -> Self {
        Self::scaled(value, MILLI, format)
    }

    /// `value` × 10^`scale`.
    pub fn scaled(value: i64, scale: i32, format: Format) -> Self {
        Self::of(Small { value, scale }, format)
    }

    /// Reads a quantity.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text)
    }

    /// Reads a quantity in JSON: a text, a number, or `null` for nothing. White space around a text
    /// is ignored.
    pub fn from_json(value: &Value) -> Result<Self, ParseError> {
        match value {
            Value::Null => Ok(Self::default()),
            // Upstream looks at the raw text between the quotes, where escapes match no quantity.
            Value::String(text) if text.chars().any(|c| c < ' ' || matches!(c, '"' | '\\')) => {
                Err(ParseError::Format)
            }
            Value::String(text) => Self::parse(text.trim()),
            Value::Number(_) => Self::parse(&crate::goprint::json(value)),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(ParseError::Format),
        }
    }

    /// As it stands in JSON: a text in canonical form.
    pub fn to_json(&self) -> Value {
        Value::String(self.to_string())
    }

    /// The form it prints in.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.sign() == 0
    }

    /// −1, 0 or 1.
    pub fn sign(&self) -> i32 {
        match &self.amount {
            Amount::Small(small) => small.value.signum() as i32,
            Amount::Big(big) => match big.unscaled.sign() {
                Sign::Minus => -1,
                Sign::NoSign => 0,
                Sign::Plus => 1,
            },
        }
    }

    /// The whole number, rounded away from zero (`Value`). What does not fit gives an arbitrary number,
    /// the same as upstream.
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// The number of thousandths, rounded away from zero (`MilliValue`); see [`Self::value`].
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(MILLI)
    }

    /// The number of 10^`scale`, rounded away from zero (`ScaledValue`); see [`Self::value`].
    pub fn scaled_value(&self, scale: i32) -> i64 {
        match &self.amount {
            Amount::Small(small) => small.scaled_value(scale),
            Amount::Big(big) => big.scaled_value(scale),
        }
    }

    /// The value, if it is a whole number that needs no rounding and was never too large for a fast
    /// representation (`AsInt64`).
    pub fn as_i64(&self) -> Option<i64> {
        match &self.amount {
            Amount::Small(small) => small.whole(),
            Amount::Big(_) => None,
        }
    }

    /// The value as a float, not the nearest one (`AsApproximateFloat64`).
    pub fn as_approximate_f64(&self) -> f64 {
        let (base, exponent) = match &self.amount {
            Amount::Small(small) => (small.value as f64, small.scale),
            Amount::Big(big) => (
                big.unscaled.to_string().parse().unwrap_or(f64::INFINITY),
                big.exponent,
            ),
        };
        if exponent == 0 {
            base
        } else {
            base * amount::float_pow10(exponent)
        }
    }

    /// Rounds away from zero to a multiple of 10^`scale`; says whether that changed nothing (`RoundUp`).
    pub fn round_up(&mut self, scale: i32) -> bool {
        match &mut self.amount {
            Amount::Small(small) if small.scale >= scale => true,
            Amount::Small(small) => {
                self.text = None;
                let (rounded, exact) = small.as_scale(scale);
                *small = rounded;
                exact
            }
            Amount::Big(big) => {
                self.text = None;
                let rounded = big.round_up(scale);
                let exact = rounded.compare(big) == Ordering::Equal;
                *big = rounded;
                exact
            }
        }
    }

    /// Adds `other`; a zero takes its form from it.
    pub fn add(&mut self, other: &Self) {
        self.text = None;
        if self.is_zero() {
            self.format = other.format;
        }
        if let (Amount::Small(left), Amount::Small(right)) = (&self.amount, &other.amount)
            && let Some(sum) = left.add(*right)
        {
            self.amount = Amount::Small(sum);
            return;
        }
        self.amount = Amount::Big(self.big().add(&other.big()));
    }

    /// Subtracts `other`; a zero takes its form from it.
    pub fn sub(&mut self, other: &Self) {
        let mut negative = other.clone();
        negative.negate();
        self.add(&negative);
    }

    /// Multiplies; says whether the result still fits in 64 bits before its power of ten (`Mul`).
    pub fn multiply(&mut self, factor: i64) -> bool {
        self.text = None;
        if let Amount::Small(small) = &self.amount
            && let Some(product) = small.multiply(factor)
        {
            self.amount = Amount::Small(product);
            return true;
        }
        let mut big = self.big();
        big.unscaled *= factor;
        let fits = i64::try_from(&big.unscaled).is_ok();
        self.amount = Amount::Big(big);
        fits
    }

    /// Turns the sign around.
    pub fn negate(&mut self) {
        self.text = None;
        match &mut self.amount {
            Amount::Small(small) => match small.value.checked_neg() {
                Some(value) => small.value = value,
                None => {
                    let mut big = small.to_big();
                    big.unscaled = -big.unscaled;
                    self.amount = Amount::Big(big);
                }
            },
            Amount::Big(big) => big.unscaled = -std::mem::take(&mut big.unscaled),
        }
    }

    fn big(&self) -> Big {
        match &self.amount {
            Amount::Small(small) => small.to_big(),
            Amount::Big(big) => big.clone(),
        }
    }

    /// The format that loses nothing, and for powers of 1024 the number that is to be printed.
    fn printed_format(&self) -> (Format, Option<BigInt>) {
        if self.format != Format::BinarySi {
            return (self.format, None);
        }
        let big = self.big();
        let limit = Big::from(1024);
        if big.magnitude().compare(&limit) == Ordering::Less {
            return (Format::DecimalSi, None);
        }
        let rounded = big.round_up(0);
        if rounded.compare(&big) == Ordering::Equal {
            (Format::BinarySi, Some(rounded.whole()))
        } else {
            (Format::DecimalSi, None)
        }
    }
}

/// The canonical form.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return f.write_str(text);
        }
        if self.is_zero() {
            return f.write_str("0");
        }
        let (format, whole) = self.printed_format();
        if let Some(whole) = whole {
            let (number, times) = amount::remove_factors(whole, 1024);
            return write!(f, "{number}{}", suffix::binary(times));
        }
        let (number, exponent) = match &self.amount {
            Amount::Small(small) => match small.canonical() {
                Some((number, exponent)) => {
                    return write!(f, "{number}{}", suffix::decimal(exponent, format));
                }
                None => small.to_big().canonical(),
            },
            Amount::Big(big) => big.canonical(),
        };
        write!(f, "{number}{}", suffix::decimal(exponent, format))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Amount::Small(left), Amount::Small(right)) = (&self.amount, &other.amount)
            && left.scale == right.scale
        {
            return left.value.cmp(&right.value);
        }
        self.big().compare(&other.big())
    }
}

#[cfg(test)]
mod tests;
