//! Shamir's secret sharing over GF(2^8), as Vault and SOPS have it: a share is one byte for each byte of the
//! secret, and its x coordinate at the end.

/// Why shares cannot be made or put together.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ShamirError {
    /// Too few shares.
    #[error("less than two parts cannot be used to reconstruct the secret")]
    TooFew,
    /// A share without content.
    #[error("parts must be at least two bytes")]
    TooShort,
    /// Shares of different secrets.
    #[error("all parts must be the same length")]
    Lengths,
    /// The same share twice.
    #[error("duplicate part detected")]
    Duplicate,
    /// A number of shares or a threshold that cannot be.
    #[error("cannot split into {parts} parts with a threshold of {threshold}")]
    Numbers {
        /// How many shares were asked for.
        parts: usize,
        /// How many are to be needed.
        threshold: usize,
    },
}

/// Multiplication modulo x^8 + x^4 + x^3 + x + 1.
fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= a & 0u8.wrapping_sub(b & 1);
        let carry = 0u8.wrapping_sub(a >> 7);
        a = (a << 1) ^ (0x1b & carry);
        b >>= 1;
    }
    product
}

/// a^254, the inverse of every element but 0.
fn inverse(a: u8) -> u8 {
    let mut result = 1;
    for _ in 0..254 {
        result = multiply(result, a);
    }
    result
}

/// The value at 0 of the polynomial through `points`.
fn at_zero(points: &[(u8, u8)]) -> u8 {
    let mut result = 0;
    for (i, &(x, y)) in points.iter().enumerate() {
        let mut basis = 1;
        for (j, &(other, _)) in points.iter().enumerate() {
            if i != j {
                basis = multiply(basis, multiply(other, inverse(other ^ x)));
            }
        }
        result ^= multiply(y, basis);
    }
    result
}

/// Puts shares together.
pub(crate) fn combine(parts: &[Vec<u8>]) -> Result<Vec<u8>, ShamirError> {
    let [first, rest @ ..] = parts else {
        return Err(ShamirError::TooFew);
    };
    if rest.is_empty() {
        return Err(ShamirError::TooFew);
    }
    if first.len() < 2 {
        return Err(ShamirError::TooShort);
    }
    if rest.iter().any(|part| part.len() != first.len()) {
        return Err(ShamirError::Lengths);
    }
    let last = first.len() - 1;
    let mut coordinates: Vec<u8> = parts.iter().map(|part| part[last]).collect();
    coordinates.sort_unstable();
    coordinates.dedup();
    if coordinates.len() != parts.len() {
        return Err(ShamirError::Duplicate);
    }
    let point =
        |at: usize| -> Vec<(u8, u8)> { parts.iter().map(|part| (part[last], part[at])).collect() };
    Ok((0..last).map(|at| at_zero(&point(at))).collect())
}

/// Splits `secret` so that `threshold` of `parts` shares give it back. `random` fills with random bytes.
pub(crate) fn split(
    secret: &[u8],
    parts: usize,
    threshold: usize,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<Vec<Vec<u8>>, ShamirError> {
    if parts > 255 || threshold < 2 || parts < threshold {
        return Err(ShamirError::Numbers { parts, threshold });
    }
    let mut shares: Vec<Vec<u8>> = vec![Vec::with_capacity(secret.len() + 1); parts];
    let mut coefficients = vec![0; threshold];
    for &byte in secret {
        random(&mut coefficients[1..]);
        coefficients[0] = byte;
        for (x, share) in (1..=u8::MAX).zip(&mut shares) {
            let value = coefficients
                .iter()
                .rev()
                .fold(0, |sum, &coefficient| multiply(sum, x) ^ coefficient);
            share.push(value);
        }
    }
    for (x, share) in (1..=u8::MAX).zip(&mut shares) {
        share.push(x);
    }
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_shares_at_the_threshold_give_the_secret_back() {
        let secret: Vec<u8> = (0..32).map(|byte| byte * 7 + 3).collect();
        let mut state = 1u8;
        let mut random = |bytes: &mut [u8]| {
            for byte in bytes {
                state = state.wrapping_mul(29).wrapping_add(71);
                *byte = state;
            }
        };
        let shares = split(&secret, 4, 3, &mut random).unwrap();
        for left_out in 0..4 {
            let mut some = shares.clone();
            some.remove(left_out);
            assert_eq!(combine(&some).unwrap(), secret);
        }
        assert_ne!(combine(&shares[..2]).unwrap(), secret);
        let twice = [shares[0].clone(), shares[0].clone()];
        assert_eq!(combine(&twice), Err(ShamirError::Duplicate));
    }

    #[test]
    fn every_element_but_zero_has_an_inverse() {
        for a in 1..=u8::MAX {
            assert_eq!(multiply(a, inverse(a)), 1);
        }
    }
}
