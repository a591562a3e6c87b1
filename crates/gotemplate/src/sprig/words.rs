//! Letters and words: capitals, cases, initials, random and shuffled text.
//! Source: sprig `strings.go`, goutils, xstrings.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::args::{int, text};
use super::{Result, Row, row};
use crate::exec::Context;
use crate::function::{CallError, Param, Signature};
use crate::text::{first_rune, runes};
use crate::unicode::{
    is_digit, is_letter, is_lower, is_number, is_space, is_title, is_upper, to_lower, to_title,
    to_upper,
};
use crate::value::Value;

const TEXT: Signature = Signature::new(&[Param::String]);
const COUNT: Signature = Signature::new(&[Param::Int]);

pub(super) fn functions() -> Vec<Row> {
    let mapped = |name, map: fn(&[u8]) -> String| {
        row(
            name,
            TEXT,
            move |context: &mut Context<'_>, args: &[Value]| {
                context.charge(text(args, 0).len())?;
                Ok(Value::from(map(text(args, 0))))
            },
        )
    };
    vec![
        mapped("upper", |whole| chars(whole).map(to_upper).collect()),
        mapped("lower", |whole| chars(whole).map(to_lower).collect()),
        mapped("title", title),
        mapped("untitle", untitle),
        mapped("swapcase", swap_case),
        mapped("initials", initials),
        mapped("camelcase", pascal_case),
        mapped("snakecase", |whole| split_words(whole, '_')),
        mapped("kebabcase", |whole| split_words(whole, '-')),
        row("nospace", TEXT, |_, args| {
            Ok(Value::string(without_space(text(args, 0))))
        }),
        row("shuffle", TEXT, |context, args| {
            let mut letters: Vec<char> = chars(text(args, 0)).collect();
            for index in (1..letters.len()).rev() {
                letters.swap(index, below(context, index as u64 + 1) as usize);
            }
            Ok(Value::from(letters.into_iter().collect::<String>()))
        }),
        row("randAlphaNum", COUNT, |context, args| {
            random_text(context, int(args, 0), ALPHANUMERIC)
        }),
        row("randAlpha", COUNT, |context, args| {
            random_text(context, int(args, 0), &ALPHANUMERIC[10..])
        }),
        row("randNumeric", COUNT, |context, args| {
            random_text(context, int(args, 0), &ALPHANUMERIC[..10])
        }),
        row("randAscii", COUNT, |context, args| {
            let printable: Vec<u8> = (b' '..=b'~').collect();
            random_text(context, int(args, 0), &printable)
        }),
        row(
            "randInt",
            Signature::new(&[Param::Int, Param::Int]),
            |context, args| {
                let (low, high) = (int(args, 0), int(args, 1));
                let span = high.wrapping_sub(low);
                if span <= 0 {
                    return Err(CallError::new("invalid argument to Intn"));
                }
                Ok(Value::int(
                    low.wrapping_add(below(context, span as u64) as i64),
                ))
            },
        ),
    ]
}

const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn chars(whole: &[u8]) -> impl Iterator<Item = char> + '_ {
    runes(whole).map(|(_, rune)| rune.char())
}

/// A random number from 0 up to but without `bound`, each as likely.
pub(super) fn below(context: &mut Context<'_>, bound: u64) -> u64 {
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let mut bytes = [0; 8];
        context.environment().fill_random(&mut bytes);
        let number = u64::from_le_bytes(bytes);
        if number < limit {
            return number % bound;
        }
    }
}

fn random_text(context: &mut Context<'_>, count: i64, letters: &[u8]) -> Result {
    // goutils gives an error for a negative count, which sprig drops: the text is empty.
    let count = usize::try_from(count).unwrap_or(0);
    context.charge(count)?;
    let limit = 256 - 256 % letters.len();
    let mut out = Vec::with_capacity(count);
    let mut bytes = [0; 256];
    while out.len() < count {
        context.step()?;
        context.environment().fill_random(&mut bytes);
        let missing = count - out.len();
        let good = bytes
            .iter()
            .map(|byte| usize::from(*byte))
            .filter(|byte| *byte < limit);
        out.extend(good.take(missing).map(|byte| letters[byte % letters.len()]));
    }
    Ok(Value::string(out))
}

