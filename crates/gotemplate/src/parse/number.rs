//! Number literals: all the types that one may be read as.

use crate::strconv::{Unquoted, parse_float, parse_int, parse_uint, quote, unquote_char};

/// A numeric literal with each type it fits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Number {
    /// As a signed integer.
    pub int: Option<i64>,
    /// As an unsigned integer.
    pub uint: Option<u64>,
    /// As a float.
    pub float: Option<f64>,
    /// As a complex number; set only for imaginary and complex literals.
    pub complex: Option<(f64, f64)>,
}

/// Which token the literal was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Literal {
    Number,
    Char,
    Complex,
}

impl Number {
    /// Reads a literal. The error is Go's text.
    pub(super) fn parse(text: &[u8], literal: Literal) -> Result<Number, String> {
        match literal {
            Literal::Char => Number::from_char(text),
            Literal::Complex => {
                let parts = parse_complex(text).ok_or("syntax error scanning complex number")?;
                Ok(Number::from_complex(parts))
            }
            Literal::Number => Number::from_number(text),
        }
    }

    fn from_char(text: &[u8]) -> Result<Number, String> {
        let (unquoted, tail) = unquote_char(&text[1..], text[0]).ok_or("invalid syntax")?;
        if tail != b"'" {
            return Err(format!(
                "malformed character constant: {}",
                crate::text::lossy(text)
            ));
        }
        let code = match unquoted {
            Unquoted::Char(char) => char as u32,
            Unquoted::Byte(byte) => u32::from(byte),
        };
        Ok(Number {
            int: Some(i64::from(code)),
            uint: Some(u64::from(code)),
            float: Some(f64::from(code)),
            complex: None,
        })
    }

    fn from_complex((real, imaginary): (f64, f64)) -> Number {
        let mut number = Number {
            complex: Some((real, imaginary)),
            ..Number::default()
        };
        if imaginary == 0.0 {
            number.float = Some(real);
            number.int = exact_int(real);
            number.uint = exact_uint(real);
        }
        number
    }

    fn from_number(text: &[u8]) -> Result<Number, String> {
        if let Some(digits) = text.strip_suffix(b"i")
            && let Ok(imaginary) = parse_float(digits)
        {
            return Ok(Number::from_complex((0.0, imaginary)));
        }
        let mut number = Number {
            int: parse_int(text, 0).ok(),
            uint: parse_uint(text, 0).ok(),
            ..Number::default()
        };
        if number.int == Some(0) {
            number.uint = Some(0);
        }
        if let Some(int) = number.int {
            number.float = Some(int as f64);
        } else if let Some(uint) = number.uint {
            number.float = Some(uint as f64);
        } else if let Ok(float) = parse_float(text) {
            if !text.iter().any(|byte| b".eEpP".contains(byte)) {
                return Err(format!(
                    "integer overflow: {}",
                    crate::text::lossy(&quote(text))
                ));
            }
            number.float = Some(float);
            number.int = exact_int(float);
            number.uint = exact_uint(float);
        }
        if number.int.is_none() && number.uint.is_none() && number.float.is_none() {
            return Err(format!(
                "illegal number syntax: {}",
                crate::text::lossy(&quote(text))
            ));
        }
        Ok(number)
    }
}

fn exact_int(float: f64) -> Option<i64> {
    // 2^63 itself does not fit; every float below it that is whole does.
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&float);
    (fits && float.trunc() == float).then_some(float as i64)
}

fn exact_uint(float: f64) -> Option<u64> {
    let fits = (0.0..18_446_744_073_709_551_616.0).contains(&float);
    (fits && float.trunc() == float).then_some(float as u64)
}

/// `1+2i`: a real part, then a signed imaginary part.
fn parse_complex(text: &[u8]) -> Option<(f64, f64)> {
    let body = text.strip_suffix(b"i")?;
    let split = (1..body.len()).rev().find(|index| {
        matches!(body[*index], b'+' | b'-')
            && !matches!(body[*index - 1], b'e' | b'E' | b'p' | b'P')
    })?;
    Some((
        parse_float(&body[..split]).ok()?,
        parse_float(&body[split..]).ok()?,
    ))
}
