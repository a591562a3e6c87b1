//! Static tokens, as kube-apiserver's `--token-auth-file` has them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::context::User;

/// A line of a token file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct TokenFileError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: &'static str,
}

/// Tokens and their users.
#[derive(Clone, Default)]
pub struct StaticTokens(Arc<HashMap<String, User>>);

impl StaticTokens {
    /// Reads a file of lines `token,user,uid[,"group1,group2"]`.
    ///
    /// Source: apiserver, `authentication/token/tokenfile`.
    pub fn parse(text: &str) -> Result<Self, TokenFileError> {
        let mut tokens = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let at = |problem| TokenFileError {
                line: index + 1,
                problem,
            };
            let fields = fields(line);
            let [token, name, uid, rest @ ..] = fields.as_slice() else {
                return Err(at("needs at least token, user and uid"));
            };
            if token.is_empty() {
                return Err(at("the token is empty"));
            }
            let groups = rest.first().map_or("", String::as_str);
            let mut groups: Vec<String> = groups
                .split(',')
                .filter(|group| !group.is_empty())
                .map(str::to_owned)
                .collect();
            groups.push("system:authenticated".to_owned());
            let user = User {
                name: name.clone(),
                uid: uid.clone(),
                groups,
                ..User::default()
            };
            tokens.insert(token.clone(), user);
        }
        Ok(Self(Arc::new(tokens)))
    }

    /// The same tokens and one more.
    #[must_use]
    pub fn with(self, token: &str, mut user: User) -> Self {
        if !user.is_in("system:authenticated") {
            user.groups.push("system:authenticated".to_owned());
        }
        let mut tokens = Arc::unwrap_or_clone(self.0);
        tokens.insert(token.to_owned(), user);
        Self(Arc::new(tokens))
    }

    /// The user of a token.
    pub fn user(&self, token: &str) -> Option<User> {
        self.0.get(token).cloned()
    }
}

/// Splits one line of CSV; a field may be quoted, and a doubled quote stands for one.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.trim_end().chars().peekable();
    while let Some(character) = characters.next() {
        let last = fields.len() - 1;
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                fields[last].push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            ' ' if !quoted && fields[last].is_empty() => {}
            _ => fields[last].push(character),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_quoted_lists() {
        let tokens = StaticTokens::parse("t,bob,1,\"developers,ops\"\n\nu,eve,2\n").unwrap();
        let bob = tokens.user("t").unwrap();
        assert_eq!(bob.groups, ["developers", "ops", "system:authenticated"]);
        assert_eq!(tokens.user("u").unwrap().name, "eve");
        assert!(tokens.user("x").is_none());
        assert_eq!(StaticTokens::parse("t,bob").err().unwrap().line, 1);
    }
}
