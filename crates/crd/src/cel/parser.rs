//! Reading an expression into a tree.
//!
//! Source: cel-go `parser/parser.go` and `parser/gen/CEL.g4`. After the first syntax error that is not
//! a single missing or extraneous token or operand, parsing stops; cel-go may report more.

use std::sync::Arc;

use super::ast::{Entry, Expr, Id, Kind, Literal, with_stack};
use super::lexer::{self, Lexeme, Token};
use super::macros;
use super::source::Issue;

/// The deepest nesting of an expression.
const MAX_DEPTH: usize = 250;
/// The tallest tree to which operators are added.
const MAX_HEIGHT: u32 = 1000;
/// The most nodes after macros are expanded.
const MAX_NODES: usize = 100_000;
/// The longest expression, in code points.
const MAX_LENGTH: usize = 100_000;

const EXPECTED_PRIMARY: &str = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const EXPECTED_ENTRY: &str = "{'[', '{', '}', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const EXPECTED_ITEM: &str = "{'[', ']', '{', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

const RESERVED: [&str; 18] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// A parsed expression.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) root: Expr,
    /// The offset of each node, by its id.
    pub(crate) offsets: Vec<usize>,
}

/// Parsing cannot go on; the reason is among the issues.
pub(super) struct Stop;

type Step<T> = Result<T, Stop>;

pub(super) struct Parser<'a> {
    tokens: Vec<Lexeme<'a>>,
    at: usize,
    depth: usize,
    offsets: Vec<usize>,
    issues: Vec<Issue>,
}

