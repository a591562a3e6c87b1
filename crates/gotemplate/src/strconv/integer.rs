//! Integers read from text: Go's `strconv.ParseInt` and `ParseUint`.

/// Why text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseNumberError {
    /// Not written like a number.
    #[error("invalid syntax")]
    Syntax,
    /// Beyond what the type holds.
    #[error("value out of range")]
    Range,
}

/// Reads an unsigned integer. Base 0 takes the base from the prefix (`0x`, `0o`, `0b`, `0`) and allows
/// underscores.
pub fn parse_uint(text: &[u8], base: u32) -> Result<u64, ParseNumberError> {
    let mut digits = text;
    let mut radix = base;
    if base == 0 {
        radix = 10;
        if digits.first() == Some(&b'0') {
            let prefix = |digits: &[u8]| digits.get(1).map(u8::to_ascii_lowercase);
            (radix, digits) = match prefix(digits) {
                Some(b'b') if digits.len() >= 3 => (2, &digits[2..]),
                Some(b'o') if digits.len() >= 3 => (8, &digits[2..]),
                Some(b'x') if digits.len() >= 3 => (16, &digits[2..]),
                _ => (8, &digits[1..]),
            };
        }
    }
    if text.is_empty() {
        return Err(ParseNumberError::Syntax);
    }
    let mut value: u64 = 0;
    let mut overflow = false;
    let mut underscores = false;
    for byte in digits {
        if *byte == b'_' && base == 0 {
            underscores = true;
            continue;
        }
        let digit = char::from(*byte)
            .to_digit(36)
            .filter(|digit| *digit < radix)
            .ok_or(ParseNumberError::Syntax)?;
        if overflow {
            // Go stops at the first overflow: what follows is not looked at.
            break;
        }
        match value
            .checked_mul(u64::from(radix))
            .and_then(|value| value.checked_add(u64::from(digit)))
        {
            Some(next) => value = next,
            None => return Err(ParseNumberError::Range),
        }
        overflow = false;
    }
    if underscores && !underscores_are_well_placed(text) {
        return Err(ParseNumberError::Syntax);
    }
    Ok(value)
}

/// Reads a signed integer; see [`parse_uint`]. A value out of range errs.
pub fn parse_int(text: &[u8], base: u32) -> Result<i64, ParseNumberError> {
    let (negative, digits) = match text.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let value = parse_uint(digits, base)?;
    if negative {
        if value > 1 << 63 {
            return Err(ParseNumberError::Range);
        }
        Ok((value as i64).wrapping_neg())
    } else {
        i64::try_from(value).map_err(|_| ParseNumberError::Range)
    }
}

/// Whether each underscore stands between digits, or between base prefix and digit.
pub(crate) fn underscores_are_well_placed(text: &[u8]) -> bool {
    let mut rest = text;
    if let Some(b'-' | b'+') = rest.first() {
        rest = &rest[1..];
    }
    let mut saw = b'^';
    let mut hex = false;
    if rest.len() >= 2
        && rest[0] == b'0'
        && matches!(rest[1].to_ascii_lowercase(), b'b' | b'o' | b'x')
    {
        hex = rest[1].eq_ignore_ascii_case(&b'x');
        saw = b'0';
        rest = &rest[2..];
    }
    for byte in rest {
        if byte.is_ascii_digit() || (hex && byte.is_ascii_hexdigit()) {
            saw = b'0';
        } else if *byte == b'_' {
            if saw != b'0' {
                return false;
            }
            saw = b'_';
        } else {
            if saw == b'_' {
                return false;
            }
            saw = b'!';
        }
    }
    saw != b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_and_ranges() {
        assert_eq!(parse_int(b"0x_1f", 0), Ok(31));
        assert_eq!(parse_int(b"-0b101", 0), Ok(-5));
        assert_eq!(parse_int(b"017", 0), Ok(15));
        assert_eq!(parse_int(b"1__0", 0), Err(ParseNumberError::Syntax));
        assert_eq!(
            parse_int(b"9223372036854775808", 10),
            Err(ParseNumberError::Range)
        );
        assert_eq!(parse_int(b"-9223372036854775808", 10), Ok(i64::MIN));
        assert_eq!(parse_uint(b"08", 0), Err(ParseNumberError::Syntax));
        assert_eq!(parse_uint(b"0", 0), Ok(0));
        assert_eq!(parse_uint(b"", 10), Err(ParseNumberError::Syntax));
    }
}