/// Go's `strings.Title`: a capital at the head of each word.
fn title(whole: &[u8]) -> String {
    let mut previous = ' ';
    chars(whole)
        .map(|char| {
            let head = is_separator(previous);
            previous = char;
            if head { to_title(char) } else { char }
        })
        .collect()
}

fn is_separator(char: char) -> bool {
    if char.is_ascii() {
        return !(char.is_ascii_alphanumeric() || char == '_');
    }
    !is_letter(char) && !is_digit(char) && is_space(char)
}

fn untitle(whole: &[u8]) -> String {
    let mut head = true;
    chars(whole)
        .map(|char| {
            if is_space(char) {
                head = true;
                char
            } else if std::mem::take(&mut head) {
                to_lower(char)
            } else {
                char
            }
        })
        .collect()
}

fn swap_case(whole: &[u8]) -> String {
    let mut head = true;
    chars(whole)
        .map(|char| {
            if is_upper(char) || is_title(char) {
                head = false;
                to_lower(char)
            } else if is_lower(char) {
                if std::mem::take(&mut head) {
                    to_title(char)
                } else {
                    to_upper(char)
                }
            } else {
                head = is_space(char);
                char
            }
        })
        .collect()
}

/// The first byte of each word, as the character of that number: upstream goes by bytes.
fn initials(whole: &[u8]) -> String {
    let mut gap = true;
    let mut out = String::new();
    for byte in whole {
        let char = char::from(*byte);
        if is_space(char) {
            gap = true;
        } else if std::mem::take(&mut gap) {
            out.push(char);
        }
    }
    out
}

/// Without white space. Upstream goes by bytes: where something is removed, the others become the
/// characters of their numbers.
fn without_space(whole: &[u8]) -> Vec<u8> {
    let kept: String = whole
        .iter()
        .map(|byte| char::from(*byte))
        .filter(|char| !is_space(*char))
        .collect();
    if kept.chars().count() == whole.len() {
        return whole.to_vec();
    }
    kept.into_bytes()
}

fn is_connector(char: char) -> bool {
    matches!(char, '-' | '_') || is_space(char)
}

/// xstrings `ToPascalCase`.
fn pascal_case(whole: &[u8]) -> String {
    let mut out = String::with_capacity(whole.len());
    let mut letters = chars(whole);
    let mut first_is_upper = false;
    let mut current = None;
    for char in letters.by_ref() {
        current = Some(char);
        if !is_connector(char) {
            first_is_upper = is_upper(char);
            current = Some(to_upper(char));
            break;
        }
        out.push(char);
    }
    let Some(mut current) = current else {
        return out;
    };
    let mut rest = letters.peekable();
    if rest.peek().is_none() {
        out.push(current);
        return out;
    }
    for char in rest {
        let previous = std::mem::replace(&mut current, char);
        if is_connector(current) && is_connector(previous) {
            out.push(previous);
        } else if is_connector(previous) {
            first_is_upper = is_upper(current);
            current = to_upper(current);
        } else {
            if first_is_upper {
                if is_upper(current) {
                    current = to_lower(current);
                } else {
                    first_is_upper = false;
                }
            }
            out.push(previous);
        }
    }
    out.push(current);
    out
}

/// The kinds of words that xstrings tells apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Invalid,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

fn is_alphabet(char: char) -> bool {
    let is_cjk = matches!(char, '\u{4E00}'..='\u{9FCC}' | '\u{3400}'..='\u{4D85}' | '\u{20000}'..='\u{2B81D}');
    is_letter(char) && !is_cjk
}

