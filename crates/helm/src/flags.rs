//! Command-line flags as Helm reads them: spf13/pflag, with its messages.

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing, or `=true` and `=false`.
    Bool,
    /// One value; the last one counts. Also numbers and durations, which are not looked into.
    One,
    /// A value as it is, each time.
    Many,
    /// Values with commas between, each time.
    List,
    /// Nothing, which means this value, or a value after `=`.
    Optional(&'static str),
}

/// A flag.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// The name, without dashes.
    pub name: &'static str,
    /// The letter.
    pub short: Option<char>,
    /// What it takes.
    pub takes: Takes,
}

impl Flag {
    /// A flag without a letter.
    pub const fn new(name: &'static str, takes: Takes) -> Flag {
        Flag {
            name,
            short: None,
            takes,
        }
    }

    /// The flag with a letter too.
    pub const fn short(self, letter: char) -> Flag {
        Flag {
            short: Some(letter),
            ..self
        }
    }
}

/// Why words are no command line: pflag's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// There is no such flag.
    #[error("unknown flag: --{0}")]
    Unknown(String),
    /// There is no such letter.
    #[error("unknown shorthand flag: {letter:?} in -{letters}")]
    UnknownLetter {
        /// The letter.
        letter: char,
        /// The word it is in.
        letters: String,
    },
    /// A value is missing.
    #[error("flag needs an argument: --{0}")]
    NoValue(String),
    /// A value is missing.
    #[error("flag needs an argument: {letter:?} in -{letters}")]
    NoValueAfterLetter {
        /// The letter.
        letter: char,
        /// The word it is in.
        letters: String,
    },
    /// A word is none.
    #[error("bad flag syntax: {0}")]
    Syntax(String),
    /// A value is not what the flag takes.
    #[error("invalid argument {value:?} for {flag:?} flag: {problem}")]
    Value {
        /// The value.
        value: String,
        /// The flag with its letter, as pflag shows it.
        flag: String,
        /// What is wrong.
        problem: String,
    },
}

/// Words sorted out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    given: Vec<(&'static str, String)>,
    /// The words that are no flags.
    pub words: Vec<String>,
}

impl Parsed {
    /// The last value of a flag.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut given = self.given.iter().rev();
        given
            .find(|(flag, _)| *flag == name)
            .map(|(_, value)| value.as_str())
    }

    /// The last value of a flag, or nothing.
    pub fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// All values of a flag.
    pub fn all(&self, name: &str) -> Vec<String> {
        let given = self.given.iter().filter(|(flag, _)| *flag == name);
        given.map(|(_, value)| value.clone()).collect()
    }

    /// Whether a flag is set.
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}

/// Sorts `words` out; flags and other words may come in any order.
pub fn parse<S: AsRef<str>>(flags: &[&[Flag]], words: &[S]) -> Result<Parsed, FlagError> {
    let mut parsed = Parsed::default();
    let mut words = words.iter().map(AsRef::as_ref);
    while let Some(word) = words.next() {
        if word == "--" {
            parsed.words.extend(words.by_ref().map(str::to_owned));
        } else if let Some(name) = word.strip_prefix("--") {
            long(flags, word, name, &mut words, &mut parsed)?;
        } else if word.len() > 1
            && let Some(letters) = word.strip_prefix('-')
        {
            short(flags, letters, &mut words, &mut parsed)?;
        } else {
            parsed.words.push(word.to_owned());
        }
    }
    Ok(parsed)
}

fn long<'a>(
    flags: &[&[Flag]],
    word: &str,
    name: &str,
    words: &mut impl Iterator<Item = &'a str>,
    parsed: &mut Parsed,
) -> Result<(), FlagError> {
    if name.starts_with(['-', '=']) {
        return Err(FlagError::Syntax(word.to_owned()));
    }
    let (name, value) = match name.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (name, None),
    };
    let mut known = flags.iter().copied().flatten();
    let flag = known
        .find(|flag| flag.name == name)
        .ok_or_else(|| FlagError::Unknown(name.to_owned()))?;
    let value = match (value, flag.takes) {
        (Some(value), _) => value,
        (None, Takes::Bool) => "true",
        (None, Takes::Optional(value)) => value,
        (None, _) => words
            .next()
            .ok_or_else(|| FlagError::NoValue(name.to_owned()))?,
    };
    store(flag, value, parsed)
}

fn short<'a>(
    flags: &[&[Flag]],
    letters: &str,
    words: &mut impl Iterator<Item = &'a str>,
    parsed: &mut Parsed,
) -> Result<(), FlagError> {
    let mut rest = letters;
    while let Some(letter) = rest.chars().next() {
        let whole = rest;
        rest = &rest[letter.len_utf8()..];
        let mut known = flags.iter().copied().flatten();
        let flag = known
            .find(|flag| flag.short == Some(letter))
            .ok_or_else(|| FlagError::UnknownLetter {
                letter,
                letters: whole.to_owned(),
            })?;
        let value = match (rest.strip_prefix('='), flag.takes) {
            (Some(value), _) if rest.len() > 1 => {
                rest = "";
                value
            }
            (_, Takes::Bool) => "true",
            (_, Takes::Optional(value)) => value,
            _ if !rest.is_empty() => std::mem::take(&mut rest),
            _ => words.next().ok_or_else(|| FlagError::NoValueAfterLetter {
                letter,
                letters: whole.to_owned(),
            })?,
        };
        store(flag, value, parsed)?;
    }
    Ok(())
}

