//! Texts in single or double quotes, with Go's escapes.

/// Takes the quotes and the escapes away; `None` if an escape is none.
///
/// As `strconv.Unquote`, but single quotes may hold more than one character. Bytes that are no UTF-8
/// (`\xff`) become the replacement character.
pub(super) fn unquote(text: &str) -> Option<String> {
    let quote = text.chars().next()?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    if !inner.contains('\\') && !inner.contains(quote) {
        return Some(inner.to_owned());
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match c {
            c if c == quote => return None,
            '\\' => escape(&mut rest, quote, &mut out)?,
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn escape(rest: &mut std::str::Chars<'_>, quote: char, out: &mut Vec<u8>) -> Option<()> {
    let byte = match rest.next()? {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        'x' => digits(rest, 2, 16, 0)? as u8,
        c @ '0'..='7' => u8::try_from(digits(rest, 2, 8, c.to_digit(8)?)?).ok()?,
        c @ ('u' | 'U') => {
            let count = if c == 'u' { 4 } else { 8 };
            let c = char::from_u32(digits(rest, count, 16, 0)?)?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(());
        }
        c if c == quote => c as u8,
        _ => return None,
    };
    out.push(byte);
    Some(())
}

/// Reads so many digits behind what was read already.
fn digits(rest: &mut std::str::Chars<'_>, count: usize, base: u32, start: u32) -> Option<u32> {
    (0..count).try_fold(start, |value, _| {
        let digit = rest.next()?.to_digit(base)?;
        value.checked_mul(base)?.checked_add(digit)
    })
}