fn is_punctuation(char: char) -> bool {
    char.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// The next valid character, with the width of what was passed to reach its end. At the end, `previous`.
fn next_valid(text: &[u8], previous: char) -> (char, usize) {
    let mut size = 0;
    while let Some(rune) = first_rune(&text[size..]) {
        size += rune.width();
        if rune.char() != char::REPLACEMENT_CHARACTER {
            return (rune.char(), size);
        }
    }
    (previous, size)
}

/// How many bytes of `text` go on with characters that satisfy `more`, and the character that ended it.
fn run(
    text: &[u8],
    start: usize,
    first: char,
    more: impl Fn(char) -> bool,
) -> (usize, char, usize) {
    let (mut offset, mut char, mut last) = (start, first, 0);
    while offset < text.len() {
        let (next, size) = next_valid(&text[offset..], char);
        char = next;
        if !more(char) {
            return (offset, char, last);
        }
        last = size;
        offset += size;
    }
    (offset, char, last)
}

/// The first word of `text`: its kind and length.
fn next_word(text: &[u8]) -> (Word, usize) {
    if text.is_empty() {
        return (Word::Invalid, 0);
    }
    let (first, size) = next_valid(text, char::REPLACEMENT_CHARACTER);
    if first == char::REPLACEMENT_CHARACTER {
        return (Word::Invalid, size);
    }
    if is_connector(first) {
        return (Word::Connector, run(text, size, first, is_connector).0);
    }
    if is_punctuation(first) {
        return (Word::Punctuation, run(text, size, first, is_punctuation).0);
    }
    if is_upper(first) {
        return (Word::Upper, upper_word(text, first, size));
    }
    if is_alphabet(first) {
        let more = |char| is_alphabet(char) && !is_upper(char);
        return (Word::Alphabet, run(text, size, first, more).0);
    }
    if is_number(first) {
        return (Word::Number, run(text, size, first, is_number).0);
    }
    let more = |char| {
        !is_connector(char) && !is_alphabet(char) && !is_number(char) && !is_punctuation(char)
    };
    (Word::Other, run(text, size, first, more).0)
}

/// A word that begins with a capital: an acronym, or a capitalised word.
fn upper_word(text: &[u8], first: char, size: usize) -> usize {
    if size >= text.len() {
        return size;
    }
    let (second, second_size) = next_valid(&text[size..], first);
    if is_upper(second) {
        let (end, stop, last) = run(text, size + second_size, second, is_upper);
        // The last capital of an acronym belongs to the word that follows it.
        let last = if last == 0 { second_size } else { last };
        return if end < text.len() && is_alphabet(stop) {
            end - last
        } else {
            end
        };
    }
    if is_alphabet(second) {
        let more = |char| is_alphabet(char) && !is_upper(char);
        return run(text, size + second_size, second, more).0;
    }
    size
}

fn push_lower(out: &mut String, kind: Word, word: &[u8], connector: char) {
    for char in chars(word) {
        out.push(match kind {
            Word::Upper | Word::Connector if is_connector(char) => connector,
            Word::Upper | Word::Connector if is_upper(char) => to_lower(char),
            _ => char,
        });
    }
}

/// xstrings `ToSnakeCase` and `ToKebabCase`.
fn split_words(whole: &[u8], connector: char) -> String {
    let mut out = String::with_capacity(whole.len() + 8);
    let mut rest = whole;
    let mut take = || {
        let (kind, length) = next_word(rest);
        let (word, tail) = rest.split_at(length);
        rest = tail;
        (kind, word, !tail.is_empty())
    };
    let is_joined = |kind| matches!(kind, Word::Connector | Word::Punctuation);
    let is_part = |kind| matches!(kind, Word::Alphabet | Word::Number);
    let (mut kind, mut word, mut more) = take();
    while more {
        if kind != Word::Connector {
            push_lower(&mut out, kind, word, connector);
        }
        let (previous, last) = (kind, word);
        (kind, word, more) = take();
        match previous {
            Word::Number => {
                while is_part(kind) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word, more) = take();
                }
                if kind != Word::Invalid && !is_joined(kind) {
                    out.push(connector);
                }
            }
            Word::Connector => push_lower(&mut out, previous, last, connector),
            Word::Punctuation => {}
            _ if kind != Word::Number => {
                if !is_joined(kind) {
                    out.push(connector);
                }
            }
            _ if !more => {}
            _ => {
                let number = word;
                (kind, word, more) = take();
                if kind == Word::Alphabet {
                    out.push(connector);
                    push_lower(&mut out, Word::Number, number, connector);
                    while is_part(kind) {
                        push_lower(&mut out, kind, word, connector);
                        (kind, word, more) = take();
                    }
                    if kind != Word::Invalid && !is_joined(kind) {
                        out.push(connector);
                    }
                } else {
                    push_lower(&mut out, Word::Number, number, connector);
                    if !is_joined(kind) {
                        out.push(connector);
                    }
                }
            }
        }
    }
    push_lower(&mut out, kind, word, connector);
    out
}
