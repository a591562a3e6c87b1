//! Floating-point numbers read from and written to text as Go does.

use super::integer::{ParseNumberError, underscores_are_well_placed};

/// How a float is written: the letters of Go's `strconv.FormatFloat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatFormat {
    /// `-d.dddde±dd`
    Exponent,
    /// `-ddd.dddd`
    Fixed,
    /// The exponent form for small and large exponents, else the fixed form.
    General,
    /// `-0x1.yyyyp±dd`
    Hex,
    /// `-ddddp±ddd`
    Binary,
}

/// The decimal digits of a positive number, without leading or trailing zeros: `0.d1d2d3… × 10^point`.
struct Decimal {
    digits: Vec<u8>,
    point: i32,
}

/// Appends `value` in `format`. `precision` as in Go: digits after the point (significant digits for the
/// general form); `None` for the fewest that read back the same.
pub fn append_float(out: &mut Vec<u8>, value: f64, format: FloatFormat, precision: Option<usize>) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return;
    }
    if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    match format {
        FloatFormat::Binary => append_binary(out, value),
        FloatFormat::Hex => append_hex(out, value, precision),
        FloatFormat::Exponent => {
            let digits =
                precision.map_or_else(|| shortest(value), |digits| rounded(value, digits + 1));
            let shown = precision.unwrap_or(digits.digits.len().max(1) - 1);
            append_exponent(out, &digits, shown);
        }
        FloatFormat::Fixed => match precision {
            Some(precision) => out.extend_from_slice(format!("{value:.precision$}").as_bytes()),
            None => append_fixed(out, &shortest(value)),
        },
        FloatFormat::General => append_general(out, value, precision),
    }
}

fn append_general(out: &mut Vec<u8>, value: f64, precision: Option<usize>) {
    let decimal = match precision {
        None => shortest(value),
        Some(digits) => rounded(value, digits.max(1)),
    };
    let count = decimal.digits.len() as i32;
    // The exponent from which the exponent form is used.
    let limit = match precision {
        None => 6,
        Some(precision) => {
            let precision = precision.max(1) as i32;
            if precision > count && count >= decimal.point {
                count
            } else {
                precision
            }
        }
    };
    let exponent = decimal.point - 1;
    if exponent < -4 || exponent >= limit {
        append_exponent(out, &decimal, (count.max(1) - 1) as usize);
    } else {
        append_fixed(out, &decimal);
    }
}

/// The digits of the shortest text that reads back as `value`.
fn shortest(value: f64) -> Decimal {
    from_exponent_text(&format!("{value:e}"))
}

/// `value` rounded to `digits` significant digits, half to even on the exact value.
fn rounded(value: f64, digits: usize) -> Decimal {
    let after_point = digits.max(1) - 1;
    from_exponent_text(&format!("{value:.after_point$e}"))
}

fn from_exponent_text(text: &str) -> Decimal {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    if digits.is_empty() {
        return Decimal { digits, point: 0 };
    }
    let exponent: i32 = exponent.parse().unwrap_or(0);
    Decimal {
        digits,
        point: exponent + 1,
    }
}

fn append_exponent(out: &mut Vec<u8>, decimal: &Decimal, after_point: usize) {
    out.push(decimal.digits.first().copied().unwrap_or(b'0'));
    if after_point > 0 {
        out.push(b'.');
        for index in 1..=after_point {
            out.push(decimal.digits.get(index).copied().unwrap_or(b'0'));
        }
    }
    let exponent = if decimal.digits.is_empty() {
        0
    } else {
        decimal.point - 1
    };
    out.push(b'e');
    out.push(if exponent < 0 { b'-' } else { b'+' });
    out.extend_from_slice(format!("{:02}", exponent.unsigned_abs()).as_bytes());
}

fn append_fixed(out: &mut Vec<u8>, decimal: &Decimal) {
    if decimal.point > 0 {
        for index in 0..decimal.point as usize {
            out.push(decimal.digits.get(index).copied().unwrap_or(b'0'));
        }
    } else {
        out.push(b'0');
    }
    let count = decimal.digits.len() as i32;
    if count > decimal.point {
        out.push(b'.');
        out.resize(
            out.len() + decimal.point.min(0).unsigned_abs() as usize,
            b'0',
        );
        out.extend_from_slice(&decimal.digits[decimal.point.max(0) as usize..]);
    }
}