/// Parses `text`.
pub(crate) fn parse(text: &str) -> Result<Parsed, Vec<Issue>> {
    let length = text.chars().count();
    if length > MAX_LENGTH {
        return Err(vec![Issue {
            offset: None,
            message: format!(
                "expression code point size exceeds limit: size: {length}, limit {MAX_LENGTH}"
            ),
        }]);
    }
    let (tokens, issues) = lexer::lex(text);
    let mut parser = Parser {
        tokens,
        at: 0,
        depth: 0,
        offsets: vec![0],
        issues,
    };
    let root = parser.start();
    match root {
        Ok(root) if parser.issues.is_empty() => Ok(Parsed {
            root,
            offsets: parser.offsets,
        }),
        _ => Err(parser.issues),
    }
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Lexeme<'a> {
        self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn peek_at(&self, ahead: usize) -> Lexeme<'a> {
        self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Lexeme<'a> {
        let lexeme = self.peek();
        self.at += 1;
        lexeme
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek().token, Token::Symbol(found) if found == symbol)
    }

    fn accept(&mut self, symbol: &str) -> Option<Lexeme<'a>> {
        self.is(symbol).then(|| self.next())
    }

    /// A new node at a place.
    pub(super) fn id_at(&mut self, offset: usize) -> Id {
        self.offsets.push(offset);
        (self.offsets.len() - 1) as Id
    }

    /// Whether more nodes may be made; if not that is reported, once.
    pub(super) fn has_room(&mut self) -> bool {
        let has_room = self.offsets.len() < MAX_NODES;
        if !has_room && self.issues.is_empty() {
            self.issues.push(Issue {
                offset: None,
                message: format!("expression has more than {MAX_NODES} nodes"),
            });
        }
        has_room
    }

    pub(super) fn offset_of(&self, id: Id) -> usize {
        self.offsets.get(id as usize).copied().unwrap_or_default()
    }

    pub(super) fn report(&mut self, offset: usize, message: impl Into<String>) {
        self.issues.push(Issue {
            offset: Some(offset),
            message: message.into(),
        });
    }

    fn syntax_error<T>(&mut self, message: String) -> Step<T> {
        let offset = self.peek().offset;
        self.report(offset, format!("Syntax error: {message}"));
        Err(Stop)
    }

    fn mismatched<T>(&mut self, expected: &str) -> Step<T> {
        let text = self.peek().text;
        self.syntax_error(format!("mismatched input '{text}' expecting {expected}"))
    }

    /// Takes `symbol`. One superfluous token before it, or its absence before a token that may follow
    /// it, is reported and passed over.
    fn expect(&mut self, symbol: &'static str) -> Step<Lexeme<'a>> {
        if self.is(symbol) {
            return Ok(self.next());
        }
        let found = self.peek();
        if matches!(self.peek_at(1).token, Token::Symbol(next) if next == symbol)
            && found.token != Token::End
        {
            self.report(
                found.offset,
                format!(
                    "Syntax error: extraneous input '{}' expecting '{symbol}'",
                    found.text
                ),
            );
            self.at += 1;
            return Ok(self.next());
        }
        let may_follow = match found.token {
            Token::End => symbol != ":",
            Token::Symbol(next) => matches!(next, ")" | "]" | "}" | "," | ":") && symbol != ":",
            _ => false,
        };
        if may_follow {
            self.report(
                found.offset,
                format!("Syntax error: missing '{symbol}' at '{}'", found.text),
            );
            return Ok(found);
        }
        self.mismatched(&format!("'{symbol}'"))
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Step<T>) -> Step<T> {
        if self.depth >= MAX_DEPTH {
            self.issues.push(Issue {
                offset: None,
                message: format!("expression recursion limit exceeded: {MAX_DEPTH}"),
            });
            return Err(Stop);
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn start(&mut self) -> Step<Expr> {
        let root = self.expr()?;
        let rest = self.peek();
        if rest.token != Token::End {
            if self.peek_at(1).token == Token::End {
                return self
                    .syntax_error(format!("extraneous input '{}' expecting <EOF>", rest.text));
            }
            return self.mismatched("<EOF>");
        }
        Ok(root)
    }

    fn expr(&mut self) -> Step<Expr> {
        self.deeper(|parser| with_stack(|| parser.ternary()))
    }

    fn ternary(&mut self) -> Step<Expr> {
        let condition = self.chain("||", "_||_", |parser| {
            parser.chain("&&", "_&&_", Parser::relation)
        })?;
        let Some(question) = self.accept("?") else {
            return Ok(condition);
        };
        let id = self.id_at(question.offset);
        let yes = self.chain("||", "_||_", |parser| {
            parser.chain("&&", "_&&_", Parser::relation)
        })?;
        self.expect(":")?;
        let no = self.expr()?;
        Ok(call(id, "_?_:_", vec![condition, yes, no]))
    }

    /// Terms joined by `&&` or `||`, as a balanced tree.
    fn chain(
        &mut self,
        symbol: &str,
        function: &str,
        term: impl Fn(&mut Self) -> Step<Expr>,
    ) -> Step<Expr> {
        let mut terms = vec![Some(term(self)?)];
        let mut operators = Vec::new();
        while let Some(operator) = self.accept(symbol) {
            terms.push(Some(term(self)?));
            operators.push(self.id_at(operator.offset));
        }
        Ok(balance(&mut terms, &operators, function))
    }

    fn relation(&mut self) -> Step<Expr> {
        let mut left = self.sum()?;
        let mut count = 0;
        loop {
            let function = match self.peek().token {
                Token::Symbol("<") => "_<_",
                Token::Symbol("<=") => "_<=_",
                Token::Symbol(">=") => "_>=_",
                Token::Symbol(">") => "_>_",
                Token::Symbol("==") => "_==_",
                Token::Symbol("!=") => "_!=_",
                Token::Symbol("in") => "@in",
                _ => return Ok(left),
            };
            self.limit(&mut count, &left)?;
            let operator = self.next();
            let id = self.id_at(operator.offset);
            let right = self.sum()?;
            left = call(id, function, vec![left, right]);
        }
    }

    fn sum(&mut self) -> Step<Expr> {
        let mut left = self.product()?;
        let mut count = 0;
        loop {
            let function = match self.peek().token {
                Token::Symbol("+") => "_+_",
                Token::Symbol("-") => "_-_",
                _ => return Ok(left),
            };
            self.limit(&mut count, &left)?;
            let operator = self.next();
            let id = self.id_at(operator.offset);
            let right = self.product()?;
            left = call(id, function, vec![left, right]);
        }
    }

    fn product(&mut self) -> Step<Expr> {
        let mut left = self.unary()?;
        let mut count = 0;
        loop {
            let function = match self.peek().token {
                Token::Symbol("*") => "_*_",
                Token::Symbol("/") => "_/_",
                Token::Symbol("%") => "_%_",
                _ => return Ok(left),
            };
            self.limit(&mut count, &left)?;
            let operator = self.next();
            let id = self.id_at(operator.offset);
            let right = self.unary()?;
            left = call(id, function, vec![left, right]);
        }
    }

    /// A chain of operators is a deep tree: it has the same limit as nesting.
    fn limit(&mut self, count: &mut usize, left: &Expr) -> Step<()> {
        *count += 1;
        if *count + self.depth <= MAX_DEPTH && left.height <= MAX_HEIGHT {
            return Ok(());
        }
        self.issues.push(Issue {
            offset: None,
            message: format!("expression recursion limit exceeded: {MAX_DEPTH}"),
        });
        Err(Stop)
    }

    fn unary(&mut self) -> Step<Expr> {
        let (symbol, function) = match self.peek().token {
            Token::Symbol("!") => ("!", "!_"),
            Token::Symbol("-") => ("-", "-_"),
            _ => return self.member(),
        };
        // A minus before a number belongs to it.
        let is_number = |token: Token| matches!(token, Token::Int | Token::Float);
        if symbol == "-" && is_number(self.peek_at(1).token) {
            return self.member();
        }
        let first = self.peek();
        let mut count = 0;
        while self.is(symbol) && !(symbol == "-" && is_number(self.peek_at(1).token)) {
            self.next();
            count += 1;
        }
        if count % 2 == 0 {
            return self.member();
        }
        let id = self.id_at(first.offset);
        let operand = self.member()?;
        Ok(call(id, function, vec![operand]))
    }

    fn member(&mut self) -> Step<Expr> {
        let mut expr = self.primary()?;
        let mut count = 0;
        loop {
            if self.is(".") {
                self.limit(&mut count, &expr)?;
                expr = self.select(expr)?;
            } else if let Some(open) = self.accept("[") {
                self.limit(&mut count, &expr)?;
                let id = self.id_at(open.offset);
                let optional = self.accept("?").is_some();
                let index = self.expr()?;
                self.expect("]")?;
                let function = if optional { "_[?_]" } else { "_[_]" };
                expr = call(id, function, vec![expr, index]);
            } else {
                return Ok(expr);
            }
        }
    }

    fn select(&mut self, operand: Expr) -> Step<Expr> {
        let dot = self.next();
        let optional = self.accept("?").is_some();
        let name = self.peek();
        match name.token {
            Token::Ident | Token::Quoted => {
                self.next();
            }
            Token::End | Token::Text | Token::Bytes | Token::Int | Token::Uint | Token::Float
                if !optional =>
            {
                let shown = if name.token == Token::End {
                    "."
                } else {
                    &format!(".{}", name.text)
                };
                let offset = name.offset;
                self.report(
                    offset,
                    format!("Syntax error: no viable alternative at input '{shown}'"),
                );
                return Err(Stop);
            }
            Token::Symbol("true" | "false" | "null" | "in") if !optional => {
                // The words of an earlier grammar are kept for these.
                return self.mismatched("IDENTIFIER");
            }
            _ if optional => return self.mismatched("{IDENTIFIER, ESC_IDENTIFIER}"),
            _ => {
                let shown = format!(".{}", name.text);
                self.report(
                    name.offset,
                    format!("Syntax error: no viable alternative at input '{shown}'"),
                );
                return Err(Stop);
            }
        }
        if !optional
            && name.token == Token::Ident
            && let Some(open) = self.accept("(")
        {
            let id = self.id_at(open.offset);
            let args = self.arguments()?;
            return Ok(macros::expand(self, id, name.text, Some(operand), args));
        }
        let field = self.field_name(name);
        if optional {
            let id = self.id_at(dot.offset);
            let text_id = self.id_at(name.offset);
            let text = literal(text_id, Literal::Text(Arc::from(field)));
            return Ok(call(id, "_?._", vec![operand, text]));
        }
        let id = self.id_at(dot.offset);
        Ok(Expr::new(
            id,
            Kind::Select {
                operand: Box::new(operand),
                field,
                test: false,
            },
        ))
    }

    fn field_name(&mut self, name: Lexeme<'a>) -> String {
        if name.token == Token::Quoted {
            // Backticks are not enabled in Kubernetes.
            self.report(name.offset, "unsupported syntax: '`'");
        }
        name.text.trim_matches('`').to_owned()
    }

    fn arguments(&mut self) -> Step<Vec<Expr>> {
        let mut args = Vec::new();
        if self.accept(")").is_some() {
            return Ok(args);
        }
        loop {
            args.push(self.expr()?);
            if self.accept(",").is_none() {
                break;
            }
        }
        self.expect(")")?;
        Ok(args)
    }

    fn primary(&mut self) -> Step<Expr> {
        let lexeme = self.peek();
        match lexeme.token {
            Token::Symbol("(") => {
                self.next();
                let inner = self.expr()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Symbol("[") => self.list(),
            Token::Symbol("{") => self.map(),
            Token::Symbol(".") if self.peek_at(1).token == Token::Ident => self.named(),
            Token::Symbol(".") => {
                let next = self.peek_at(1);
                self.at += 1;
                let text = if next.token == Token::End {
                    ""
                } else {
                    next.text
                };
                self.syntax_error(format!("no viable alternative at input '.{text}'"))
            }
            Token::Ident => self.named(),
            Token::Symbol("true" | "false" | "null")
            | Token::Int
            | Token::Uint
            | Token::Float
            | Token::Text
            | Token::Bytes => Ok(self.literal()),
            Token::Symbol("-") if matches!(self.peek_at(1).token, Token::Int | Token::Float) => {
                Ok(self.literal())
            }
            _ => self.unexpected(lexeme),
        }
    }

    /// A token where a value must begin: it is passed over if a value follows it.
    fn unexpected(&mut self, lexeme: Lexeme<'a>) -> Step<Expr> {
        let next = self.peek_at(1).token;
        let begins_value = match next {
            Token::Symbol(symbol) => {
                matches!(
                    symbol,
                    "[" | "{" | "(" | "." | "-" | "!" | "true" | "false" | "null"
                )
            }
            Token::Quoted | Token::End => false,
            _ => true,
        };
        if begins_value && lexeme.token != Token::End {
            self.report(
                lexeme.offset,
                format!(
                    "Syntax error: extraneous input '{}' expecting {EXPECTED_PRIMARY}",
                    lexeme.text
                ),
            );
            self.at += 1;
            return self.unary();
        }
        let is_operator = matches!(
            lexeme.token,
            Token::Symbol(
                "+" | "*"
                    | "/"
                    | "%"
                    | "<"
                    | "<="
                    | ">"
                    | ">="
                    | "=="
                    | "!="
                    | "in"
                    | "&&"
                    | "||"
                    | "?"
            )
        );
        if is_operator {
            // Reading goes on as if the operator's left side were there.
            self.report(
                lexeme.offset,
                format!(
                    "Syntax error: mismatched input '{}' expecting {EXPECTED_PRIMARY}",
                    lexeme.text
                ),
            );
            let id = self.id_at(lexeme.offset);
            return Ok(Expr::new(id, Kind::Literal(Literal::Null)));
        }
        self.mismatched(EXPECTED_PRIMARY)
    }

    fn named(&mut self) -> Step<Expr> {
        let start = self.peek().offset;
        let leading = self.accept(".").is_some();
        let name = self.next();
        if self.is("{") || self.is_message() {
            return self.message(name, leading);
        }
        if RESERVED.contains(&name.text) {
            self.report(start, format!("reserved identifier: {}", name.text));
        }
        let full = if leading {
            format!(".{}", name.text)
        } else {
            name.text.to_owned()
        };
        if let Some(open) = self.accept("(") {
            let id = self.id_at(open.offset);
            let args = self.arguments()?;
            return Ok(macros::expand(self, id, &full, None, args));
        }
        let id = self.id_at(name.offset);
        Ok(Expr::new(id, Kind::Ident(full)))
    }

    /// Whether `a.b.C{` follows, of which `a` is taken.
    fn is_message(&self) -> bool {
        let mut ahead = 0;
        while self.peek_at(ahead).token == Token::Symbol(".")
            && self.peek_at(ahead + 1).token == Token::Ident
        {
            ahead += 2;
            if self.peek_at(ahead).token == Token::Symbol("{") {
                return true;
            }
        }
        false
    }

    fn message(&mut self, first: Lexeme<'a>, leading: bool) -> Step<Expr> {
        let mut name = if leading {
            format!(".{}", first.text)
        } else {
            first.text.to_owned()
        };
        while self.accept(".").is_some() {
            name.push('.');
            name.push_str(self.next().text);
        }
        let open = self.expect("{")?;
        let id = self.id_at(open.offset);
        let mut fields = Vec::new();
        while !self.is("}") {
            let _optional = self.accept("?");
            match self.peek().token {
                Token::Ident | Token::Quoted => {
                    self.next();
                }
                _ => return self.mismatched("{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"),
            }
            self.expect(":")?;
            fields.push(self.expr()?);
            if self.accept(",").is_none() {
                break;
            }
        }
        self.expect("}")?;
        Ok(Expr::new(id, Kind::Struct { name, fields }))
    }

    fn list(&mut self) -> Step<Expr> {
        let open = self.next();
        let id = self.id_at(open.offset);
        let mut items = Vec::new();
        if self.accept(",").is_some() {
            self.expect("]")?;
        } else {
            while !self.is("]") {
                if self.peek().token == Token::End && items.is_empty() {
                    return self.mismatched(EXPECTED_ITEM);
                }
                let optional = self.accept("?").is_some();
                items.push((self.expr()?, optional));
                if self.accept(",").is_none() {
                    break;
                }
            }
            self.expect("]")?;
        }
        Ok(Expr::new(id, Kind::List(items)))
    }

    fn map(&mut self) -> Step<Expr> {
        let open = self.next();
        let id = self.id_at(open.offset);
        let mut entries = Vec::new();
        if self.accept(",").is_some() {
            self.expect("}")?;
        } else {
            while !self.is("}") {
                if self.peek().token == Token::End && entries.is_empty() {
                    return self.mismatched(EXPECTED_ENTRY);
                }
                let optional = self.accept("?").is_some();
                let key = self.expr()?;
                let colon = self.expect(":")?;
                self.id_at(colon.offset);
                let value = self.expr()?;
                entries.push(Entry {
                    key,
                    value,
                    optional,
                });
                if self.accept(",").is_none() {
                    break;
                }
            }
            self.expect("}")?;
        }
        Ok(Expr::new(id, Kind::Map(entries)))
    }

    fn literal(&mut self) -> Expr {
        let start = self.peek().offset;
        let minus = self.accept("-").is_some();
        let lexeme = self.next();
        let text = if minus {
            format!("-{}", lexeme.text)
        } else {
            lexeme.text.to_owned()
        };
        let value = match lexeme.token {
            Token::Symbol("true") => Ok(Literal::Bool(true)),
            Token::Symbol("false") => Ok(Literal::Bool(false)),
            Token::Int => int(&text).map(Literal::Int).ok_or("invalid int literal"),
            Token::Uint => uint(&text).map(Literal::Uint).ok_or("invalid uint literal"),
            Token::Float => {
                let float = text.parse::<f64>().ok().filter(|float| float.is_finite());
                float.map(Literal::Double).ok_or("invalid double literal")
            }
            Token::Text => lexer::unquote(&text, false)
                .map(|bytes| Literal::Text(Arc::from(String::from_utf8_lossy(&bytes)))),
            Token::Bytes => {
                lexer::unquote(&text[1..], true).map(|bytes| Literal::Bytes(Arc::from(bytes)))
            }
            _ => Ok(Literal::Null),
        };
        let id = self.id_at(start);
        match value {
            Ok(value) => literal(id, value),
            Err(message) => {
                self.report(start, message);
                literal(id, Literal::Null)
            }
        }
    }
}

fn int(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    match digits.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(&format!("{sign}{hex}"), 16).ok(),
        None => text.parse().ok(),
    }
}

fn uint(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(['u', 'U']);
    match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

pub(super) fn call(id: Id, function: &str, args: Vec<Expr>) -> Expr {
    Expr::new(
        id,
        Kind::Call {
            function: function.to_owned(),
            target: None,
            args,
        },
    )
}

pub(super) fn literal(id: Id, value: Literal) -> Expr {
    Expr::new(id, Kind::Literal(value))
}

fn balance(terms: &mut [Option<Expr>], operators: &[Id], function: &str) -> Expr {
    let unset = || literal(0, Literal::Null);
    if operators.is_empty() {
        return terms[0].take().unwrap_or_else(unset);
    }
    let middle = operators.len() / 2;
    let (left_terms, right_terms) = terms.split_at_mut(middle + 1);
    let left = balance(left_terms, &operators[..middle], function);
    let right = balance(right_terms, &operators[middle + 1..], function);
    call(operators[middle], function, vec![left, right])
}

#[cfg(test)]
mod tests;
