//! `create`: objects made from flags, printed or applied.

mod alert;
mod helm_release;
mod image;
mod kustomization;
pub(super) mod secret;
mod source;
mod tenant;

use object::time::Duration;
use serde_json::{Map, Value, json};

use super::cluster::kinds::Kind;
use super::cluster::{Cluster, Reason};
use super::invocation::Invocation;
use super::names::is_object_name;
use super::readiness::{self, Shape};
use super::{Outcome, Stop, go, output};

/// Runs the command whose path follows `create `.
pub(super) fn run(invocation: &Invocation<'_>, what: &str) -> Outcome {
    match what {
        "alert" => alert::alert(invocation),
        "alert-provider" => alert::provider(invocation),
        "receiver" => alert::receiver(invocation),
        "helmrelease" => helm_release::run(invocation),
        "kustomization" => kustomization::run(invocation),
        "tenant" => tenant::run(invocation),
        "image policy" => image::policy::run(invocation),
        "image repository" => image::repository(invocation),
        "image update" => image::update(invocation),
        "source git" => source::git::run(invocation),
        "source helm" => source::helm::run(invocation),
        "source oci" => source::oci::run(invocation),
        "source bucket" => source::bucket::run(invocation),
        "source chart" => source::chart::run(invocation),
        _ => match what.strip_prefix("secret ") {
            Some(kind) => secret::run(invocation, kind),
            None => Err(format!("unknown command {}", go::quote(what)).into()),
        },
    }
}

/// What every `create` checks before it runs.
pub(super) fn check_name(name: Option<&str>) -> Outcome {
    let name = name.ok_or("name is required")?;
    if is_object_name(name) {
        return Ok(());
    }
    Err(format!(
        "name '{name}' is invalid, it should adhere to standard defined in RFC 1123, the name can only \
         contain alphanumeric characters or '-'"
    )
    .into())
}

/// The labels of `--label`, checked.
fn labels(invocation: &Invocation<'_>) -> Result<Map<String, Value>, Stop> {
    let mut labels = Map::new();
    for label in invocation.list("label") {
        let parts: Vec<&str> = label.split('=').collect();
        let [key, value] = parts[..] else {
            return Err(format!("invalid label format '{label}', must be key=value").into());
        };
        let problems = object::names::qualified_name(key);
        if !problems.is_empty() {
            return Err(format!("invalid label '{key}': [{}]", problems.join(" ")).into());
        }
        let problems = object::names::label_value(value);
        if !problems.is_empty() {
            return Err(format!("invalid label value '{value}': [{}]", problems.join(" ")).into());
        }
        labels.insert(key.to_owned(), value.into());
    }
    Ok(labels)
}

/// The object of a kind with the name and namespace of the command line.
fn object(
    invocation: &Invocation<'_>,
    kind: &Kind,
    labels: Map<String, Value>,
    spec: Spec,
) -> Value {
    let mut metadata = json!({"name": invocation.name(), "namespace": invocation.namespace});
    if !labels.is_empty() {
        metadata["labels"] = Value::Object(labels);
    }
    if invocation.namespace.is_empty() {
        metadata
            .as_object_mut()
            .map(|metadata| metadata.remove("namespace"));
    }
    json!({
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "metadata": metadata,
        "spec": spec.0,
    })
}

/// The fields of a spec; what is empty is left out.
#[derive(Debug, Default)]
struct Spec(Map<String, Value>);

impl Spec {
    fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0.insert(field.to_owned(), value.into());
        self
    }

    fn text(self, field: &str, text: &str) -> Self {
        if text.is_empty() {
            self
        } else {
            self.set(field, text)
        }
    }

    fn flag(self, field: &str, on: bool) -> Self {
        if on { self.set(field, true) } else { self }
    }

    fn duration(self, field: &str, duration: Duration) -> Self {
        self.set(field, duration.to_string())
    }

    fn positive_duration(self, field: &str, duration: Duration) -> Self {
        if duration > Duration::ZERO {
            self.duration(field, duration)
        } else {
            self
        }
    }

    /// A reference by name.
    fn reference(self, field: &str, name: &str) -> Self {
        if name.is_empty() {
            self
        } else {
            self.set(field, json!({"name": name}))
        }
    }

    fn list(self, field: &str, items: &[String]) -> Self {
        if items.is_empty() {
            self
        } else {
            self.set(field, json!(items))
        }
    }

    fn some(self, field: &str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.set(field, value),
            None => self,
        }
    }

    fn value(self) -> Value {
        Value::Object(self.0)
    }
}

/// The patterns of `--ignore-paths` as `spec.ignore` has them.
fn ignore(invocation: &Invocation<'_>) -> String {
    invocation.list("ignore-paths").join("\n")
}