fn append_binary(out: &mut Vec<u8>, value: f64) {
    let (mantissa, exponent) = parts(value);
    out.extend_from_slice(format!("{mantissa}p{exponent:+}").as_bytes());
}

/// Mantissa and binary exponent: `value = mantissa × 2^exponent`.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let biased = (bits >> 52 & 0x7FF) as i32;
    if biased == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, biased - 1075)
    }
}

fn append_hex(out: &mut Vec<u8>, value: f64, precision: Option<usize>) {
    let (mantissa, exponent) = parts(value);
    let mut exponent = if mantissa == 0 { 0 } else { exponent + 52 };
    // The mantissa with the leading 1 at bit 60, so that fifteen hexadecimal digits follow it.
    let mut mantissa = mantissa << 8;
    while mantissa != 0 && mantissa & 1 << 60 == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision) = precision.filter(|precision| *precision < 15) {
        let shift = precision * 4;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & 1 << 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    out.extend_from_slice(b"0x");
    out.push(b'0' + (mantissa >> 60 & 1) as u8);
    let mut fraction = mantissa << 4;
    let shown = precision.unwrap_or(15);
    if (precision.is_none() && fraction != 0) || shown > 0 && precision.is_some() {
        out.push(b'.');
        for _ in 0..shown {
            if precision.is_none() && fraction == 0 {
                break;
            }
            out.push(b"0123456789abcdef"[(fraction >> 60 & 15) as usize]);
            fraction <<= 4;
        }
    }
    out.push(b'p');
    out.push(if exponent < 0 { b'-' } else { b'+' });
    out.extend_from_slice(format!("{:02}", exponent.unsigned_abs()).as_bytes());
}

/// Reads a float: decimal or hexadecimal, with underscores where Go's literals allow them, `inf`, `nan`.
/// Out of range errs.
pub fn parse_float(text: &[u8]) -> Result<f64, ParseNumberError> {
    let lower = text.to_ascii_lowercase();
    let (negative, unsigned) = match lower.first() {
        Some(b'-') => (true, &lower[1..]),
        Some(b'+') => (false, &lower[1..]),
        _ => (false, &lower[..]),
    };
    let signed = |value: f64| if negative { -value } else { value };
    match unsigned {
        b"inf" | b"infinity" => return Ok(signed(f64::INFINITY)),
        b"nan" if unsigned.len() == lower.len() => return Ok(f64::NAN),
        _ => {}
    }
    let hex = unsigned.len() > 2 && unsigned.starts_with(b"0x");
    if unsigned.contains(&b'_') && !underscores_are_well_placed(text) {
        return Err(ParseNumberError::Syntax);
    }
    let digits: Vec<u8> = unsigned
        .iter()
        .copied()
        .filter(|byte| *byte != b'_')
        .collect();
    if hex {
        return parse_hex(&digits[2..]).map(signed);
    }
    let well_formed = digits
        .iter()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-'));
    let value: f64 = std::str::from_utf8(&digits)
        .ok()
        .filter(|_| well_formed && !digits.is_empty() && !matches!(digits[0], b'+' | b'-'))
        .and_then(|digits| digits.parse().ok())
        .ok_or(ParseNumberError::Syntax)?;
    if value.is_infinite() {
        return Err(ParseNumberError::Range);
    }
    Ok(signed(value))
}

