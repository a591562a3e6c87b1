//! Flux's own types of flags. The messages are Flux's: users and scripts know them.

use crate::flux::go;
use crate::flux::names::{object_kind_name, object_kind_name_namespace};

/// One of Flux's own types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// What an upgrade does with CRDs.
    CrdsPolicy,
    /// How Secrets in a repository are decrypted.
    DecryptionProvider,
    /// The curve of an ECDSA key.
    EcdsaCurve,
    /// Who sees a new GitLab repository.
    GitLabVisibility,
    /// Where a HelmRelease's chart comes from, possibly in another namespace.
    HelmChartSource,
    /// Where a HelmChart comes from.
    LocalHelmChartSource,
    /// Where a Kustomization comes from.
    KustomizationSource,
    /// The least severity that is logged.
    LogLevel,
    /// The kind of an SSH key.
    PublicKeyAlgorithm,
    /// Who calls a webhook.
    ReceiverType,
    /// The size of an RSA key.
    RsaKeyBits,
    /// A path that does not leave the current folder.
    SafeRelativePath,
    /// Whose bucket it is.
    SourceBucketProvider,
    /// Whose Git repository it is.
    SourceGitProvider,
    /// Whose registry it is.
    SourceOciProvider,
    /// How artifacts are verified.
    SourceOciVerifyProvider,
}

const CHART_SOURCES: [&str; 3] = ["HelmRepository", "GitRepository", "Bucket"];
const KUSTOMIZATION_SOURCES: [&str; 3] = ["OCIRepository", "GitRepository", "Bucket"];
const CLOUDS: [&str; 4] = ["generic", "aws", "azure", "gcp"];
const RECEIVERS: [&str; 12] = [
    "generic",
    "generic-hmac",
    "github",
    "gitlab",
    "bitbucket",
    "harbor",
    "dockerhub",
    "quay",
    "gcr",
    "nexus",
    "acr",
    "cdevents",
];

impl Own {
    /// Which of them the flag has, if any.
    pub(super) fn of(path: &str, name: &str, type_name: &str) -> Option<Self> {
        Some(match (path, name, type_name) {
            ("create kustomization", "source", _) => Self::KustomizationSource,
            ("create helmrelease", "source", _) => Self::HelmChartSource,
            ("create source chart", "source", _) => Self::LocalHelmChartSource,
            ("create source bucket", "provider", _) => Self::SourceBucketProvider,
            ("create source git", "provider", _) => Self::SourceGitProvider,
            (_, "provider", "generic|aws|azure|gcp") => Self::SourceOciProvider,
            (_, _, "Skip|Create|CreateReplace") => Self::CrdsPolicy,
            (_, _, "decryptionProvider") => Self::DecryptionProvider,
            (_, _, "p256|p384|p521") => Self::EcdsaCurve,
            (_, _, "internal|private|public") => Self::GitLabVisibility,
            (_, _, "debug|info|error") => Self::LogLevel,
            (_, _, "rsa|ecdsa|ed25519") => Self::PublicKeyAlgorithm,
            (_, _, "rsaKeyBits") => Self::RsaKeyBits,
            (_, _, "safeRelativePath") => Self::SafeRelativePath,
            (_, _, "sourceOCIVerifyProvider") => Self::SourceOciVerifyProvider,
            (_, "type", name) if name.starts_with("generic|generic-hmac|") => Self::ReceiverType,
            _ => return None,
        })
    }

