//! Commits and tags as they are written, with what their signatures are made over.

use gix_hash::ObjectId;

use crate::GitError;

/// Who did something, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// Seconds since 1970.
    pub time: i64,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id in hexadecimal digits.
    pub id: String,
    /// The id of its tree.
    pub(crate) tree: ObjectId,
    pub(crate) parents: Vec<ObjectId>,
    /// Who wrote the change.
    pub author: Person,
    /// Who committed it.
    pub committer: Person,
    /// The message.
    pub message: String,
    /// The signature, armoured; empty if there is none.
    pub signature: String,
    /// What the signature is made over.
    pub payload: Vec<u8>,
}

/// A tag that is an object; `id` is empty for one that is only a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its id in hexadecimal digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The message.
    pub message: String,
    /// The signature, armoured; empty if there is none.
    pub signature: String,
    /// What the signature is made over.
    pub payload: Vec<u8>,
}

impl Commit {
    pub(crate) fn parse(id: ObjectId, raw: &[u8]) -> Result<Self, GitError> {
        let malformed = || GitError::Malformed("commit");
        let end = raw
            .windows(2)
            .position(|two| two == b"\n\n")
            .map_or(raw.len(), |at| at + 1);
        let mut commit = Self {
            id: id.to_string(),
            tree: ObjectId::null(gix_hash::Kind::Sha1),
            parents: Vec::new(),
            author: Person::default(),
            committer: Person::default(),
            message: String::from_utf8_lossy(raw.get(end + 1..).unwrap_or_default()).into_owned(),
            signature: String::new(),
            payload: Vec::with_capacity(raw.len()),
        };
        let mut in_signature = false;
        for line in raw[..end].split_inclusive(|byte| *byte == b'\n') {
            if in_signature && line.starts_with(b" ") {
                commit
                    .signature
                    .push_str(&String::from_utf8_lossy(&line[1..]));
                continue;
            }
            in_signature = false;
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let (key, value) = match text.iter().position(|byte| *byte == b' ') {
                Some(space) => (&text[..space], &text[space + 1..]),
                None => (text, &b""[..]),
            };
            match key {
                b"gpgsig" => {
                    in_signature = true;
                    commit.signature = format!("{}\n", String::from_utf8_lossy(value));
                    continue;
                }
                b"tree" => commit.tree = ObjectId::from_hex(value).map_err(|_| malformed())?,
                b"parent" => commit
                    .parents
                    .push(ObjectId::from_hex(value).map_err(|_| malformed())?),
                b"author" => commit.author = Person::parse(value),
                b"committer" => commit.committer = Person::parse(value),
                _ => {}
            }
            commit.payload.extend_from_slice(line);
        }
        commit.payload.extend_from_slice(&raw[end..]);
        if commit.tree.is_null() {
            Err(malformed())
        } else {
            Ok(commit)
        }
    }

    /// The first 50 characters of the first line of the message, as Flux shows them.
    pub fn short_message(&self) -> String {
        let subject = self.message.split('\n').next().unwrap_or_default();
        match subject.char_indices().nth(50) {
            Some((at, _)) => format!("{}...", &subject[..at]),
            None => subject.to_owned(),
        }
    }
}

impl Tag {
    /// A tag that is no object.
    pub(crate) fn lightweight(name: &str) -> Self {
        Self {
            id: String::new(),
            name: name.to_owned(),
            message: String::new(),
            signature: String::new(),
            payload: Vec::new(),
        }
    }