fn store(flag: &Flag, value: &str, parsed: &mut Parsed) -> Result<(), FlagError> {
    let wrong = |problem: String| FlagError::Value {
        value: value.to_owned(),
        flag: match flag.short {
            Some(letter) => format!("-{letter}, --{}", flag.name),
            None => format!("--{}", flag.name),
        },
        problem,
    };
    match flag.takes {
        Takes::Bool => {
            let truth = match value {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => "true",
                "0" | "f" | "F" | "false" | "FALSE" | "False" => "false",
                _ => {
                    return Err(wrong(format!(
                        "strconv.ParseBool: parsing {value:?}: invalid syntax"
                    )));
                }
            };
            parsed.given.push((flag.name, truth.to_owned()));
        }
        Takes::List => {
            for part in comma_separated(value).map_err(wrong)? {
                parsed.given.push((flag.name, part));
            }
        }
        Takes::One | Takes::Many | Takes::Optional(_) => {
            parsed.given.push((flag.name, value.to_owned()));
        }
    }
    Ok(())
}

/// One line of comma-separated values, of which some may be quoted. Source: Go `encoding/csv`.
fn comma_separated(line: &str) -> Result<Vec<String>, String> {
    if line.is_empty() {
        return Ok(Vec::new());
    }
    let mut fields = Vec::new();
    let mut rest = line.split('\n').next().unwrap_or_default();
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, after) = match rest.split_once(',') {
                Some((field, after)) => (field, Some(after)),
                None => (rest, None),
            };
            if field.contains('"') {
                return Err(format!(
                    "parse error on line 1, column {}: bare \" in non-quoted-field",
                    line.len() - rest.len() + field.find('"').unwrap_or_default() + 1
                ));
            }
            fields.push(field.to_owned());
            match after {
                Some(after) => rest = after,
                None => return Ok(fields),
            }
            continue;
        };
        let mut field = String::new();
        let mut inner = quoted;
        loop {
            let Some((part, after)) = inner.split_once('"') else {
                return Err(format!(
                    "parse error on line 1, column {}: extraneous or missing \" in quoted-field",
                    line.len() + 1
                ));
            };
            field.push_str(part);
            if let Some(after) = after.strip_prefix('"') {
                field.push('"');
                inner = after;
                continue;
            }
            fields.push(field);
            if after.is_empty() {
                return Ok(fields);
            }
            let Some(next) = after.strip_prefix(',') else {
                return Err(format!(
                    "parse error on line 1, column {}: extraneous or missing \" in quoted-field",
                    line.len() - after.len()
                ));
            };
            rest = next;
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] = &[
        Flag::new("values", Takes::List).short('f'),
        Flag::new("set", Takes::Many),
        Flag::new("namespace", Takes::One).short('n'),
        Flag::new("include-crds", Takes::Bool),
        Flag::new("generate-name", Takes::Bool).short('g'),
        Flag::new("dry-run", Takes::Optional("client")),
    ];

    fn check(words: &[&str], wanted: Result<(&[(&str, &str)], &[&str]), &str>) {
        let parsed = parse(&[FLAGS], words);
        match (parsed, wanted) {
            (Ok(parsed), Ok((given, rest))) => {
                let found: Vec<(&str, &str)> = parsed
                    .given
                    .iter()
                    .map(|(name, value)| (*name, &value[..]))
                    .collect();
                assert_eq!(found, given);
                assert_eq!(parsed.words, rest);
            }
            (Err(error), Err(message)) => assert_eq!(error.to_string(), message),
            (parsed, wanted) => panic!("{parsed:?}, wanted {wanted:?}"),
        }
    }

    #[test]
    fn words_are_sorted_out() {
        check(
            &[
                "a",
                "-f",
                "x,\"y,z\"",
                "--set=a=b,c=d",
                "b",
                "-nns",
                "--include-crds",
                "--",
                "-q",
            ],
            Ok((
                &[
                    ("values", "x"),
                    ("values", "y,z"),
                    ("set", "a=b,c=d"),
                    ("namespace", "ns"),
                    ("include-crds", "true"),
                ],
                &["a", "b", "-q"],
            )),
        );
        check(
            &["-gf=x"],
            Ok((&[("generate-name", "true"), ("values", "x")], &[])),
        );
        check(&["--dry-run", "x"], Ok((&[("dry-run", "client")], &["x"])));
    }

    #[test]
    fn mistakes_are_named_as_pflag_does() {
        check(&["--no-such-flag"], Err("unknown flag: --no-such-flag"));
        check(&["-gx"], Err("unknown shorthand flag: 'x' in -x"));
        check(&["--set"], Err("flag needs an argument: --set"));
        check(&["-n"], Err("flag needs an argument: 'n' in -n"));
        check(&["--=x"], Err("bad flag syntax: --=x"));
        check(
            &["--include-crds=maybe"],
            Err(
                "invalid argument \"maybe\" for \"--include-crds\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
            ),
        );
    }
}
