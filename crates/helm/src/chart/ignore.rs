//! `.helmignore`. Source: Helm `pkg/ignore`.

use super::path::matches;

/// The file that says what of a folder is no part of the chart.
pub const IGNORE_FILE: &str = ".helmignore";

/// Why a file of rules cannot be read: Helm's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IgnoreError(String);

/// What a rule is matched against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Against {
    /// The whole path.
    Path,
    /// The last part of it.
    Name,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: String,
    against: Against,
    is_negated: bool,
    only_folders: bool,
}

/// Rules about what of a folder is no part of the chart.
#[derive(Clone, Debug)]
pub struct IgnoreRules(Vec<Rule>);

impl Default for IgnoreRules {
    /// The rules that always hold: hidden files of `templates/` are left out.
    fn default() -> IgnoreRules {
        let mut rules = IgnoreRules(Vec::new());
        rules.add_defaults();
        rules
    }
}

impl IgnoreRules {
    /// Reads the lines of a `.helmignore`; the rules that always hold follow them.
    pub fn parse(text: &str) -> Result<IgnoreRules, IgnoreError> {
        let mut rules = IgnoreRules::parse_lines(text)?;
        rules.add_defaults();
        Ok(rules)
    }

    /// Reads lines, and no other rules hold.
    pub fn parse_lines(text: &str) -> Result<IgnoreRules, IgnoreError> {
        let mut rules = IgnoreRules(Vec::new());
        for line in text.trim_start_matches('\u{feff}').lines() {
            rules.add(line)?;
        }
        Ok(rules)
    }

    fn add_defaults(&mut self) {
        self.0.push(Rule {
            pattern: "templates/.?*".to_owned(),
            against: Against::Path,
            is_negated: false,
            only_folders: false,
        });
    }

    fn add(&mut self, line: &str) -> Result<(), IgnoreError> {
        let mut rule = line.trim_matches(gotemplate::unicode::is_space);
        if rule.is_empty() || rule.starts_with('#') {
            return Ok(());
        }
        if rule.contains("**") {
            return Err(IgnoreError(
                "double-star (**) syntax is not supported".to_owned(),
            ));
        }
        matches(rule, "abc").map_err(|error| IgnoreError(error.to_string()))?;
        let is_negated = rule.starts_with('!');
        rule = rule.strip_prefix('!').unwrap_or(rule);
        let only_folders = rule.ends_with('/');
        rule = rule.strip_suffix('/').unwrap_or(rule);
        let (rule, against) = match rule.strip_prefix('/') {
            Some(rooted) => (rooted, Against::Path),
            None if rule.contains('/') => (rule, Against::Path),
            None => (rule, Against::Name),
        };
        self.0.push(Rule {
            pattern: rule.to_owned(),
            against,
            is_negated,
            only_folders,
        });
        Ok(())
    }

    /// Whether the file or folder at `path`, within the chart, is left out.
    ///
    /// A negated rule leaves out what does not match it: Helm reads them so.
    pub fn ignores(&self, path: &str, is_folder: bool) -> bool {
        if matches!(path, "" | "." | "./") {
            return false;
        }
        let name = path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(path);
        self.0.iter().any(|rule| {
            let subject = match rule.against {
                Against::Path => path,
                Against::Name => name,
            };
            let fits = || matches(&rule.pattern, subject).unwrap_or(false);
            let wrong_kind = rule.only_folders && !is_folder;
            if rule.is_negated {
                wrong_kind || !fits()
            } else {
                !wrong_kind && fits()
            }
        })
    }
}
