//! `Sprintf`: the format string's own syntax, its argument numbers and its reports of misuse.

use super::flags::Flags;
use super::print::Printer;
use crate::text::first_rune;
use crate::value::Value;

/// Widths and precisions beyond this are refused, as in Go.
const TOO_LARGE: usize = 1_000_000;

/// Go's `fmt.Sprintf`.
pub fn sprintf(format: &[u8], args: &[Value]) -> Vec<u8> {
    sprintf_limited(format, args, usize::MAX).unwrap_or_default()
}

/// Go's `fmt.Sprintf`, but `None` as soon as the result is longer than `limit` bytes: a width of a million
/// takes eight bytes to write, so that a short format can ask for gigabytes.
pub fn sprintf_limited(format: &[u8], args: &[Value], limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(format.len() + 16);
    let mut state = Format {
        printer: Printer::new(&mut out),
        text: format,
        args,
        position: 0,
        arg: 0,
        reordered: false,
        good_index: true,
        after_index: false,
    };
    state.run(limit)?;
    Some(out)
}

struct Format<'a, 'o> {
    printer: Printer<'o>,
    text: &'a [u8],
    args: &'a [Value],
    position: usize,
    arg: usize,
    reordered: bool,
    good_index: bool,
    after_index: bool,
}

impl Format<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn write(&mut self, text: &[u8]) {
        self.printer.out.extend_from_slice(text);
    }

    fn run(&mut self, limit: usize) -> Option<()> {
        while self.position < self.text.len() {
            self.good_index = true;
            let rest = &self.text[self.position..];
            let literal = memchr::memchr(b'%', rest).unwrap_or(rest.len());
            self.write(&rest[..literal]);
            self.position += literal;
            if self.position >= self.text.len() {
                break;
            }
            self.position += 1;
            self.after_index = false;
            if !self.directive() {
                break;
            }
            if self.printer.out.len() > limit {
                return None;
            }
        }
        if !self.reordered && self.arg < self.args.len() {
            self.extra();
        }
        (self.printer.out.len() <= limit).then_some(())
    }

    /// One `%…`. False when the format ends within it.
    fn directive(&mut self) -> bool {
        self.printer.flags = Flags::default();
        if self.flags() {
            return true;
        }
        self.argument_number();
        self.width();
        self.precision();
        if !self.after_index {
            self.argument_number();
        }
        let Some(rune) = first_rune(&self.text[self.position..]) else {
            self.write(b"%!(NOVERB)");
            return false;
        };
        self.position += rune.width();
        let verb = rune.char();
        if verb == '%' {
            self.write(b"%");
        } else if !self.good_index {
            self.misuse(verb, b"(BADINDEX)");
        } else if self.arg >= self.args.len() {
            self.misuse(verb, b"(MISSING)");
        } else {
            self.print(verb);
        }
        true
    }

    /// Reads flags. True when a plain verb followed and was printed: the common case.
    fn flags(&mut self) -> bool {
        while let Some(byte) = self.peek() {
            let flags = &mut self.printer.flags;
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                b'a'..=b'z' if self.arg < self.args.len() => {
                    self.position += 1;
                    self.print(char::from(byte));
                    return true;
                }
                _ => return false,
            }
            self.position += 1;
        }
        false
    }

    fn print(&mut self, verb: char) {
        if matches!(verb, 'v' | 'w') {
            let flags = &mut self.printer.flags;
            flags.sharp_v = std::mem::take(&mut flags.sharp);
            flags.plus_v = std::mem::take(&mut flags.plus);
        }
        let args = self.args;
        self.printer.print_arg(&args[self.arg], verb);
        self.arg += 1;
    }

    fn misuse(&mut self, verb: char, what: &[u8]) {
        self.write(b"%!");
        self.write(verb.encode_utf8(&mut [0; 4]).as_bytes());
        self.write(what);
    }

    fn width(&mut self) {
        if self.peek() == Some(b'*') {
            self.position += 1;
            match self.int_from_arg() {
                Some(width) => {
                    if width < 0 {
                        self.printer.flags.minus = true;
                        self.printer.flags.zero = false;
                    }
                    self.printer.flags.width = Some(width.unsigned_abs() as usize);
                }
                None => self.write(b"%!(BADWIDTH)"),
            }
            self.after_index = false;
        } else {
            self.printer.flags.width = self.number();
            if self.after_index && self.printer.flags.width.is_some() {
                self.good_index = false;
            }
        }
    }

    fn precision(&mut self) {
        if self.peek() != Some(b'.') || self.position + 1 >= self.text.len() {
            return;
        }
        self.position += 1;
        if self.after_index {
            self.good_index = false;
        }
        self.argument_number();
        if self.peek() == Some(b'*') {
            self.position += 1;
            self.printer.flags.precision = self
                .int_from_arg()
                .and_then(|precision| usize::try_from(precision).ok());
            if self.printer.flags.precision.is_none() {
                self.write(b"%!(BADPREC)");
            }
            self.after_index = false;
        } else {
            self.printer.flags.precision = Some(self.number().unwrap_or(0));
        }
    }

    /// A decimal number at the current position; too large a one is passed over.
    fn number(&mut self) -> Option<usize> {
        let (number, next) = parse_number(self.text, self.position);
        self.position = next;
        number
    }

    fn int_from_arg(&mut self) -> Option<i64> {
        let arg = self.args.get(self.arg)?;
        self.arg += 1;
        let number = match arg {
            Value::Int(_, number) => Some(*number),
            Value::Uint(_, number) => i64::try_from(*number).ok(),
            _ => None,
        };
        number.filter(|number| number.unsigned_abs() as usize <= TOO_LARGE)
    }

    /// `[3]`, when it stands here.
    fn argument_number(&mut self) {
        if self.peek() != Some(b'[') {
            self.after_index = false;
            return;
        }
        self.reordered = true;
        let rest = &self.text[self.position..];
        let close = if rest.len() < 3 {
            None
        } else {
            memchr::memchr(b']', rest)
        };
        let Some(close) = close else {
            self.good_index = false;
            self.after_index = false;
            self.position += 1;
            return;
        };
        let (number, end) = parse_number(&rest[..close], 1);
        self.position += close + 1;
        match number.filter(|_| end == close) {
            Some(number) if (1..=self.args.len()).contains(&number) => {
                self.arg = number - 1;
                self.after_index = true;
            }
            found => {
                self.good_index = false;
                self.after_index = found.is_some();
            }
        }
    }

    fn extra(&mut self) {
        self.printer.flags = Flags::default();
        self.write(b"%!(EXTRA ");
        let args = &self.args[self.arg..];
        for (index, arg) in args.iter().enumerate() {
            if index > 0 {
                self.write(b", ");
            }
            if arg.is_nil() {
                self.write(b"<nil>");
            } else {
                self.write(arg.type_name().as_bytes());
                self.write(b"=");
                self.printer.print_arg(arg, 'v');
            }
        }
        self.write(b")");
    }
}