/// The verification of `--verify-*`, whose flags need a provider.
fn verification(
    invocation: &Invocation<'_>,
    subject_needs_provider: bool,
) -> Result<Option<Value>, Stop> {
    let (secret, issuer, subject) = (
        invocation.text("verify-secret-ref"),
        invocation.text("verify-issuer"),
        invocation.text("verify-subject"),
    );
    let provider = invocation.text("verify-provider");
    if !provider.is_empty() {
        let identity = Spec::default()
            .set("issuer", issuer)
            .set("subject", subject)
            .value();
        let identities = (!issuer.is_empty() || !subject.is_empty()).then(|| json!([identity]));
        let verify = Spec::default()
            .set("provider", provider)
            .reference("secretRef", secret)
            .some("matchOIDCIdentity", identities);
        return Ok(Some(verify.value()));
    }
    if !secret.is_empty() {
        return Err("a verification provider must be specified when a secret is specified".into());
    }
    if !issuer.is_empty() || (subject_needs_provider && !subject.is_empty()) {
        return Err(
            "a verification provider must be specified when OIDC issuer/subject is specified"
                .into(),
        );
    }
    Ok(None)
}

/// `name` or `namespace/name` of each dependency.
fn dependencies(names: &[String]) -> Option<Value> {
    let references: Vec<Value> = names
        .iter()
        .map(|text| {
            // What follows the sign is an expression, which is not taken over into objects.
            let text = text.split_once('@').map_or(text.as_str(), |(name, _)| name);
            let (namespace, name) = text.split_once('/').unwrap_or(("", text));
            Spec::default()
                .set("name", name)
                .text("namespace", namespace)
                .value()
        })
        .collect();
    (!references.is_empty()).then_some(Value::Array(references))
}

/// Creates the object, or gives the one that is there its labels and spec.
fn upsert(cluster: &Cluster, kind: &Kind, object: &Value, noun: &str) -> Outcome {
    let (namespace, name) = (object::meta::namespace(object), object::meta::name(object));
    match cluster.find(kind, namespace, name)? {
        None => {
            cluster.create(kind, object)?;
            output::success(format_args!("{noun} created"));
        }
        Some(mut existing) => {
            take_over(&mut existing, object);
            cluster.replace(kind, &existing)?;
            output::success(format_args!("{noun} updated"));
        }
    }
    Ok(())
}

fn take_over(existing: &mut Value, object: &Value) {
    existing["metadata"]["labels"] = object["metadata"]["labels"].clone();
    existing["spec"] = object["spec"].clone();
}

/// As [`upsert`], but an object that is as it should be is left alone without a word.
fn upsert_changed(cluster: &Cluster, kind: &Kind, object: &Value) -> Outcome {
    let (namespace, name) = (object::meta::namespace(object), object::meta::name(object));
    match cluster.find(kind, namespace, name)? {
        None => {
            cluster.create(kind, object)?;
            output::success(format_args!("{} created", kind.kind));
        }
        Some(existing) => {
            let mut wanted = existing.clone();
            take_over(&mut wanted, object);
            if wanted != existing {
                cluster.replace(kind, &wanted)?;
                output::success(format_args!("{} updated", kind.kind));
            }
        }
    }
    Ok(())
}

/// Waits until the object is ready, and gives it as it is then.
fn wait(cluster: &Cluster, kind: &Kind, object: &Value, shape: Shape) -> Result<Value, Stop> {
    let (namespace, name) = (object::meta::namespace(object), object::meta::name(object));
    readiness::wait(cluster, kind, namespace, name, shape)
}

/// Creates a Secret, or sets the data, annotations and labels of the one that is there.
pub(super) fn upsert_secret(cluster: &Cluster, secret: &Value) -> Outcome {
    let kind = &super::cluster::kinds::SECRET;
    let (namespace, name) = (object::meta::namespace(secret), object::meta::name(secret));
    let Some(mut existing) = cluster.find(kind, namespace, name)? else {
        cluster.create(kind, secret)?;
        return Ok(());
    };
    existing["stringData"] = secret["stringData"].clone();
    for field in ["annotations", "labels"] {
        for (key, value) in secret["metadata"][field].as_object().into_iter().flatten() {
            existing["metadata"][field][key] = value.clone();
        }
    }
    cluster.replace(kind, &existing)?;
    Ok(())
}

/// The revision of the object's artifact, or that it has none.
fn fetched(object: &Value, no_artifact: &str) -> Outcome {
    match object["status"]["artifact"]["revision"].as_str() {
        Some(revision) => {
            output::success(format_args!("fetched revision: {revision}"));
            Ok(())
        }
        None => Err(no_artifact.into()),
    }
}

/// Creates the object only where it is missing; `update` changes the one that is there.
fn ensure(
    cluster: &Cluster,
    kind: &Kind,
    object: &Value,
    update: impl FnOnce(Value) -> Outcome,
) -> Outcome {
    let (namespace, name) = (object::meta::namespace(object), object::meta::name(object));
    match cluster.get(kind, namespace, name) {
        Ok(existing) => update(existing),
        Err(error) if error.reason == Reason::NotFound => {
            cluster.create(kind, object)?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
