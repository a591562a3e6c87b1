//! Reading quantities.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

use super::amount::{Big, Small};
use super::{Amount, Format, NANO, Quantity, suffix};

/// Why a text is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It does not look like one.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    /// The number is none, or has too many digits.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// The suffix is none.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

/// The most digits a number may have, written out or through its exponent.
const MAX_DIGITS: usize = 20_000;
/// How many decimal digits always fit in 64 bits.
const SAFE_DIGITS: i32 = 18;

/// The parts of a quantity.
struct Parts<'a> {
    positive: bool,
    /// Sign, digits and point.
    number: &'a str,
    /// The digits before the point, without leading zeros; `0` if there are none.
    whole: &'a str,
    /// The digits after the point.
    fraction: &'a str,
    suffix: &'a str,
}

fn split(text: &str) -> Result<Parts<'_>, ParseError> {
    let bytes = text.as_bytes();
    let skip = |from: usize, good: fn(u8) -> bool| {
        from + bytes[from..].iter().take_while(|byte| good(**byte)).count()
    };
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let signed = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let start = skip(signed, |byte| byte == b'0');
    let positive = bytes.first() != Some(&b'-');
    if start == bytes.len() {
        return Ok(Parts {
            positive,
            number: "0",
            whole: "0",
            fraction: "",
            suffix: "",
        });
    }
    let whole_end = skip(start, is_digit);
    let mut number_end = whole_end;
    let mut fraction = "";
    if bytes.get(whole_end) == Some(&b'.') {
        number_end = skip(whole_end + 1, is_digit);
        fraction = &text[whole_end + 1..number_end];
    }
    let mut end = skip(number_end, |byte| b"eEinumkKMGTP".contains(&byte));
    if end < bytes.len() {
        end += usize::from(matches!(bytes[end], b'-' | b'+'));
        end = skip(end, is_digit);
    }
    if end < bytes.len() {
        return Err(ParseError::Format);
    }
    let whole = &text[start..whole_end];
    Ok(Parts {
        positive,
        number: &text[..number_end],
        whole: if whole.is_empty() { "0" } else { whole },
        fraction,
        suffix: &text[number_end..],
    })
}

pub(super) fn parse(text: &str) -> Result<Quantity, ParseError> {
    if text.is_empty() {
        return Err(ParseError::Format);
    }
    if text == "0" {
        let mut zero = Quantity::of(Small::default(), Format::DecimalSi);
        zero.text = Some(text.into());
        return Ok(zero);
    }
    let parts = split(text)?;
    let (base, exponent, format) = suffix::interpret(parts.suffix).ok_or(ParseError::Suffix)?;
    match fast(text, &parts, exponent, format)? {
        Some(quantity) => Ok(quantity),
        None => slow(&parts, base, exponent, format),
    }
}

/// Numbers whose digits fit in 64 bits together with what the suffix multiplies by.
fn fast(
    text: &str,
    parts: &Parts<'_>,
    exponent: i32,
    format: Format,
) -> Result<Option<Quantity>, ParseError> {
    let digits = parts.whole.len() + parts.fraction.len();
    if digits > SAFE_DIGITS as usize {
        return Ok(None);
    }
    let (mut scale, mut mantissa, mut precision) = (0_i32, 1_i64, -1);
    if format != Format::BinarySi {
        scale = exponent;
        precision = SAFE_DIGITS - digits as i32;
    } else if parts.fraction.is_empty() {
        mantissa = 1 << exponent;
        // 2^20 has some six decimal digits, and so on.
        precision = 15 - parts.whole.len() as i32 - exponent * 3 / 10 - 1;
    }
    scale = scale.wrapping_sub(parts.fraction.len() as i32);
    if precision < 0 || scale < NANO {
        return Ok(None);
    }
    let shifted = format!("{}{}", parts.whole, parts.fraction);
    let value: i64 = shifted.parse().map_err(|_| ParseError::Numeric)?;
    let Some(product) = value.checked_mul(mantissa) else {
        return Ok(None);
    };
    let is_canonical = if format == Format::BinarySi {
        exponent % 10 == 0 && value & 7 != 0
    } else {
        scale % 3 == 0 && !shifted.ends_with("000") && !shifted.starts_with('0')
    };
    let value = if parts.positive { product } else { -product };
    let mut quantity = Quantity::of(Small { value, scale }, format);
    if is_canonical {
        quantity.text = Some(text.into());
    }
    Ok(Some(quantity))
}

/// All other numbers: rounded up to billionths, and capped at 2⁶³−1 for powers of two.
fn slow(
    parts: &Parts<'_>,
    base: u32,
    exponent: i32,
    mut format: Format,
) -> Result<Quantity, ParseError> {
    let digits: String = parts
        .number
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(char::from)
        .collect();
    let is_huge = base == 10 && exponent > MAX_DIGITS as i32;
    if digits.is_empty() || digits.len() > MAX_DIGITS || is_huge {
        return Err(ParseError::Numeric);
    }
    let unscaled = digits.parse::<BigInt>().map_err(|_| ParseError::Numeric)?;
    let mut amount = Big {
        unscaled,
        exponent: -(parts.fraction.len() as i32),
    };
    if base == 10 {
        amount.exponent = amount.exponent.saturating_add(exponent);
    } else {
        amount.unscaled <<= exponent as usize;
    }
    // What is not zero stays above zero: who asks for very little gets the least there is.
    if amount.unscaled.sign() != Sign::NoSign {
        amount = amount.round_up(NANO);
    }
    if format == Format::BinarySi {
        let most = Big::from(i64::MAX);
        if amount.compare(&most) == Ordering::Greater {
            amount = most;
        }
        let is_fraction = amount.compare(&Big::from(1)) == Ordering::Less;
        if is_fraction && amount.unscaled.sign() == Sign::Plus {
            format = Format::DecimalSi;
        }
    }
    if !parts.positive {
        amount.unscaled = -amount.unscaled;
    }
    Ok(Quantity {
        amount: Amount::Big(amount),
        format,
        text: None,
    })
}
