//! Post-renderers. Source: Helm 4.2 `annotateAndMerge`, `splitAndDeannotate`.

use std::collections::BTreeMap;

use crate::Compat;
use crate::render::{PostRenderStrategy, PostRenderer};

/// What `post_renderer` makes of rendered files. The error is Helm's text.
pub(crate) fn run(
    files: BTreeMap<String, String>,
    post_renderer: &dyn PostRenderer,
    _strategy: PostRenderStrategy,
    _compat: Compat,
) -> Result<BTreeMap<String, String>, String> {
    let _ = (&files, post_renderer);
    Err("post-renderers are not there yet".to_owned())
}
