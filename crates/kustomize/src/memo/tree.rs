//! Whether a build still holds for a [`Tree`]: one pass over its entries beside what the build saw.

use std::cmp::Ordering;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use tree::{Entry, EntryKind, Tree};

use super::{Reads, Seen, hash_entry};

impl Reads {
    /// As [`Reads::hold_for`], in one pass over the sorted entries of `tree` instead of a look-up for each
    /// path. Only paths that lead through links are looked up.
    pub fn hold_for_tree(&self, tree: &Tree) -> bool {
        if self.remote || !self.links_hold_for(tree) {
            return false;
        }
        let mut pass = Pass::new(tree);
        self.seen.iter().all(|(path, seen)| {
            let direct = relative(path).filter(|path| !pass.leads_through_link(path));
            match direct {
                Some(path) if pass.shows(path, seen) => true,
                // Ids of different algorithms can only be compared by reading.
                Some(_) if !matches!(seen, Seen::File(_)) => false,
                _ => seen.holds_for(tree, path),
            }
        })
    }
}

/// The path below the root `/`, as bytes. Some paths of folders end in a slash.
fn relative(path: &Path) -> Option<&[u8]> {
    let path = bytes(path).strip_prefix(b"/")?;
    Some(path.strip_suffix(b"/").unwrap_or(path))
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// The order of [`Path`]s, part by part, for paths without `.` and `..`.
fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let differs = left.iter().zip(right).find(|(left, right)| left != right);
    match differs {
        // The part that ends here is the lesser one.
        Some((b'/', _)) => Ordering::Less,
        Some((_, b'/')) => Ordering::Greater,
        Some((left, right)) => left.cmp(right),
        None => left.len().cmp(&right.len()),
    }
}

/// What is left of `path` below `folder`.
fn below<'a>(path: &'a [u8], folder: &[u8]) -> Option<&'a [u8]> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder)?.strip_prefix(b"/")
}

/// The entries of a tree, gone through once, for paths that are asked for in order.
struct Pass<'a> {
    entries: Vec<(&'a [u8], &'a Entry)>,
    links: Vec<&'a [u8]>,
    at: usize,
}

impl<'a> Pass<'a> {
    fn new(tree: &'a Tree) -> Self {
        let entries: Vec<_> = tree
            .entries()
            .map(|(path, entry)| (bytes(path), entry))
            .collect();
        let links = entries
            .iter()
            .filter(|(_, entry)| matches!(entry, Entry::Link(_)))
            .map(|(path, _)| *path)
            .collect();
        Self {
            entries,
            links,
            at: 0,
        }
    }

    fn leads_through_link(&self, path: &[u8]) -> bool {
        self.links
            .iter()
            .any(|link| *link == path || below(path, link).is_some())
    }

    /// Whether what was `seen` stands at `path`, which no link leads to. Paths come in order.
    fn shows(&mut self, path: &[u8], seen: &Seen) -> bool {
        while let Some((entry, _)) = self.entries.get(self.at)
            && compare(entry, path) == Ordering::Less
        {
            self.at += 1;
        }
        let rest = &self.entries[self.at..];
        let entry = rest.first().filter(|(found, _)| *found == path);
        let content = if entry.is_some() { &rest[1..] } else { rest };
        let is_folder = match entry {
            Some((_, Entry::Folder)) => true,
            Some(_) => false,
            None => {
                path.is_empty()
                    || content
                        .first()
                        .is_some_and(|(next, _)| below(next, path).is_some())
            }
        };
        match seen {
            Seen::File(id) => {
                matches!(entry, Some((_, Entry::File { id: found, .. })) if found == id)
            }
            Seen::Folder => is_folder,
            Seen::Listing(digest) => is_folder && listing(content, path) == *digest,
            Seen::Missing => !is_folder && entry.is_none(),
        }
    }
}

/// The digest of the names in a folder, whose content `entries` begin with.
fn listing(entries: &[(&[u8], &Entry)], folder: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut last: Option<&[u8]> = None;
    for (path, entry) in entries {
        let Some(rest) = below(path, folder) else {
            break;
        };
        let end = rest.iter().position(|byte| *byte == b'/');
        let name = &rest[..end.unwrap_or(rest.len())];
        if last == Some(name) {
            continue;
        }
        last = Some(name);
        let kind = match (end, entry) {
            (None, Entry::File { .. }) => EntryKind::File,
            (None, Entry::Link(_)) => EntryKind::Link,
            _ => EntryKind::Folder,
        };
        hash_entry(&mut hasher, &String::from_utf8_lossy(name), kind);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_ordered_as_paths_are() {
        let paths = [
            "", "a", "a/b", "a-b", "a-b/c", "a.b", "ab", "b", "a/b/c", "a/b-",
        ];
        for left in paths {
            for right in paths {
                let expected = Path::new(left).cmp(Path::new(right));
                assert_eq!(compare(left.as_bytes(), right.as_bytes()), expected);
            }
        }
    }
}
