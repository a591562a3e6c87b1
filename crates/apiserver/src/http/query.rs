//! The query of a request, as Go's `net/url` reads it.

/// The parameters in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a raw query. A pair with a semicolon or with bad percent-encoding is left out.
    ///
    /// Source: Go, `url.ParseQuery`, whose error apiserver does not look at.
    pub fn parse(raw: &str) -> Self {
        let pairs = raw
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.contains(';'))
            .filter_map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((unescape(key, true)?, unescape(value, true)?))
            })
            .collect();
        Self(pairs)
    }

    /// A query of given parameters.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        Self(
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    /// The first value of a parameter.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a parameter, or the empty text.
    pub fn text(&self, key: &str) -> &str {
        self.get(key).unwrap_or_default()
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == key)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the parameter was given.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A truth value: given, and neither `false` nor `0`. The empty value counts as true.
    ///
    /// Source: apimachinery, `runtime.Convert_Slice_string_To_bool`.
    pub fn is_true(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }
}

/// Undoes percent-encoding; `None` where it is broken. `plus` stands for a blank in queries.
pub fn unescape(text: &str, is_query: bool) -> Option<String> {
    if !text.contains(['%', '+']) {
        return Some(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b'%' => {
                let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
                out.push((digit(index + 1)? * 16 + digit(index + 2)?) as u8);
                index += 2;
            }
            b'+' if is_query => out.push(b' '),
            other => out.push(other),
        }
        index += 1;
    }
    Some(
        String::from_utf8(out)
            .unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_pairs_are_left_out() {
        let query = Query::parse("a=1&b=%ZZ&c=x%20y+z&d&a=2;3&e=a%2Cb");
        assert_eq!(query.get("a"), Some("1"));
        assert_eq!(query.get("b"), None);
        assert_eq!(query.get("c"), Some("x y z"));
        assert!(query.is_true("d"));
        assert_eq!(query.text("e"), "a,b");
    }
}
