//! Which files a source leaves out: patterns in the form of `.gitignore`.
//!
//! Source: Flux, `pkg/sourceignore` v0.18 over its copy of go-git's matcher, which knows less than Git:
//! a pattern that holds a slash matches from the folder it was written for, `**` is a whole part or nothing.

use std::io;
use std::path::{Component, Path};

use crate::{EntryKind, FileSystem};

/// The file that holds patterns.
pub const IGNORE_FILE: &str = ".sourceignore";

const VERSION_CONTROL: [&str; 4] = [".git/", ".gitignore", ".gitmodules", ".gitattributes"];

const DEFAULTS: [&str; 20] = [
    "*.jpg",
    "*.jpeg",
    "*.gif",
    "*.png",
    "*.wmv",
    "*.flv",
    "*.tar.gz",
    "*.zip",
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
];

#[derive(Debug, Clone)]
struct Pattern {
    /// The parts of the folder it holds for.
    domain: Vec<String>,
    parts: Vec<String>,
    includes: bool,
    folders_only: bool,
}

/// Patterns, the weakest first: the last that matches a path decides.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

impl Ignore {
    /// The files of version control systems.
    pub fn version_control() -> Self {
        let mut ignore = Self::default();
        ignore.add_all(&VERSION_CONTROL);
        ignore
    }

    /// The files of version control systems, pictures and archives, and the configuration of build services:
    /// what Flux leaves out of a source that says nothing.
    pub fn defaults() -> Self {
        let mut ignore = Self::version_control();
        ignore.add_all(&DEFAULTS);
        ignore
    }

    fn add_all(&mut self, patterns: &[&str]) {
        for pattern in patterns {
            self.add_pattern(pattern, Path::new(""));
        }
    }

    /// Adds one pattern for the folder `domain`, a path relative to the root.
    pub fn add_pattern(&mut self, text: &str, domain: &Path) {
        let (includes, mut text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if !text.ends_with("\\ ") {
            text = text.trim_end_matches(' ');
        }
        let without_slash = text.strip_suffix('/');
        self.patterns.push(Pattern {
            domain: parts(domain),
            parts: without_slash
                .unwrap_or(text)
                .split('/')
                .map(str::to_owned)
                .collect(),
            includes,
            folders_only: without_slash.is_some(),
        });
    }

    /// Adds the patterns of a text, one a line; lines that start with `#` are comments.
    pub fn add(&mut self, text: &str, domain: &Path) {
        for line in text.lines() {
            if !line.starts_with('#') && !line.trim().is_empty() {
                self.add_pattern(line, domain);
            }
        }
    }

    /// Adds what the `.sourceignore` files in and below `root` say.
    ///
    /// # Errors
    /// A folder or file cannot be read.
    pub fn add_files(&mut self, fs: &dyn FileSystem, root: &Path) -> io::Result<()> {
        self.add_files_below(fs, root, Path::new(""), 0)
    }

    fn add_files_below(
        &mut self,
        fs: &dyn FileSystem,
        root: &Path,
        domain: &Path,
        depth: usize,
    ) -> io::Result<()> {
        const MAX_DEPTH: usize = 200;
        let folder = root.join(domain);
        let entries = fs.entries(&folder)?;
        if entries.iter().any(|(name, _)| name == IGNORE_FILE) {
            let text = fs.read(&folder.join(IGNORE_FILE))?;
            self.add(&String::from_utf8_lossy(&text), domain);
        }
        for (name, kind) in entries {
            if kind == EntryKind::Folder && name != ".git" && depth < MAX_DEPTH {
                self.add_files_below(fs, root, &domain.join(name), depth + 1)?;
            }
        }
        Ok(())
    }

    /// Whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Adds the patterns of `other`, which win over those here.
    pub fn extend(&mut self, other: Self) {
        self.patterns.extend(other.patterns);
    }

    /// Whether the file or folder at `path`, relative to the root, is left out.
    ///
    /// What lies in a folder that is left out is left out itself, unless a later pattern includes it.
    pub fn excludes(&self, path: &Path, is_folder: bool) -> bool {
        let path = parts(path);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        self.patterns
            .iter()
            .rev()
            .find(|pattern| pattern.matches(&path, is_folder))
            .is_some_and(|pattern| !pattern.includes)
    }
}

fn parts(path: &Path) -> Vec<String> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect()
}

