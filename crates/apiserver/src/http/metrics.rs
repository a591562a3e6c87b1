//! `/metrics`: what a Prometheus server may read of the control plane, in its text format.

use std::fmt::Write as _;

use crate::core::Core;
use crate::store::Range;

/// The media type of the text.
pub(super) const MEDIA_TYPE: &str =
    "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

/// The number of objects by resource, under the name that kube-apiserver gives it, and the revision.
pub(super) fn text(core: &Core) -> String {
    let mut counts: Vec<(String, usize)> = core
        .store
        .resources()
        .into_iter()
        .map(|resource| {
            let number = core
                .store
                .bucket(&resource)
                .list(&Range::all())
                .objects
                .len();
            (resource.to_string(), number)
        })
        .collect();
    counts.sort();
    let mut text = String::from(
        "# HELP apiserver_storage_objects Number of stored objects by resource.\n# TYPE apiserver_storage_objects gauge\n",
    );
    for (resource, number) in counts {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "apiserver_storage_objects{{resource=\"{resource}\"}} {number}"
        );
    }
    let _ = writeln!(
        text,
        "# HELP sluice_store_revision The newest revision of the store.\n# TYPE sluice_store_revision counter\nsluice_store_revision {}",
        core.store.revision()
    );
    text
}