/// Reads the part of a hexadecimal float after `0x`; the exponent is required.
fn parse_hex(text: &[u8]) -> Result<f64, ParseNumberError> {
    let split = text
        .iter()
        .position(|byte| *byte == b'p')
        .ok_or(ParseNumberError::Syntax)?;
    let (mantissa, exponent) = (&text[..split], &text[split + 1..]);
    let exponent = std::str::from_utf8(exponent)
        .ok()
        .and_then(|exponent| exponent.parse::<i64>().ok())
        .ok_or(ParseNumberError::Syntax)?
        .clamp(-100_000, 100_000) as i32;
    let mut value: u128 = 0;
    let mut scale: i32 = 0;
    let (mut dot, mut digits) = (false, false);
    for byte in mantissa {
        if *byte == b'.' && !dot {
            dot = true;
            continue;
        }
        let digit = char::from(*byte)
            .to_digit(16)
            .ok_or(ParseNumberError::Syntax)?;
        digits = true;
        if value >> 120 == 0 {
            value = value << 4 | u128::from(digit);
            scale -= if dot { 4 } else { 0 };
        } else {
            value |= u128::from(digit != 0);
            scale += if dot { 0 } else { 4 };
        }
    }
    if !digits {
        return Err(ParseNumberError::Syntax);
    }
    let result = scale_by_power_of_two(value, exponent.saturating_add(scale));
    if result.is_infinite() {
        return Err(ParseNumberError::Range);
    }
    Ok(result)
}

/// `value × 2^exponent`, rounded once, half to even.
fn scale_by_power_of_two(value: u128, exponent: i32) -> f64 {
    if value == 0 {
        return 0.0;
    }
    let top = 127 - value.leading_zeros() as i32 + exponent;
    if top > 1023 {
        return f64::INFINITY;
    }
    // The lowest bit that the result can hold.
    let lowest = (top - 52).max(-1074);
    let shift = lowest - exponent;
    let mut mantissa = if shift <= 0 {
        value << (-shift).min(127)
    } else if shift > 127 {
        0
    } else {
        let kept = value >> shift;
        let rest = value & ((1 << shift) - 1);
        let half = 1_u128 << (shift - 1);
        kept + u128::from(rest > half || (rest == half && kept & 1 == 1))
    } as f64;
    let mut power = lowest;
    while power > 0 {
        let step = power.min(1000);
        mantissa *= 2_f64.powi(step);
        power -= step;
    }
    while power < 0 {
        let step = power.max(-1000);
        mantissa *= 2_f64.powi(step);
        power -= step;
    }
    mantissa
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(value: f64, format: FloatFormat, precision: Option<usize>) -> String {
        let mut out = Vec::new();
        append_float(&mut out, value, format, precision);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_like_go() {
        use FloatFormat::{Binary, Exponent, Fixed, General, Hex};
        for (value, format, precision, want) in [
            (100_000.0, General, None, "100000"),
            (1_000_000.0, General, None, "1e+06"),
            (0.0001, General, None, "0.0001"),
            (0.00001, General, None, "1e-05"),
            (123_456_789.0, General, Some(6), "1.23457e+08"),
            (100.0, General, Some(3), "100"),
            (1.5, Exponent, None, "1.5e+00"),
            (0.0, Exponent, Some(2), "0.00e+00"),
            (2.5, Fixed, Some(0), "2"),
            (0.05, Fixed, None, "0.05"),
            (1.0, Hex, None, "0x1p+00"),
            (-2.75, Hex, None, "-0x1.6p+01"),
            (1.0, Binary, None, "4503599627370496p-52"),
        ] {
            assert_eq!(show(value, format, precision), want);
        }
    }

    #[test]
    fn reads_like_go() {
        assert_eq!(parse_float(b"1e3"), Ok(1000.0));
        assert_eq!(parse_float(b"0x1.8p1"), Ok(3.0));
        assert_eq!(parse_float(b"0x1p-1074"), Ok(5e-324));
        assert_eq!(parse_float(b"1_000.5"), Ok(1000.5));
        assert_eq!(parse_float(b".5"), Ok(0.5));
        assert_eq!(parse_float(b"5."), Ok(5.0));
        for bad in [&b""[..], b".", b"1e", b"0x1", b"1__0", b"--1", b"e5", b"1 "] {
            assert_eq!(parse_float(bad), Err(ParseNumberError::Syntax));
        }
        assert_eq!(parse_float(b"1e999"), Err(ParseNumberError::Range));
    }
}
