//! Receiver. Alert and Provider only gained fields and lost their status.

use serde_json::{Map, Value};

use super::Moves;
use super::path::{get, put, take};

pub(super) const RECEIVER: Moves = Moves {
    up,
    down,
    ..super::NONE
};

fn up(fields: &mut Map<String, Value>, _ignored: &mut Vec<String>) {
    if let Some(url) = take(fields, "status.url") {
        put(fields, "status.webhookPath", url);
    }
}

fn down(fields: &mut Map<String, Value>, _version: &str, _ignored: &mut Vec<String>) {
    if let Some(path) = get(fields, "status.webhookPath").cloned() {
        put(fields, "status.url", path);
    }
}