    /// Checks what the user wrote, and gives it in its clean form.
    ///
    /// # Errors
    /// In Flux's words.
    pub(super) fn check(self, text: &str) -> Result<String, String> {
        let empty = text.trim().is_empty();
        match self {
            Self::GitLabVisibility if empty => Ok("private".to_owned()),
            Self::GitLabVisibility => match text {
                "public" | "internal" | "private" => Ok(text.to_owned()),
                _ => Err(format!("unsupported visibility '{text}'")),
            },
            Self::EcdsaCurve => match text {
                "p256" | "p384" | "p521" => Ok(text.to_owned()),
                _ => Err(format!(
                    "unsupported curve '{text}', must be one of: p256, p384, p521"
                )),
            },
            Self::RsaKeyBits if empty => Ok("2048".to_owned()),
            Self::RsaKeyBits => rsa_key_bits(text),
            Self::SafeRelativePath => Ok(safe_relative_path(text)),
            Self::KustomizationSource => kustomization_source(text, empty),
            Self::HelmChartSource => {
                let description = "source that contains the chart in the format \
                    '<kind>/<name>.<namespace>', where kind must be one of: \
                    (HelmRepository, GitRepository, Bucket)";
                let (kind, name, namespace) = object_kind_name_namespace(text);
                let kind = chart_source(text, empty, description, &kind, &name)?;
                Ok(SourceReference::join(kind, &name, &namespace))
            }
            Self::LocalHelmChartSource => {
                let description = "source that contains the chart in the format '<kind>/<name>', \
                    where kind must be one of: (HelmRepository, GitRepository, Bucket)";
                let (kind, name) = object_kind_name(text);
                let kind = chart_source(text, empty, description, kind, name)?;
                Ok(SourceReference::join(kind, name, ""))
            }
            _ => self.choice(text, empty),
        }
    }

    /// The types that are one word of a few.
    fn choice(self, text: &str, empty: bool) -> Result<String, String> {
        let (allowed, nothing, unsupported): (&[&str], &str, [&str; 2]) = match self {
            Self::CrdsPolicy => (
                &["Skip", "Create", "CreateReplace"],
                "no upgrade CRDs policy given, must be one of: Skip, Create, CreateReplace",
                ["unsupported upgrade CRDs policy '", "'"],
            ),
            Self::DecryptionProvider => (
                &["sops"],
                "no decryption provider given, must be one of: sops",
                ["unsupported decryption provider '", "'"],
            ),
            Self::LogLevel => (
                &["debug", "info", "error"],
                "no log level given, must be one of: debug, info, error",
                ["unsupported log level '", "'"],
            ),
            Self::PublicKeyAlgorithm => (
                &["rsa", "ecdsa", "ed25519"],
                "no public key algorithm given, must be one of: rsa, ecdsa, ed25519",
                ["unsupported public key algorithm '", "'"],
            ),
            Self::ReceiverType => (
                &RECEIVERS,
                "no receiver type given, please specify the receiver type",
                ["receiver type '", "' is not supported"],
            ),
            Self::SourceBucketProvider => (
                &CLOUDS,
                "no source bucket provider given, please specify the S3 compatible storage provider name",
                ["source bucket provider '", "' is not supported"],
            ),
            Self::SourceGitProvider => (
                &["generic", "github", "aws", "azure"],
                "no source Git provider given, please specify the Git provider name",
                ["source Git provider '", "' is not supported"],
            ),
            Self::SourceOciVerifyProvider => (
                &["cosign"],
                "no source OCI verify provider given, please specify the OCI verify provider name to use \
                 for signature verification, available options are: (cosign)",
                ["source OCI verify provider '", "' is not supported"],
            ),
            _ => (
                &CLOUDS,
                "no source OCI provider given, please specify the OCI provider name",
                ["source OCI provider '", "' is not supported"],
            ),
        };
        if empty {
            return Err(nothing.to_owned());
        }
        if allowed.contains(&text) {
            return Ok(text.to_owned());
        }
        // Upstream joins this one list as it joins the type's name.
        let separator = if self == Self::SourceGitProvider {
            "|"
        } else {
            ", "
        };
        Err(format!(
            "{}{text}{}, must be one of: {}",
            unsupported[0],
            unsupported[1],
            allowed.join(separator)
        ))
    }
}