impl Pattern {
    fn matches(&self, path: &[&str], is_folder: bool) -> bool {
        if path.len() <= self.domain.len()
            || self.domain.iter().zip(path).any(|(own, part)| own != part)
        {
            return false;
        }
        let path = &path[self.domain.len()..];
        if self.parts.len() > 1 {
            self.matches_from_domain(path, is_folder)
        } else {
            self.matches_any_part(path, is_folder)
        }
    }

    fn matches_any_part(&self, path: &[&str], is_folder: bool) -> bool {
        for (at, name) in path.iter().enumerate() {
            match part_matches(&self.parts[0], name) {
                None => return false,
                Some(false) => {}
                Some(true) => return !self.folders_only || is_folder || at + 1 < path.len(),
            }
        }
        false
    }

    fn matches_from_domain(&self, mut path: &[&str], is_folder: bool) -> bool {
        let mut matched = false;
        let mut skips = false;
        for (at, part) in self.parts.iter().enumerate() {
            if part.is_empty() {
                skips = false;
                continue;
            }
            if part == "**" {
                if at + 1 == self.parts.len() {
                    break;
                }
                skips = true;
                continue;
            }
            if part.contains("**") || path.is_empty() {
                return false;
            }
            if !skips {
                if part_matches(part, path[0]) != Some(true) {
                    return false;
                }
                matched = true;
                path = &path[1..];
                continue;
            }
            skips = false;
            while let [first, rest @ ..] = path {
                path = rest;
                match part_matches(part, first) {
                    None => return false,
                    Some(true) => {
                        matched = true;
                        break;
                    }
                    Some(false) if path.is_empty() => matched = false,
                    Some(false) => {}
                }
            }
        }
        matched && !(self.folders_only && !is_folder && path.is_empty())
    }
}

/// [`glob`] for one part of a path, with short ways for the patterns that most are: a name, or how it ends.
fn part_matches(pattern: &str, name: &str) -> Option<bool> {
    let is_plain = |text: &str| !text.contains(['*', '?', '[', '\\']);
    match pattern.strip_prefix('*') {
        _ if is_plain(pattern) => Some(pattern == name),
        Some(end) if is_plain(end) => Some(name.ends_with(end)),
        _ => glob(pattern, name),
    }
}

/// Go's `filepath.Match`; none if the pattern is not well formed.
pub fn glob(pattern: &str, name: &str) -> Option<bool> {
    try_glob(pattern, name).ok()
}

struct BadPattern;

fn try_glob(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let mut pattern = pattern.as_slice();
    let mut name = name.as_slice();
    'chunks: while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains(&'/'));
        }
        if let Some(after) = match_chunk(chunk, name)?
            && (after.is_empty() || !pattern.is_empty())
        {
            name = after;
            continue;
        }
        if star {
            let mut at = 0;
            while at < name.len() && name[at] != '/' {
                at += 1;
                if let Some(after) = match_chunk(chunk, &name[at..])? {
                    if pattern.is_empty() && !after.is_empty() {
                        continue;
                    }
                    name = after;
                    continue 'chunks;
                }
            }
        }
        // The rest of the pattern is looked at only for its form.
        while !pattern.is_empty() {
            let (_, chunk, rest) = next_chunk(pattern);
            pattern = rest;
            match_chunk(chunk, &[])?;
        }
        return Ok(false);
    }
    Ok(name.is_empty())
}

/// Whether stars come first, what follows up to the next star, and the rest.
fn next_chunk(pattern: &[char]) -> (bool, &[char], &[char]) {
    let stars = pattern.iter().take_while(|c| **c == '*').count();
    let pattern = &pattern[stars..];
    let mut in_range = false;
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            '\\' if at + 1 < pattern.len() => at += 1,
            '[' => in_range = true,
            ']' => in_range = false,
            '*' if !in_range => break,
            _ => {}
        }
        at += 1;
    }
    (stars > 0, &pattern[..at], &pattern[at..])
}

/// What is left of a name, if it matches.
type Rest<'a> = Option<&'a [char]>;

/// What is left of `name` after the chunk; an error is a bad pattern.
fn match_chunk<'a>(mut chunk: &[char], mut name: &'a [char]) -> Result<Rest<'a>, BadPattern> {
    let mut failed = false;
    while let Some(first) = chunk.first() {
        failed |= name.is_empty();
        match first {
            '[' => {
                let class = match_class(&chunk[1..], name.first().copied());
                let (matches, rest) = class.ok_or(BadPattern)?;
                chunk = rest;
                failed |= !matches;
            }
            '?' => {
                failed |= name.first() == Some(&'/');
                chunk = &chunk[1..];
            }
            other => {
                let literal = if *other == '\\' {
                    chunk = &chunk[1..];
                    *chunk.first().ok_or(BadPattern)?
                } else {
                    *other
                };
                failed |= name.first() != Some(&literal);
                chunk = &chunk[1..];
            }
        }
        name = name.get(1..).unwrap_or_default();
    }
    Ok((!failed).then_some(name))
}

