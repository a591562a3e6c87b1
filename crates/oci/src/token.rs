//! Bearer tokens: what a registry asks for, and how it is asked. Source: the distribution specification's
//! token authentication.

use std::collections::BTreeMap;

/// A `WWW-Authenticate: Bearer …` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) realm: String,
    pub(crate) service: String,
    pub(crate) scope: String,
}

impl Challenge {
    /// Reads the header; none if it asks for something else.
    pub(crate) fn read(header: &str) -> Option<Self> {
        let rest = header
            .strip_prefix("Bearer ")
            .or_else(|| header.strip_prefix("bearer "))?;
        let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
        let mut rest = rest.trim();
        while let Some((name, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"')?;
            fields.insert(name.trim_matches([',', ' ']), value);
            rest = after;
        }
        let field = |name: &str| fields.get(name).copied().unwrap_or_default().to_owned();
        let realm = field("realm");
        (!realm.is_empty()).then(|| Self {
            realm,
            service: field("service"),
            scope: field("scope"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Challenge;

    #[test]
    fn challenges_are_read() {
        let header = "Bearer realm=\"https://auth.example.com/token\",service=\"r\",scope=\"repository:a:pull,push\"";
        let read = Challenge::read(header).unwrap();
        assert_eq!(read.realm, "https://auth.example.com/token");
        assert_eq!(
            (read.service.as_str(), read.scope.as_str()),
            ("r", "repository:a:pull,push")
        );
        assert_eq!(Challenge::read("Basic realm=\"x\""), None);
    }
}
