//! Floats as Go prints them.

/// Splits the shortest decimal form into digits and exponent: `0.d1d2… × 10^exponent`.
fn digits(float: f64) -> (bool, String, i32) {
    let text = format!("{float:e}");
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.as_str()),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    (negative, mantissa.replace('.', ""), exponent)
}

fn scientific(negative: bool, digits: &str, exponent: i32, pad: bool) -> String {
    let sign = if negative { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    let size = exponent.unsigned_abs();
    if pad {
        format!("{sign}{first}{point}{rest}e{exponent_sign}{size:02}")
    } else {
        format!("{sign}{first}{point}{rest}e{exponent_sign}{size}")
    }
}

/// `strconv.FormatFloat(float, 'g', -1, 64)`, with YAML's words for what is not finite.
pub fn go_float(float: f64) -> String {
    shortest(float)
}

/// `strconv.FormatFloat(float, 'g', -1, 64)`.
pub(crate) fn shortest(float: f64) -> String {
    if !float.is_finite() {
        return match float {
            float if float.is_nan() => ".nan".to_owned(),
            float if float > 0.0 => ".inf".to_owned(),
            _ => "-.inf".to_owned(),
        };
    }
    let (negative, digits, exponent) = digits(float);
    // For the shortest form Go turns to exponents at the sixth digit.
    if !(-4..6).contains(&exponent) && float != 0.0 {
        return scientific(negative, &digits, exponent, true);
    }
    format!("{float}")
}

/// `strconv.FormatFloat(float, 'g', -1, 32)`, which keys of maps go through.
pub(crate) fn shortest_32(float: f64) -> String {
    let single = float as f32;
    if !single.is_finite() {
        return shortest(f64::from(single));
    }
    let text = format!("{single:e}");
    let value: f64 = text.parse().unwrap_or(float);
    shortest(value)
}

/// `strconv.FormatFloat(float, 'g', -1, 32)`, which numbers go through where texts are wanted.
pub fn go_float_32(float: f64) -> String {
    let single = float as f32;
    match single {
        single if single.is_nan() => "NaN".to_owned(),
        f32::INFINITY => "+Inf".to_owned(),
        f32::NEG_INFINITY => "-Inf".to_owned(),
        _ => shortest_32(float),
    }
}

/// A finite float as encoding/json writes it.
pub fn json_float(float: f64) -> String {
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let (negative, digits, exponent) = digits(float);
        return scientific(negative, &digits, exponent, false);
    }
    format!("{float}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_printed_as_in_go() {
        assert_eq!(shortest(1e20), "1e+20");
        assert_eq!(shortest(1e21), "1e+21");
        assert_eq!(shortest(123_456_789.0), "1.23456789e+08");
        assert_eq!(shortest(1e-5), "1e-05");
        assert_eq!(shortest(1_234_567.5), "1.2345675e+06");
        assert_eq!(shortest(100_000.0), "100000");
        assert_eq!(shortest(0.0001), "0.0001");
        assert_eq!(json_float(1e20), "100000000000000000000");
        assert_eq!(json_float(1e-7), "1e-7");
        assert_eq!(json_float(1.0), "1");
        assert_eq!(shortest_32(1.5), "1.5");
        assert_eq!(go_float_32(1.5e300), "+Inf");
        assert_eq!(go_float_32(123_456_789.5), "1.2345679e+08");
    }
}
