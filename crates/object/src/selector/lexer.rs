//! Words and signs of a label selector.

/// What a piece of a selector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Error,
    End,
    Close,
    Comma,
    Not,
    DoubleEquals,
    Equals,
    Greater,
    Identifier,
    In,
    Less,
    NotEquals,
    NotIn,
    Open,
}

fn sign(text: &str) -> Option<Token> {
    Some(match text {
        ")" => Token::Close,
        "," => Token::Comma,
        "!" => Token::Not,
        "==" => Token::DoubleEquals,
        "=" => Token::Equals,
        ">" => Token::Greater,
        "<" => Token::Less,
        "!=" => Token::NotEquals,
        "(" => Token::Open,
        _ => return None,
    })
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_sign(byte: u8) -> bool {
    b"=!(),><".contains(&byte)
}

/// The pieces of a text one after the other; the last is [`Token::End`], again and again.
pub(super) struct Lexer<'a> {
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The next piece and its text.
    pub(super) fn next(&mut self) -> (Token, &'a str) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        match self.rest.as_bytes().first() {
            // Upstream quirk, kept: a NUL ends the text.
            None | Some(0) => {
                self.rest = "";
                (Token::End, "")
            }
            Some(byte) if is_sign(*byte) => self.sign(),
            Some(_) => self.word(),
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// The longest run of signs that is a token.
    fn sign(&mut self) -> (Token, &'a str) {
        // Every single sign is a token, so that two characters at most are looked at.
        let pair = self.rest.get(..2).and_then(sign);
        let text = self.take(if pair.is_some() { 2 } else { 1 });
        // Upstream quirk, kept: a NUL after a sign is read with it.
        self.rest = self.rest.strip_prefix('\0').unwrap_or(self.rest);
        (pair.or_else(|| sign(text)).unwrap_or(Token::Error), text)
    }

    fn word(&mut self) -> (Token, &'a str) {
        let bytes = self.rest.as_bytes();
        let end = |byte: &u8| *byte == 0 || is_sign(*byte) || is_space(*byte);
        let length = bytes.iter().position(end).unwrap_or(bytes.len());
        let ends_in_nul = bytes.get(length) == Some(&0);
        let text = self.take(length);
        if ends_in_nul {
            self.take(1);
        }
        let token = match text {
            "in" => Token::In,
            "notin" => Token::NotIn,
            _ => Token::Identifier,
        };
        (token, text)
    }
}
