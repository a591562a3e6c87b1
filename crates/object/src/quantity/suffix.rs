//! Suffixes and what they multiply by.

use super::Format;

/// The base (2 or 10), the exponent and the family of a suffix.
pub(super) fn interpret(suffix: &str) -> Option<(u32, i32, Format)> {
    let decimal = |exponent| Some((10, exponent, Format::DecimalSi));
    let binary = |exponent| Some((2, exponent, Format::BinarySi));
    match suffix {
        "" => decimal(0),
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let digits = suffix.strip_prefix(['e', 'E'])?;
            // Upstream quirk, kept: the exponent is read with 64 bits and cut to 32.
            let exponent: i64 = digits.parse().ok()?;
            Some((10, exponent as i32, Format::DecimalExponent))
        }
    }
}

/// The suffix of a power of ten that is a multiple of three.
///
/// Upstream quirk, kept: beyond `n` and `E` there is no suffix, and the number prints without.
pub(super) fn decimal(exponent: i64, format: Format) -> String {
    let suffix = match (format, exponent) {
        (_, 0) => "",
        (Format::DecimalExponent, exponent) => return format!("e{exponent}"),
        (_, -9) => "n",
        (_, -6) => "u",
        (_, -3) => "m",
        (_, 3) => "k",
        (_, 6) => "M",
        (_, 9) => "G",
        (_, 12) => "T",
        (_, 15) => "P",
        (_, 18) => "E",
        _ => "",
    };
    suffix.to_owned()
}

/// The suffix of a power of 1024; none beyond `Ei`.
pub(super) fn binary(times: u32) -> &'static str {
    match times {
        1 => "Ki",
        2 => "Mi",
        3 => "Gi",
        4 => "Ti",
        5 => "Pi",
        6 => "Ei",
        _ => "",
    }
}
