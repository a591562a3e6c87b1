//! `sluice crds`: the definitions of the Flux kinds.

use std::io::{self, Write};

use clap::Args;

/// The flags of `sluice crds`.
#[derive(Args)]
pub(crate) struct Crds {
    /// Only the versions that Flux serves today, not the old ones that tutorials still show
    #[arg(long)]
    current: bool,
}

/// Prints the definitions as a stream of YAML documents.
pub(crate) fn run(crds: &Crds) -> Result<(), io::Error> {
    let definitions = if crds.current {
        api::current_crds()
    } else {
        api::crds()
    };
    let mut out = io::stdout().lock();
    for definition in definitions {
        write!(out, "---\n{}", yaml::from_json(&definition))?;
    }
    out.flush()
}
