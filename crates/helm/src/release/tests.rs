use std::collections::BTreeMap;

use super::*;

/// A record in Helm 4.2's own text: fields in Go's order, marks of HTML escaped.
const RECORD: &str = r#"{"name":"web","info":{"first_deployed":"2026-01-02T03:04:05.123456789Z","last_deployed":"2026-01-02T03:04:05.123456789Z","description":"Install complete","status":"deployed","notes":"a \u003c b"},"chart":{"metadata":{"name":"web","version":"1.0.0","apiVersion":"v2","appVersion":"2"},"lock":null,"templates":[{"name":"templates/a.yaml","data":"YTogMQ=="}],"values":{"n":1,"s":"x"},"schema":null,"schemamodtime":"0001-01-01T00:00:00Z","files":null},"config":{"deep":{"on":true}},"manifest":"---\n","hooks":[{"name":"h","kind":"Job","path":"web/templates/h.yaml","manifest":"kind: Job\n","events":["pre-install"],"last_run":{"phase":""},"delete_policies":["before-hook-creation"]}],"version":1,"namespace":"shop","apply_method":"ssa"}"#;

#[test]
fn a_record_comes_back_byte_for_byte() {
    let release: Release = serde_json::from_str(RECORD).unwrap();
    assert_eq!(release.info.notes, "a < b");
    assert_eq!(release.apply_method, ApplyMethod::Server);
    assert_eq!(release.to_json().unwrap(), RECORD);
}

#[test]
fn a_stored_release_keeps_the_labels_of_its_users() {
    let mut release: Release = serde_json::from_str(RECORD).unwrap();
    release.labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    let labels = labels(&release, "createdAt", 5);
    assert_eq!(labels["status"], "deployed");
    assert_eq!(labels["createdAt"], "5");
    let text = encode(&release).unwrap();
    let back = decode(&text, &labels).unwrap();
    assert_eq!(back.labels, release.labels);
    assert_eq!(back.to_json().unwrap(), RECORD);
    assert_eq!(key("web", 7), "sh.helm.release.v1.web.v7");
}

#[test]
fn records_of_helm_3_and_uncompressed_ones_are_read() {
    use base64::Engine as _;
    let old = r#"{"name":"x","info":{"first_deployed":"","deleted":"","status":"superseded"},"chart":{"metadata":null,"values":null},"hooks":null,"version":2}"#;
    let text = base64::engine::general_purpose::STANDARD.encode(old);
    let release = decode(&text, &BTreeMap::new()).unwrap();
    assert_eq!(release.info.status, Status::Superseded);
    assert_eq!(release.info.deleted, "");
    assert_eq!(release.apply_method, ApplyMethod::Unset);
    assert!(decode("not base64!", &BTreeMap::new()).is_err());
    assert!(decode("eyJuYW1lIjoxfQ==", &BTreeMap::new()).is_err());
}
