//! Flux's commands and flags as facts: the generated table, read once.

use std::sync::LazyLock;

use super::value::Kind;

/// The table that `cargo xtask gen cli` writes.
const TEXT: &str = include_str!("table.tsv");

/// All commands.
pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(TEXT));

/// The commands, by the path of words that leads to each; the root's path is empty.
#[derive(Debug)]
pub(crate) struct Table {
    commands: Vec<Command>,
}

/// One command.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its words, such as `create source git`; empty for the root.
    pub(crate) path: &'static str,
    /// Its last word and its arguments, as usage lines show them.
    pub(crate) usage: &'static str,
    /// Other names of its last word.
    pub(crate) aliases: Vec<&'static str>,
    /// Whether it does something itself; others print their help.
    pub(crate) runnable: bool,
    /// Whether it is left out of lists.
    pub(crate) hidden: bool,
    /// Its own flags, by name.
    pub(crate) flags: Vec<Flag>,
}

/// One flag.
#[derive(Debug)]
pub(crate) struct Flag {
    /// Its name, without dashes.
    pub(crate) name: &'static str,
    /// Its one letter.
    pub(crate) shorthand: Option<char>,
    /// The name of its type, as help texts show it.
    pub(crate) type_name: &'static str,
    /// What it takes.
    pub(crate) kind: Kind,
    /// Its default, as text.
    pub(crate) default: &'static str,
    /// The value that it has when none is given; without one a value has to follow.
    pub(crate) without_value: Option<&'static str>,
    /// Whether the command's subcommands have it, too.
    pub(crate) persistent: bool,
    /// Whether it is left out of lists.
    pub(crate) hidden: bool,
    /// What to say when it is used although it is on its way out.
    pub(crate) deprecation: Option<&'static str>,
}

/// How many arguments a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arity {
    /// Any number; those beyond what it uses are passed over.
    Any,
    /// None.
    None,
    /// As many.
    Exactly(usize),
    /// As many or fewer.
    AtMost(usize),
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut commands: Vec<Command> = Vec::new();
        for line in text.lines() {
            let mut fields = line.split('\t');
            let row = fields.next();
            let mut field = || fields.next().unwrap_or_default();
            match row {
                Some("command") => commands.push(Command {
                    path: field(),
                    usage: field(),
                    aliases: field().split(',').filter(|word| !word.is_empty()).collect(),
                    runnable: false,
                    hidden: false,
                    flags: Vec::new(),
                }),
                Some("flag") => {
                    if let Some(command) = commands.last_mut() {
                        command.flags.push(Flag::read(command.path, &mut field));
                    }
                    continue;
                }
                _ => continue,
            }
            let attributes = field();
            if let Some(command) = commands.last_mut() {
                command.runnable = attributes.split(',').any(|word| word == "runnable");
                command.hidden = attributes.split(',').any(|word| word == "hidden");
            }
        }
        Self { commands }
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> &Command {
        &self.commands[0]
    }

    /// The command at a path.
    pub(crate) fn command(&self, path: &str) -> Option<&Command> {
        self.commands.iter().find(|command| command.path == path)
    }

    /// The commands right below, sorted by name.
    pub(crate) fn children(&self, parent: &Command) -> Vec<&Command> {
        let mut children: Vec<&Command> = self
            .commands
            .iter()
            .filter(|command| command.parent() == Some(parent.path))
            .collect();
        children.sort_by_key(|command| command.name());
        children
    }

    /// The child that a word names.
    pub(crate) fn child(&self, parent: &Command, word: &str) -> Option<&Command> {
        self.children(parent)
            .into_iter()
            .find(|child| child.name() == word || child.aliases.contains(&word))
    }

    /// The command's own flags and the persistent ones of those above it, the nearest first where names
    /// are the same; sorted by name.
    pub(crate) fn flags(&self, command: &Command) -> Vec<&Flag> {
        let own = self.command(command.path).map(|command| &command.flags);
        let mut flags: Vec<&Flag> = own.into_iter().flatten().collect();
        flags.extend(self.inherited_flags(command));
        flags.sort_by_key(|flag| flag.name);
        flags
    }

    /// The persistent flags of the commands above, without those that its own hide.
    pub(crate) fn inherited_flags(&self, command: &Command) -> Vec<&Flag> {
        let mut flags: Vec<&Flag> = Vec::new();
        let mut above = command.parent();
        while let Some(ancestor) = above.and_then(|path| self.command(path)) {
            for flag in ancestor.flags.iter().filter(|flag| flag.persistent) {
                let mut nearer = command.flags.iter().chain(flags.iter().copied());
                if !nearer.any(|other| other.name == flag.name) {
                    flags.push(flag);
                }
            }
            above = ancestor.parent();
        }
        flags.sort_by_key(|flag| flag.name);
        flags
    }
}

impl Command {
    /// The last word of its path; of the root, nothing.
    pub(crate) fn name(&self) -> &'static str {
        self.path.rsplit(' ').next().unwrap_or_default()
    }

    /// The path of the command above; the root has none.
    pub(crate) fn parent(&self) -> Option<&'static str> {
        if self.path.is_empty() {
            return None;
        }
        Some(self.path.rsplit_once(' ').map_or("", |(parent, _)| parent))
    }

    /// How many arguments it takes.
    pub(crate) fn arity(&self) -> Arity {
        match self.path {
            "check" | "envsubst" | "install" | "migrate" | "stats" | "uninstall" => Arity::None,
            "debug helmrelease"
            | "debug kustomization"
            | "plugin install"
            | "plugin uninstall"
            | "tree artifact generator"
            | "trigger receiver" => Arity::Exactly(1),
            "plugin search" | "plugin update" => Arity::AtMost(1),
            _ => Arity::Any,
        }
    }
}

impl Flag {
    fn read(path: &str, field: &mut impl FnMut() -> &'static str) -> Self {
        let (name, shorthand, type_name, default, without_value) =
            (field(), field(), field(), field(), field());
        let (attributes, deprecation) = (field(), field());
        Self {
            name,
            shorthand: shorthand.chars().next(),
            type_name,
            kind: Kind::of(path, name, type_name),
            default,
            without_value: Some(without_value).filter(|value| !value.is_empty()),
            persistent: attributes.split(',').any(|word| word == "persistent"),
            hidden: attributes.split(',').any(|word| word == "hidden"),
            deprecation: Some(deprecation).filter(|text| !text.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_the_tree() {
        let git = TABLE.command("create source git").unwrap();
        assert_eq!(git.usage, "git [name]");
        assert!(git.runnable && !TABLE.root().runnable);
        let names: Vec<&str> = TABLE.flags(git).iter().map(|flag| flag.name).collect();
        assert!(
            names.contains(&"branch") && names.contains(&"export") && names.contains(&"namespace")
        );
        assert_eq!(
            TABLE
                .child(TABLE.command("get").unwrap(), "ks")
                .unwrap()
                .path,
            "get kustomizations"
        );
        assert!(TABLE.children(TABLE.root()).len() > 25);
    }

    #[test]
    fn a_command_s_own_flag_hides_one_from_above() {
        let policy = TABLE.command("create image policy").unwrap();
        let flags = TABLE.flags(policy);
        let intervals: Vec<&&Flag> = flags
            .iter()
            .filter(|flag| flag.name == "interval")
            .collect();
        assert_eq!(intervals.len(), 1);
        assert_eq!(intervals[0].default, "0s");
    }
}