    /// The tag, and what it leads to.
    pub(crate) fn parse(id: ObjectId, raw: &[u8]) -> Result<(Self, ObjectId), GitError> {
        let malformed = || GitError::Malformed("tag");
        let head = raw
            .windows(2)
            .position(|two| two == b"\n\n")
            .map_or(raw.len(), |at| at + 1);
        let mut target = None;
        let mut name = String::new();
        for line in raw[..head].split(|byte| *byte == b'\n') {
            if let Some(value) = line.strip_prefix(b"object ") {
                target = Some(ObjectId::from_hex(value).map_err(|_| malformed())?);
            } else if let Some(value) = line.strip_prefix(b"tag ") {
                name = String::from_utf8_lossy(value).into_owned();
            }
        }
        let signed = [
            "-----BEGIN PGP SIGNATURE-----",
            "-----BEGIN SSH SIGNATURE-----",
            "-----BEGIN SIGNED MESSAGE-----",
        ];
        let at = (head..raw.len()).rev().find(|at| {
            raw[*at - 1] == b'\n'
                && signed
                    .iter()
                    .any(|start| raw[*at..].starts_with(start.as_bytes()))
        });
        let end = at.unwrap_or(raw.len());
        let tag = Self {
            id: id.to_string(),
            name,
            message: String::from_utf8_lossy(raw.get(head + 1..end).unwrap_or_default())
                .into_owned(),
            signature: String::from_utf8_lossy(&raw[end..]).into_owned(),
            payload: raw[..end].to_vec(),
        };
        Ok((tag, target.ok_or_else(malformed)?))
    }
}

impl std::fmt::Display for Tag {
    /// `<name>@<id>`, or the name of a tag that is no object.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.name)?;
        if !self.id.is_empty() {
            write!(formatter, "@{}", self.id)?;
        }
        Ok(())
    }
}

impl Person {
    fn parse(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let (name, rest) = text.split_once('<').unwrap_or((&text, ""));
        let (email, rest) = rest.split_once('>').unwrap_or((rest, ""));
        Self {
            name: name.trim().to_owned(),
            email: email.to_owned(),
            time: rest
                .split_whitespace()
                .next()
                .and_then(|time| time.parse().ok())
                .unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ObjectId {
        ObjectId::from_hex(b"3333333333333333333333333333333333333333").unwrap()
    }

    #[test]
    fn commits_are_taken_apart() {
        let raw = b"tree 1111111111111111111111111111111111111111\n\
            parent 2222222222222222222222222222222222222222\n\
            author A B <a@b> 1700000000 +0100\ncommitter C <c@d> 1700000001 +0000\n\
            gpgsig -----BEGIN SSH SIGNATURE-----\n abc\n -----END SSH SIGNATURE-----\n\nsubject\n\nbody\n";
        let commit = Commit::parse(id(), raw).unwrap();
        assert_eq!(
            commit.signature,
            "-----BEGIN SSH SIGNATURE-----\nabc\n-----END SSH SIGNATURE-----\n"
        );
        assert_eq!(commit.message, "subject\n\nbody\n");
        assert_eq!(
            (commit.author.name.as_str(), commit.committer.time),
            ("A B", 1_700_000_001)
        );
        let without = b"tree 1111111111111111111111111111111111111111\n\
            parent 2222222222222222222222222222222222222222\n\
            author A B <a@b> 1700000000 +0100\ncommitter C <c@d> 1700000001 +0000\n\nsubject\n\nbody\n";
        assert_eq!(commit.payload, without);
        assert_eq!(Commit::parse(id(), without).unwrap().payload, without);
        assert!(Commit::parse(id(), b"nonsense").is_err());
    }

    #[test]
    fn subjects_are_cut() {
        let raw = format!("tree {}\n\n{}", "1".repeat(40), "ü".repeat(51));
        let commit = Commit::parse(id(), raw.as_bytes()).unwrap();
        assert_eq!(commit.short_message(), format!("{}...", "ü".repeat(50)));
    }

    #[test]
    fn tags_are_taken_apart() {
        let raw = b"object 1111111111111111111111111111111111111111\ntype commit\ntag v1\ntagger A <a@b> 1 +0000\n\n\
            note\n-----BEGIN PGP SIGNATURE-----\nabc\n-----END PGP SIGNATURE-----\n";
        let (tag, _) = Tag::parse(id(), raw).unwrap();
        assert_eq!((tag.name.as_str(), tag.message.as_str()), ("v1", "note\n"));
        assert!(tag.signature.starts_with("-----BEGIN PGP") && tag.payload.ends_with(b"\nnote\n"));
        assert_eq!(tag.to_string(), format!("v1@{}", id()));
        assert_eq!(Tag::lightweight("v2").to_string(), "v2");
    }
}
