//! Go's words for JSON that is none.

/// What Go's JSON scanner says of the text; `None` if it is well-formed.
///
/// Source: encoding/json, `scanner.go`.
pub fn syntax_error(text: &[u8]) -> Option<String> {
    let mut scanner = Scanner { text, position: 0 };
    scanner.document().err().map(|failure| match failure {
        Failure::End => "unexpected end of JSON input".to_owned(),
        Failure::Character(byte, context) => {
            format!("invalid character {} {context}", quote_character(byte))
        }
        Failure::Depth => "exceeded max depth".to_owned(),
    })
}

/// As Go: deeper nesting than this is refused.
const MAX_DEPTH: usize = 10_000;

enum Failure {
    End,
    Character(u8, &'static str),
    Depth,
}

/// Go's `quoteChar`.
fn quote_character(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        // A single byte is printed as the character of that number.
        _ => {
            let quoted = object::field::quote(&char::from(byte).to_string());
            format!("'{}'", &quoted[1..quoted.len() - 1])
        }
    }
}

struct Scanner<'a> {
    text: &'a [u8],
    position: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    /// The next byte that is not space.
    fn next(&mut self) -> Result<u8, Failure> {
        self.skip_space();
        let byte = self.peek().ok_or(Failure::End)?;
        self.position += 1;
        Ok(byte)
    }

    fn document(&mut self) -> Result<(), Failure> {
        // Containers that are open, innermost last: `true` for an object.
        let mut open: Vec<bool> = Vec::new();
        let mut expect_value = true;
        loop {
            if expect_value {
                let byte = self.next()?;
                expect_value = false;
                match byte {
                    b'{' => {
                        open.push(true);
                        if !self.close_if(b'}', &mut open) {
                            self.key("looking for beginning of object key string")?;
                            expect_value = true;
                        }
                    }
                    b'[' => {
                        open.push(false);
                        expect_value = !self.close_if(b']', &mut open);
                    }
                    other => self.scalar(other)?,
                }
                if open.len() > MAX_DEPTH {
                    return Err(Failure::Depth);
                }
                continue;
            }
            let Some(&in_object) = open.last() else { break };
            match (self.next()?, in_object) {
                (b',', true) => {
                    self.key("looking for beginning of object key string")?;
                    expect_value = true;
                }
                (b',', false) => expect_value = true,
                (b'}', true) | (b']', false) => drop(open.pop()),
                (byte, true) => {
                    return Err(Failure::Character(byte, "after object key:value pair"));
                }
                (byte, false) => return Err(Failure::Character(byte, "after array element")),
            }
        }
        self.skip_space();
        self.peek().map_or(Ok(()), |byte| {
            Err(Failure::Character(byte, "after top-level value"))
        })
    }

    /// Passes over `bracket` if it comes next, and closes the container.
    fn close_if(&mut self, bracket: u8, open: &mut Vec<bool>) -> bool {
        self.skip_space();
        let closes = self.peek() == Some(bracket);
        if closes {
            self.position += 1;
            open.pop();
        }
        closes
    }

    fn key(&mut self, context: &'static str) -> Result<(), Failure> {
        match self.next()? {
            b'"' => self.string()?,
            byte => return Err(Failure::Character(byte, context)),
        }
        match self.next()? {
            b':' => Ok(()),
            byte => Err(Failure::Character(byte, "after object key")),
        }
    }

    fn scalar(&mut self, first: u8) -> Result<(), Failure> {
        match first {
            b'"' => self.string(),
            b't' => self.literal(
                b"rue",
                &[
                    "in literal true (expecting 'r')",
                    "in literal true (expecting 'u')",
                    "in literal true (expecting 'e')",
                ],
            ),
            b'f' => self.literal(
                b"alse",
                &[
                    "in literal false (expecting 'a')",
                    "in literal false (expecting 'l')",
                    "in literal false (expecting 's')",
                    "in literal false (expecting 'e')",
                ],
            ),
            b'n' => self.literal(
                b"ull",
                &[
                    "in literal null (expecting 'u')",
                    "in literal null (expecting 'l')",
                    "in literal null (expecting 'l')",
                ],
            ),
            b'-' | b'0'..=b'9' => self.number(first),
            byte => Err(Failure::Character(byte, "looking for beginning of value")),
        }
    }

    fn literal(&mut self, rest: &[u8], contexts: &[&'static str]) -> Result<(), Failure> {
        for (expected, context) in rest.iter().zip(contexts) {
            let byte = self.peek().ok_or(Failure::End)?;
            if byte != *expected {
                return Err(Failure::Character(byte, context));
            }
            self.position += 1;
        }
        Ok(())
    }

    fn digits(&mut self, context: &'static str) -> Result<(), Failure> {
        match self.peek() {
            Some(b'0'..=b'9') => {}
            Some(byte) => return Err(Failure::Character(byte, context)),
            None => return Err(Failure::End),
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.position += 1;
        }
        Ok(())
    }

    fn number(&mut self, first: u8) -> Result<(), Failure> {
        let mut leading = first;
        if first == b'-' {
            match self.peek() {
                Some(byte @ b'0'..=b'9') => {
                    leading = byte;
                    self.position += 1;
                }
                Some(byte) => return Err(Failure::Character(byte, "in numeric literal")),
                None => return Err(Failure::End),
            }
        }
        if leading != b'0' {
            while matches!(self.peek(), Some(b'0'..=b'9')) {
                self.position += 1;
            }
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), Failure> {
        loop {
            let byte = self.peek().ok_or(Failure::End)?;
            self.position += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' => {
                    let escape = self.peek().ok_or(Failure::End)?;
                    self.position += 1;
                    match escape {
                        b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => {}
                        b'u' => {
                            for _ in 0..4 {
                                let digit = self.peek().ok_or(Failure::End)?;
                                if !digit.is_ascii_hexdigit() {
                                    return Err(Failure::Character(
                                        digit,
                                        "in \\u hexadecimal character escape",
                                    ));
                                }
                                self.position += 1;
                            }
                        }
                        other => return Err(Failure::Character(other, "in string escape code")),
                    }
                }
                0..=0x1f => return Err(Failure::Character(byte, "in string literal")),
                _ => {}
            }
        }
    }
}