/// The number at `start` of `text`, and where it ends: Go's `parsenum`.
fn parse_number(text: &[u8], start: usize) -> (Option<usize>, usize) {
    let mut position = start;
    let mut number: usize = 0;
    let mut seen = false;
    while let Some(byte) = text.get(position).filter(|byte| byte.is_ascii_digit()) {
        if number > TOO_LARGE {
            return (None, text.len());
        }
        number = number * 10 + usize::from(byte - b'0');
        seen = true;
        position += 1;
    }
    (seen.then_some(number), position)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, args: &[Value], want: &str) {
        let got = sprintf(format.as_bytes(), args);
        assert_eq!(String::from_utf8(got).unwrap(), want, "{format}");
    }

    #[test]
    fn verbs_and_flags() {
        let five = Value::int(5);
        check(
            "%05d|%-5d|%+d|%x|%#o",
            &[
                five.clone(),
                five.clone(),
                five.clone(),
                Value::int(255),
                Value::int(8),
            ],
            "00005|5    |+5|ff|010",
        );
        check(
            "%6.2f|%e|%g",
            &[1.5.into(), 1.5.into(), 1e21.into()],
            "  1.50|1.500000e+00|1e+21",
        );
        check(
            "%q %s %x",
            &["a\n".into(), "b".into(), "hi".into()],
            "\"a\\n\" b 6869",
        );
        check(
            "%t %v %T",
            &[true.into(), Value::Nil, Value::Nil],
            "true <nil> <nil>",
        );
        check("%[2]d %[1]d", &[Value::int(1), Value::int(2)], "2 1");
        check(
            "%U %#U %c",
            &[Value::int(0x1F600), Value::int(65), Value::int(65)],
            "U+1F600 U+0041 'A' A",
        );
    }

    #[test]
    fn misuse_is_reported_in_the_text() {
        check("%d", &["hi".into()], "%!d(string=hi)");
        check("%d", &[], "%!d(MISSING)");
        check("hi", &[Value::int(1)], "hi%!(EXTRA int=1)");
        check("%", &[], "%!(NOVERB)");
        check("%[5]d", &[Value::int(1)], "%!d(BADINDEX)");
        check("%!", &[Value::int(1)], "%!!(int=1)");
        check("%*d", &["x".into(), Value::int(1)], "%!(BADWIDTH)1");
    }
}
