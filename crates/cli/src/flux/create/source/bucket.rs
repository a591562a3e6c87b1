//! `create source bucket`.

use serde_json::json;

use crate::flux::cluster::kinds::BUCKET;
use crate::flux::create::{
    Spec, fetched, ignore, labels, object, secret, upsert, upsert_secret, wait,
};
use crate::flux::invocation::Invocation;
use crate::flux::readiness::Shape;
use crate::flux::{Outcome, output};

pub(in crate::flux::create) fn run(invocation: &Invocation<'_>) -> Outcome {
    let bucket_name = invocation
        .some_text("bucket-name")
        .ok_or("bucket-name is required")?;
    let endpoint = invocation
        .some_text("endpoint")
        .ok_or("endpoint is required")?;
    let labels = labels(invocation)?;
    let spec = Spec::default()
        .set("bucketName", bucket_name)
        .text("provider", invocation.text("provider"))
        .flag("insecure", invocation.boolean("insecure"))
        .set("endpoint", endpoint)
        .text("region", invocation.text("region"))
        .duration("interval", invocation.duration("interval"))
        .text("ignore", &ignore(invocation))
        .positive_duration("timeout", invocation.duration("fetch-timeout"))
        .reference("secretRef", invocation.text("secret-ref"))
        .reference("proxySecretRef", invocation.text("proxy-secret-ref"));
    let mut bucket = object(invocation, &BUCKET, labels.clone(), spec);
    if invocation.boolean("export") {
        output::document(&bucket)?;
        return Ok(());
    }
    let cluster = invocation.cluster()?;
    output::generate("generating Bucket source");
    let (access, key) = (invocation.text("access-key"), invocation.text("secret-key"));
    if invocation.text("secret-ref").is_empty() && !access.is_empty() && !key.is_empty() {
        let name = format!("bucket-{}", invocation.name());
        let mut data = secret::Data::default();
        data.set("accesskey", access);
        data.set("secretkey", key);
        let mut made = secret::object(&name, &invocation.namespace, data, None);
        if !labels.is_empty() {
            made["metadata"]["labels"] = labels.into();
        }
        output::action("applying secret with the bucket credentials");
        upsert_secret(&cluster, &made)?;
        bucket["spec"]["secretRef"] = json!({"name": name});
        output::success("authentication configured");
    }
    output::action("applying Bucket source");
    upsert(&cluster, &BUCKET, &bucket, "Bucket source")?;
    output::waiting("waiting for Bucket source reconciliation");
    let ready = wait(&cluster, &BUCKET, &bucket, Shape::Dynamic)?;
    output::success("Bucket source reconciliation completed");
    fetched(
        &ready,
        "Bucket source reconciliation but no artifact was found",
    )
}
