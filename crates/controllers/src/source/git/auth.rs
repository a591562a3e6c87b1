//! Credentials, certificates and proxies: from Secrets to what a fetch takes.
//!
//! Source: fluxcd/pkg `git/options.go` and `runtime/secrets`, source-controller's `getAuthOpts`.

use std::collections::BTreeMap;

use api::constants::conditions as c;
use api::constants::{keys, reasons};
use git::{Auth, Credentials, GitError, KnownHosts, ProxyUrl, Remote, RepositoryUrl, Scheme, Tls};

use super::work::Work;
use super::{GitRepositoryReconciler, github};
use crate::errors::api_message;
use crate::source::secret;
use crate::source::trouble::Trouble;

type Data = BTreeMap<String, Vec<u8>>;

/// The longest address of a proxy.
const MAX_PROXY: usize = 2048;

fn text(data: &Data, key: &str) -> String {
    data.get(key)
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .unwrap_or_default()
}

fn bytes(data: &Data, key: &str) -> Option<Vec<u8>> {
    data.get(key).filter(|value| !value.is_empty()).cloned()
}

fn configure(reason: impl std::fmt::Display) -> Trouble {
    Trouble::generic(
        reasons::AUTHENTICATION_FAILED,
        format!("failed to configure authentication options: {reason}"),
    )
}

impl GitRepositoryReconciler {
    /// The remote that the spec describes.
    pub(super) async fn remote(&self, work: &mut Work) -> Result<Remote, Trouble> {
        let proxy = match self.proxy(work).await {
            Ok(proxy) => proxy,
            Err(reason) => {
                let message = format!("failed to configure proxy options: {reason}");
                let trouble = Trouble::generic(reasons::AUTHENTICATION_FAILED, message);
                return Err(work.fail(c::FETCH_FAILED, trouble));
            }
        };
        let url = match RepositoryUrl::parse(&work.object.spec.url) {
            Ok(url) => url,
            Err(reason) => {
                let shown = masked(&work.object.spec.url);
                let message = format!("failed to parse url '{shown}': parse \"{shown}\": {reason}");
                return Err(work.fail(
                    c::FETCH_FAILED,
                    Trouble::stalling(reasons::URL_INVALID, message),
                ));
            }
        };
        let mut remote = Remote {
            url,
            auth: Auth::default(),
            proxy,
        };
        match self.auth(work, &remote).await {
            Ok(auth) => {
                remote.auth = auth;
                Ok(remote)
            }
            Err(trouble) => Err(work.fail(c::FETCH_FAILED, trouble)),
        }
    }

    async fn proxy(&self, work: &Work) -> Result<Option<ProxyUrl>, String> {
        let Some(reference) = &work.object.spec.proxy_secret_ref else {
            return Ok(None);
        };
        let namespace = &work.context.key().namespace;
        let name = &reference.name;
        let data = secret(work.context.client(), namespace, name)
            .await
            .map_err(|error| {
                if crate::errors::is_not_found(&error) {
                    format!("secret '{namespace}/{name}' not found")
                } else {
                    format!(
                        "failed to get secret '{namespace}/{name}': {}",
                        api_message(&error)
                    )
                }
            })?;
        proxy(&data, &format!("{namespace}/{name}")).map(Some)
    }

