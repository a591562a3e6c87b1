//! The registry of an artifact: logging in, and the requests of the commands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci::{Client, Login, Manifest, OciError};
use serde_json::Value;

use crate::flux::image_name::{Reference, artifact_url};
use crate::flux::invocation::Invocation;
use crate::flux::{Stop, output};

/// An artifact's place, with a connection to its registry.
pub(super) struct Registry<'u> {
    /// The address without its scheme.
    pub(super) url: &'u str,
    /// The image.
    pub(super) reference: Reference,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

/// A failure as Flux prints it.
pub(super) fn message(error: &OciError) -> String {
    match error {
        OciError::Unreachable { url, problem } => format!("Get \"{url}\": {problem}"),
        other => other.to_string(),
    }
}

impl<'u> Registry<'u> {
    /// Connects with the login of `--creds`, else that of Docker's configuration.
    ///
    /// # Errors
    /// An address that is none, or a provider that cannot be logged in to.
    pub(super) fn open(invocation: &Invocation<'_>, address: &'u str) -> Result<Self, Stop> {
        let (url, reference) = artifact_url(address)?;
        let provider = invocation.text("provider");
        if provider != "generic" {
            output::action("logging in to registry with provider credentials");
            return Err(format!(
                "error during login with provider: could not login to provider {provider} with url {url}: log \
                 in with --creds instead"
            )
            .into());
        }
        let login = match invocation.some_text("creds") {
            Some(text) => {
                output::action("logging in to registry with credentials");
                let (user, password) = text.split_once(':').ok_or(
                    "could not login with credentials: invalid credentials, expected format <username>:<password>",
                )?;
                Some(Login {
                    user: user.to_owned(),
                    password: password.to_owned(),
                })
            }
            None => configured(&reference.repository.registry),
        };
        let plain = invocation.boolean("insecure-registry") || reference.repository.is_local();
        // A second provider of ciphers is none.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::new(&reference.repository.registry, plain, login)
            .map_err(|error| message(&error))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            url,
            reference,
            client,
            runtime,
        })
    }

    fn path(&self) -> String {
        let name = self.reference.repository.name();
        let registry = &self.reference.repository.registry;
        name.strip_prefix(registry.as_str())
            .unwrap_or(&name)
            .trim_start_matches('/')
            .to_owned()
    }

    /// The name of the repository with a digest.
    pub(super) fn by_digest(&self, digest: &str) -> String {
        format!("{}@{digest}", self.reference.repository.name())
    }

    /// The manifest of a tag or digest; of the address without one.
    pub(super) fn manifest(&self, reference: Option<&str>) -> Result<Manifest, OciError> {
        let reference = reference.unwrap_or(&self.reference.identifier);
        self.runtime
            .block_on(self.client.manifest(&self.path(), reference))
    }

    /// The first layer of a manifest.
    pub(super) fn layer(&self, manifest: &Manifest) -> Result<Vec<u8>, String> {
        let digest = manifest.value["layers"][0]["digest"]
            .as_str()
            .ok_or("no layers found in artifact")?;
        self.runtime
            .block_on(self.client.blob(&self.path(), digest))
            .map_err(|error| message(&error))
    }

    /// Puts a blob; gives its digest.
    pub(super) fn push_blob(&self, bytes: &[u8]) -> Result<String, OciError> {
        self.runtime
            .block_on(self.client.push_blob(&self.path(), bytes))
    }

    /// Puts a manifest under a tag; gives its digest.
    pub(super) fn push_manifest(
        &self,
        tag: &str,
        kind: &str,
        bytes: &[u8],
    ) -> Result<String, OciError> {
        self.runtime
            .block_on(self.client.push_manifest(&self.path(), tag, kind, bytes))
    }

    /// The tags of the repository.
    pub(super) fn tags(&self) -> Result<Vec<String>, OciError> {
        self.runtime.block_on(self.client.tags(&self.path()))
    }
}

/// The login in Docker's configuration file, if it holds one for the registry.
fn configured(registry: &str) -> Option<Login> {
    let folder = std::env::var("DOCKER_CONFIG")
        .ok()
        .filter(|folder| !folder.is_empty());
    let folder = folder.or_else(|| Some(format!("{}/.docker", std::env::var("HOME").ok()?)))?;
    let config: Value =
        serde_json::from_slice(&std::fs::read(format!("{folder}/config.json")).ok()?).ok()?;
    let names = [
        registry.to_owned(),
        format!("https://{registry}"),
        format!("https://{registry}/v1/"),
    ];
    let entry = names
        .iter()
        .map(|name| &config["auths"][name])
        .find(|entry| entry.is_object())?;
    let login = STANDARD.decode(entry["auth"].as_str()?).ok()?;
    let login = String::from_utf8(login).ok()?;
    let (user, password) = login.split_once(':')?;
    Some(Login {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}