fn rsa_key_bits(text: &str) -> Result<String, String> {
    let bits = go::atoi(text)?;
    if bits < 1024 {
        return Err("RSA key bit size must be at least 1024".to_owned());
    }
    if bits % 8 != 0 {
        return Err("RSA key bit size must be a multiples of 8".to_owned());
    }
    Ok(bits.to_string())
}

/// The path, flattened below the current folder: `..` stops at the root, and links are followed as if
/// the current folder were `/`.
fn safe_relative_path(text: &str) -> String {
    let mut joined: Vec<String> = Vec::new();
    let mut rest: Vec<String> = text.trim().split('/').rev().map(str::to_owned).collect();
    let mut links = 0;
    while let Some(part) = rest.pop() {
        match part.as_str() {
            "" | "." => {}
            ".." => {
                joined.pop();
            }
            name => {
                let path = joined
                    .iter()
                    .map(String::as_str)
                    .chain([name])
                    .collect::<Vec<_>>();
                match std::fs::read_link(path.join("/")) {
                    Ok(target) if links < 255 => {
                        links += 1;
                        let target = target.to_string_lossy().into_owned();
                        if target.starts_with('/') {
                            joined.clear();
                        }
                        rest.extend(target.split('/').rev().map(str::to_owned));
                    }
                    _ => joined.push(name.to_owned()),
                }
            }
        }
    }
    format!("./{}", joined.join("/"))
}

fn chart_source(
    text: &str,
    empty: bool,
    description: &str,
    kind: &str,
    name: &str,
) -> Result<&'static str, String> {
    if empty {
        return Err(format!(
            "no helm chart source given, please specify {description}"
        ));
    }
    if kind.is_empty() || name.is_empty() {
        return Err(format!(
            "invalid helm chart source '{text}', must be in format <kind>/<name>"
        ));
    }
    supported(&CHART_SOURCES, kind)
}

fn kustomization_source(text: &str, empty: bool) -> Result<String, String> {
    if empty {
        return Err(
            "no Kustomization source given, please specify source that contains the Kubernetes manifests \
             in the format '[<kind>/]<name>.<namespace>', where kind must be one of: (OCIRepository, \
             GitRepository, Bucket), if kind is not specified it defaults to GitRepository"
                .to_owned(),
        );
    }
    let (kind, name, namespace) = object_kind_name_namespace(text);
    if name.is_empty() {
        return Err(format!("no name given for source of kind '{kind}'"));
    }
    if kind.is_empty() && KUSTOMIZATION_SOURCES.contains(&name.as_str()) {
        return Err(format!("no kind specified for source '{name}'"));
    }
    let kind = if kind.is_empty() {
        "GitRepository"
    } else {
        &kind
    };
    let kind = supported(&KUSTOMIZATION_SOURCES, kind)?;
    Ok(SourceReference::join(kind, &name, &namespace))
}

/// The kind in its right spelling.
fn supported(kinds: &[&'static str], kind: &str) -> Result<&'static str, String> {
    kinds
        .iter()
        .find(|known| known.eq_ignore_ascii_case(kind))
        .copied()
        .ok_or_else(|| {
            format!(
                "source kind '{kind}' is not supported, must be one of: {}",
                kinds.join(", ")
            )
        })
}

/// What no argument can hold.
const SEPARATOR: &str = "\0";

/// A checked reference to a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SourceReference {
    /// Its kind.
    pub(crate) kind: String,
    /// Its name.
    pub(crate) name: String,
    /// Its namespace; empty where that of the object is meant.
    pub(crate) namespace: String,
}

impl SourceReference {
    /// The clean form in which a flag keeps it.
    fn join(kind: &str, name: &str, namespace: &str) -> String {
        [kind, name, namespace].join(SEPARATOR)
    }

    /// Reads the clean form; all parts are empty where the flag was not given.
    pub(crate) fn read(clean: &str) -> Self {
        let mut parts = clean.splitn(3, SEPARATOR).map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        Self {
            kind: part(),
            name: part(),
            namespace: part(),
        }
    }
}