    async fn auth(&self, work: &Work, remote: &Remote) -> Result<Auth, Trouble> {
        let namespace = &work.context.key().namespace;
        let spec = &work.object.spec;
        let secret_name = spec
            .secret_ref
            .as_ref()
            .map(|reference| reference.name.as_str());
        let mut data = Data::new();
        if let Some(name) = secret_name {
            data = secret(work.context.client(), namespace, name)
                .await
                .map_err(|error| {
                    let failed = format!("failed to get secret '{namespace}/{name}'");
                    let message = format!("{failed}: {failed}: {}", api_message(&error));
                    Trouble::generic(reasons::AUTHENTICATION_FAILED, message)
                })?;
        }
        let mut auth = options(&remote.url, &data).map_err(configure)?;
        if let (
            Credentials::Key {
                identity,
                passphrase: None,
                ..
            },
            Some(name),
        ) = (&auth.credentials, secret_name)
            && git::is_encrypted_key(identity)
        {
            let message = format!(
                "SSH identity key is encrypted but no 'password' field was provided in the secret '{namespace}/{name}'"
            );
            return Err(Trouble::generic(reasons::AUTHENTICATION_FAILED, message));
        }
        match spec.provider.as_deref() {
            Some("github") => {
                let Some(name) = secret_name else {
                    return Err(Trouble::stalling(
                        reasons::INVALID_PROVIDER_CONFIGURATION,
                        NO_APP,
                    ));
                };
                if data.get(keys::GITHUB_APP_ID).is_none_or(Vec::is_empty) {
                    return Err(Trouble::generic(
                        reasons::INVALID_PROVIDER_CONFIGURATION,
                        NO_APP,
                    ));
                }
                let app =
                    github::App::of(&data, &format!("{namespace}/{name}")).map_err(configure)?;
                let token = self
                    .tokens
                    .get(&app, &auth.tls, remote.proxy.as_ref())
                    .await
                    .map_err(configure)?;
                auth.credentials = Credentials::Basic {
                    username: github::USERNAME.to_owned(),
                    password: token,
                };
            }
            Some(provider @ ("azure" | "aws")) => {
                let has_account = spec
                    .service_account_name
                    .as_ref()
                    .is_some_and(|name| !name.is_empty());
                if has_account && !self.settings.object_level_identity {
                    return Err(Trouble::stalling(reasons::FEATURE_GATE_DISABLED, NO_GATE));
                }
                return Err(configure(format!(
                    "the identity of the workload cannot be used with provider '{provider}' yet; \
                     use the provider 'generic' and a token in the secret"
                )));
            }
            _ => {
                if let Some(name) =
                    secret_name.filter(|_| !text(&data, keys::GITHUB_APP_ID).is_empty())
                {
                    let message = format!(
                        "secretRef '{namespace}/{name}' has github app data but provider is not set to github"
                    );
                    return Err(Trouble::generic(
                        reasons::INVALID_PROVIDER_CONFIGURATION,
                        message,
                    ));
                }
            }
        }
        Ok(auth)
    }
}

const NO_APP: &str =
    "secretRef with github app data must be specified when provider is set to github";
const NO_GATE: &str = "to use spec.serviceAccountName for provider authentication please enable the \
                       ObjectLevelWorkloadIdentity feature gate in the controller";

/// Source: fluxcd/pkg `git`, `NewAuthOptions`.
fn options(url: &RepositoryUrl, data: &Data) -> Result<Auth, String> {
    let invalid = |what: &str| format!("invalid '{}' auth option: {what}", url.scheme.as_str());
    let authorities = bytes(data, keys::CA_CERT).or_else(|| bytes(data, keys::OLD_CA_CERT));
    if url.scheme == Scheme::Ssh {
        let (identity, known) = (
            text(data, keys::SSH_IDENTITY),
            text(data, keys::SSH_KNOWN_HOSTS),
        );
        if identity.is_empty() {
            return Err(invalid("'identity' is required"));
        }
        if known.is_empty() {
            return Err(invalid("'known_hosts' is required"));
        }
        let credentials = Credentials::Key {
            username: url
                .user
                .clone()
                .filter(|user| !user.is_empty())
                .unwrap_or_else(|| "git".to_owned()),
            identity,
            passphrase: Some(text(data, keys::PASSWORD)).filter(|password| !password.is_empty()),
        };
        let known_hosts = KnownHosts::parse(&known).map_err(|error: GitError| error.to_string())?;
        return Ok(Auth {
            credentials,
            tls: Tls::default(),
            known_hosts,
        });
    }
    let token = data
        .get(keys::BEARER_TOKEN)
        .map(|_| text(data, keys::BEARER_TOKEN));
    let given = |key: &str| {
        if token.is_some() {
            String::new()
        } else {
            text(data, key)
        }
    };
    let mut username = given(keys::USERNAME);
    let mut password = given(keys::PASSWORD);
    if username.is_empty() {
        username = url.user.clone().unwrap_or_default();
    }
    if password.is_empty() {
        password = url.password.clone().unwrap_or_default();
    }
    if username.is_empty() && !password.is_empty() {
        return Err(invalid("'password' requires 'username' to be set"));
    }
    let has_login = !username.is_empty() || !password.is_empty();
    let credentials = match token.filter(|token| !token.is_empty()) {
        Some(_) if has_login => {
            return Err("basic auth and bearer token cannot be set at the same time".to_owned());
        }
        Some(token) => Credentials::Bearer(token),
        None if has_login => Credentials::Basic { username, password },
        None => Credentials::None,
    };
    let tls = Tls {
        authorities,
        certificate: bytes(data, keys::TLS_CERT),
        key: bytes(data, keys::TLS_KEY),
    };
    Ok(Auth {
        credentials,
        tls,
        known_hosts: KnownHosts::default(),
    })
}

