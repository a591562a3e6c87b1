//! Go's classes and case mappings of characters.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Go's `unicode.IsLetter`: general category L.
pub fn is_letter(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphabetic();
    }
    char.general_category_group() == GeneralCategoryGroup::Letter
}

/// Go's `unicode.IsDigit`: general category Nd.
pub fn is_digit(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_digit();
    }
    char.general_category() == GeneralCategory::DecimalNumber
}

/// Go's `unicode.IsNumber`: general category N.
pub fn is_number(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_digit();
    }
    char.general_category_group() == GeneralCategoryGroup::Number
}

/// Go's `unicode.IsUpper`: general category Lu.
pub fn is_upper(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_uppercase();
    }
    char.general_category() == GeneralCategory::UppercaseLetter
}

/// Go's `unicode.IsLower`: general category Ll.
pub fn is_lower(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_lowercase();
    }
    char.general_category() == GeneralCategory::LowercaseLetter
}

/// Go's `unicode.IsTitle`: general category Lt.
pub fn is_title(char: char) -> bool {
    !char.is_ascii() && char.general_category() == GeneralCategory::TitlecaseLetter
}

/// Go's `unicode.IsSpace`.
pub fn is_space(char: char) -> bool {
    matches!(
        char,
        '\t' | '\n'
            | '\u{0B}'
            | '\u{0C}'
            | '\r'
            | ' '
            | '\u{85}'
            | '\u{A0}'
            | '\u{1680}'
            | '\u{2000}'
            ..='\u{200A}' | '\u{2028}' | '\u{2029}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// Go's `unicode.IsPrint` and `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the
/// ASCII space.
pub fn is_print(char: char) -> bool {
    if char.is_ascii() {
        return (' '..='~').contains(&char);
    }
    matches!(
        char.general_category_group(),
        GeneralCategoryGroup::Letter
            | GeneralCategoryGroup::Mark
            | GeneralCategoryGroup::Number
            | GeneralCategoryGroup::Punctuation
            | GeneralCategoryGroup::Symbol
    )
}

/// Go's `unicode.ToUpper`: the simple mapping, one character to one.
pub fn to_upper(char: char) -> char {
    match char {
        // U+1E9E has no simple upper case from U+00DF, U+0149 … neither: several characters mean none.
        'ᾀ'..='ᾇ' | 'ᾐ'..='ᾗ' | 'ᾠ'..='ᾧ' => shift(char, 8),
        'ᾳ' | 'ῃ' | 'ῳ' => shift(char, 9),
        _ => single(char, char.to_uppercase()),
    }
}

/// Go's `unicode.ToLower`: the simple mapping, one character to one.
pub fn to_lower(char: char) -> char {
    match char {
        'İ' => 'i',
        'ᾈ'..='ᾏ' | 'ᾘ'..='ᾟ' | 'ᾨ'..='ᾯ' => shift(char, -8),
        'ᾼ' | 'ῌ' | 'ῼ' => shift(char, -9),
        _ => single(char, char.to_lowercase()),
    }
}

/// Go's `unicode.ToTitle`: the simple mapping, one character to one.
pub fn to_title(char: char) -> char {
    match char {
        'Ǆ'..='ǆ' => 'ǅ',
        'Ǉ'..='ǉ' => 'ǈ',
        'Ǌ'..='ǌ' => 'ǋ',
        'Ǳ'..='ǳ' => 'ǲ',
        // Georgian letters stay as they are at the head of a word.
        '\u{10D0}'..='\u{10FA}' | '\u{10FD}'..='\u{10FF}' => char,
        _ => to_upper(char),
    }
}

/// The one character of a mapping, or the original when there are several.
fn single(char: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    match (mapped.len(), mapped.next()) {
        (1, Some(other)) => other,
        _ => char,
    }
}

fn shift(char: char, by: i32) -> char {
    u32::try_from(char as i32 + by)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_simple() {
        assert_eq!(to_upper('ß'), 'ß');
        assert_eq!(to_lower('İ'), 'i');
        assert_eq!(to_title('ǆ'), 'ǅ');
        assert_eq!(to_upper('ǅ'), 'Ǆ');
        assert_eq!(to_upper('ᾳ'), 'ᾼ');
    }

    #[test]
    fn classes_follow_go() {
        assert!(is_letter('ª') && !is_letter('Ⅷ') && is_number('Ⅷ'));
        assert!(!is_print('\u{A0}') && is_print('é') && !is_print('\u{200B}'));
        assert!(!is_upper('Ⅷ') && !is_upper('ǅ') && is_upper('Ä'));
    }
}
