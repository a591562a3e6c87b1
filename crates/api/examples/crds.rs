//! Prints the CustomResourceDefinitions as a JSON list; with `--current`, as Flux has them.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let crds = if std::env::args().any(|argument| argument == "--current") {
        api::current_crds()
    } else {
        api::crds()
    };
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": crds});
    writeln!(std::io::stdout(), "{list:#}")
}