/// Source: fluxcd/pkg `runtime/secrets`, `ProxyURLFromSecret`.
fn proxy(data: &Data, secret: &str) -> Result<ProxyUrl, String> {
    if !data.contains_key(keys::ADDRESS) {
        return Err(format!("secret '{secret}': key 'address' not found"));
    }
    let address = text(data, keys::ADDRESS);
    if address.is_empty() {
        return Err(format!("secret '{secret}': proxy address is empty"));
    }
    if address.len() > MAX_PROXY {
        return Err(format!(
            "secret '{secret}': proxy URL exceeds maximum length of {MAX_PROXY} characters"
        ));
    }
    let (scheme, rest) = address.split_once("://").unwrap_or(("", &address));
    if !matches!(scheme, "http" | "https" | "socks5") {
        return Err(format!(
            "secret '{secret}': proxy URL must use one of the supported schemes (http, https, socks5), got '{scheme}'"
        ));
    }
    if !data.contains_key(keys::USERNAME) {
        return Ok(ProxyUrl(address));
    }
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let username = text(data, keys::USERNAME);
    let username = apply::escape(&username);
    let login = match data.get(keys::PASSWORD) {
        Some(_) => format!("{username}:{}", apply::escape(&text(data, keys::PASSWORD))),
        None => username.to_string(),
    };
    Ok(ProxyUrl(format!("{scheme}://{login}@{host}")))
}

/// An address without its password.
pub(super) fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end]
        .rsplit_once('@')
        .and_then(|(login, host)| Some((login.split_once(':')?, host)))
    {
        Some(((user, _), host)) => format!("{scheme}://{user}:***@{host}{}", &rest[end..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)]) -> Data {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()))
            .collect()
    }

    fn of(url: &str, pairs: &[(&str, &str)]) -> Result<Credentials, String> {
        options(&RepositoryUrl::parse(url).unwrap(), &data(pairs)).map(|auth| auth.credentials)
    }

    #[test]
    fn secrets_become_credentials() {
        let basic = |username: &str, password: &str| {
            Ok(Credentials::Basic {
                username: username.to_owned(),
                password: password.to_owned(),
            })
        };
        assert_eq!(of("https://h/x", &[]), Ok(Credentials::None));
        assert_eq!(
            of("https://h/x", &[("username", "u"), ("password", "p")]),
            basic("u", "p")
        );
        assert_eq!(of("https://a:b@h/x", &[]), basic("a", "b"));
        assert_eq!(
            of("https://h/x", &[("bearerToken", "t")]),
            Ok(Credentials::Bearer("t".to_owned()))
        );
        let error = of("https://h/x", &[("password", "p")]);
        assert_eq!(
            error,
            Err("invalid 'https' auth option: 'password' requires 'username' to be set".to_owned())
        );
        let error = of("ssh://h/x", &[]);
        assert_eq!(
            error,
            Err("invalid 'ssh' auth option: 'identity' is required".to_owned())
        );
        let error = of("ssh://h/x", &[("identity", "k")]);
        assert_eq!(
            error,
            Err("invalid 'ssh' auth option: 'known_hosts' is required".to_owned())
        );
        let key = of("ssh://h/x", &[("identity", "k"), ("known_hosts", "# none")]);
        assert!(matches!(key, Ok(Credentials::Key { username, .. }) if username == "git"));
    }

    #[test]
    fn secrets_become_proxies() {
        let of = |pairs: &[(&str, &str)]| proxy(&data(pairs), "ns/p").map(|ProxyUrl(url)| url);
        assert_eq!(of(&[("address", "http://p:1")]).unwrap(), "http://p:1");
        let with = of(&[
            ("address", "http://p:1"),
            ("username", "u"),
            ("password", "p@:/"),
        ])
        .unwrap();
        assert_eq!(with, "http://u:p%40%3A%2F@p:1");
        assert_eq!(
            of(&[]).unwrap_err(),
            "secret 'ns/p': key 'address' not found"
        );
        assert!(
            of(&[("address", "ftp://p")])
                .unwrap_err()
                .ends_with("(http, https, socks5), got 'ftp'")
        );
    }

    #[test]
    fn passwords_in_addresses_are_masked() {
        assert_eq!(masked("https://u:canary@h/x@y"), "https://u:***@h/x@y");
        assert_eq!(masked("ssh://git@h/x"), "ssh://git@h/x");
        assert_eq!(masked("git@h:x"), "git@h:x");
    }
}