fn match_class(mut chunk: &[char], c: Option<char>) -> Option<(bool, &[char])> {
    let negated = chunk.first() == Some(&'^');
    if negated {
        chunk = &chunk[1..];
    }
    let mut matches = false;
    let mut ranges = 0;
    loop {
        if chunk.first() == Some(&']') && ranges > 0 {
            let matches = c.is_some() && matches != negated;
            return Some((matches, &chunk[1..]));
        }
        let (low, rest) = class_char(chunk)?;
        chunk = rest;
        let mut high = low;
        if chunk.first() == Some(&'-') {
            (high, chunk) = class_char(&chunk[1..])?;
        }
        matches |= c.is_some_and(|c| low <= c && c <= high);
        ranges += 1;
    }
}

fn class_char(chunk: &[char]) -> Option<(char, &[char])> {
    let (c, rest) = match chunk {
        [] | ['-' | ']', ..] => return None,
        ['\\', c, rest @ ..] => (*c, rest),
        [c, rest @ ..] => (*c, rest),
    };
    // A class has to be closed.
    (!rest.is_empty()).then_some((c, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Memory;

    #[test]
    fn globs_match_as_in_go() {
        for (pattern, name, expected) in [
            ("abc", "abc", Some(true)),
            ("*", "abc", Some(true)),
            ("*c", "abc", Some(true)),
            ("a*b*c", "axbxbc", Some(true)),
            ("a*", "ab/c", Some(false)),
            ("a?c", "abc", Some(true)),
            ("a?c", "a/c", Some(false)),
            ("[a-c]x", "bx", Some(true)),
            ("[^a-c]x", "bx", Some(false)),
            ("\\*", "*", Some(true)),
            ("[", "a", None),
            ("[]a]", "a", None),
            ("a[", "x", None),
            ("[a-", "a", None),
            ("*.tar.gz", "x.tar.gz", Some(true)),
            ("", "", Some(true)),
        ] {
            assert_eq!(glob(pattern, name), expected, "{pattern} {name}");
        }
    }

    fn excluded(patterns: &str, path: &str, is_folder: bool) -> bool {
        let mut ignore = Ignore::defaults();
        ignore.add(patterns, Path::new(""));
        ignore.excludes(Path::new(path), is_folder)
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        assert!(excluded("", "a/b/logo.png", false));
        assert!(!excluded("!logo.png", "a/b/logo.png", false));
        assert!(excluded("/*\n!/deploy", "docs/x.yaml", false));
        assert!(!excluded("/*\n!/deploy", "deploy/x.yaml", false));
        assert!(excluded("/*\n!/deploy/", "deploy", false));
        assert!(!excluded("/*\n!/deploy/", "deploy", true));
        assert!(excluded("docs/", "a/docs/x.yaml", false));
        assert!(!excluded("docs/", "a/docs", false));
        assert!(excluded("/**/*.bak.yaml", "x/y/a.bak.yaml", false));
        assert!(excluded("a/**", "a/b/c", false));
        assert!(!excluded("a**b/c", "axb/c", false));
        assert!(!excluded("# docs", "docs", false));
        assert!(excluded("", ".git/HEAD", false));
        assert!(excluded("", "x/.sops.yaml", false));
    }

    #[test]
    fn files_hold_for_their_folder() {
        let mut tree = Memory::default();
        tree.insert("r/.sourceignore", *b"*.txt\r\n");
        tree.insert("r/sub/.sourceignore", *b"/x.yaml\n!keep.txt\n");
        tree.insert("r/.git/.sourceignore", *b"*\n");
        let mut ignore = Ignore::default();
        ignore.add_files(&tree, Path::new("/r")).unwrap();
        let excludes = |path: &str| ignore.excludes(Path::new(path), false);
        assert!(excludes("a.txt"));
        assert!(excludes("sub/x.yaml"));
        assert!(!excludes("x.yaml"));
        assert!(!excludes("sub/deeper/x.yaml"));
        assert!(!excludes("sub/keep.txt"));
        assert!(excludes("keep.txt"));
    }
}
