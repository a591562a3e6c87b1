//! Tokens of GitHub Apps.
//!
//! Source: fluxcd/pkg `auth/githubapp`: the app's key signs a short-lived token, for which GitHub's API gives one of the
//! installation, which is the password of `x-access-token`.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use api::constants::keys;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use git::{ProxyUrl, Tls};
use jiff::Timestamp;
use parking_lot::Mutex;
use reqwest::{Client, Method, Proxy};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

/// Whose password the token is.
pub(super) const USERNAME: &str = "x-access-token";
const API: &str = "https://api.github.com";
/// A token is not used so shortly before its end.
const MARGIN: Duration = Duration::from_secs(300);
const LIMIT: Duration = Duration::from_secs(30);

/// An app and its installation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct App {
    id: String,
    owner: String,
    installation: String,
    key: Vec<u8>,
    api: String,
}

impl App {
    /// The app that a Secret describes.
    pub(super) fn of(data: &BTreeMap<String, Vec<u8>>, secret: &str) -> Result<Self, String> {
        let text = |key: &str| {
            data.get(key)
                .map(|value| String::from_utf8_lossy(value).trim().to_owned())
        };
        let missing = |key: &str| format!("secret '{secret}': key '{key}' not found");
        let id = text(keys::GITHUB_APP_ID).ok_or_else(|| missing(keys::GITHUB_APP_ID))?;
        let key = data
            .get(keys::GITHUB_APP_PRIVATE_KEY)
            .ok_or_else(|| missing(keys::GITHUB_APP_PRIVATE_KEY))?;
        let owner = text(keys::GITHUB_APP_INSTALLATION_OWNER).unwrap_or_default();
        let installation = text(keys::GITHUB_APP_INSTALLATION_ID).unwrap_or_default();
        if id.parse::<u64>().unwrap_or(0) == 0 {
            return Err("app ID must be provided to use github app authentication".to_owned());
        }
        match (owner.is_empty(), installation.is_empty()) {
            (true, true) => {
                return Err("app installation owner or ID must be provided to use github app authentication".to_owned());
            }
            (false, false) => {
                return Err(
                    "only one of app installation owner or ID must be provided to use github app authentication".to_owned()
                );
            }
            _ => {}
        }
        let api = text(keys::GITHUB_APP_BASE_URL).filter(|url| !url.is_empty());
        let api = api.map_or_else(
            || API.to_owned(),
            |url| url.trim_end_matches('/').to_owned(),
        );
        Ok(Self {
            id,
            owner,
            installation,
            key: key.clone(),
            api,
        })
    }

    /// The token that proves to be the app, valid for some minutes.
    fn assertion(&self, now: i64) -> Result<String, String> {
        let unreadable = |reason: &str| format!("could not parse private key: {reason}");
        let key =
            PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| unreadable("it is not PEM"))?;
        let key = match &key {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(unreadable("it is no RSA key")),
        };
        let key = key.map_err(|error| unreadable(&error.to_string()))?;
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let issued = now - 30;
        let text = format!(
            "{}.{}",
            part(json!({"alg": "RS256", "typ": "JWT"})),
            part(json!({"iat": issued, "exp": issued + 120, "iss": self.id})),
        );
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            text.as_bytes(),
            &mut signature,
        )
        .map_err(|_| "the private key cannot sign".to_owned())?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Tokens that are still good.
#[derive(Default)]
pub(in crate::source) struct Tokens(Mutex<HashMap<App, (String, Timestamp)>>);

impl Tokens {
    /// A token for the app's installation.
    pub(super) async fn get(
        &self,
        app: &App,
        tls: &Tls,
        proxy: Option<&ProxyUrl>,
    ) -> Result<String, String> {
        let now = Timestamp::now();
        if let Some((token, end)) = self.0.lock().get(app)
            && now.checked_add(MARGIN).is_ok_and(|later| later < *end)
        {
            return Ok(token.clone());
        }
        let assertion = app.assertion(now.as_second())?;
        let client = client(tls, proxy)?;
        let installation = match app.installation.as_str() {
            "" => find(&client, app, &assertion).await?,
            id => id.to_owned(),
        };
        let url = format!("{}/app/installations/{installation}/access_tokens", app.api);
        let answer = ask(&client, Method::POST, &url, &assertion).await?;
        let token = answer["token"]
            .as_str()
            .ok_or("GitHub's answer holds no token")?
            .to_owned();
        let end = answer["expires_at"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or(now);
        let mut tokens = self.0.lock();
        tokens.retain(|_, (_, end)| *end > now);
        tokens.insert(app.clone(), (token.clone(), end));
        Ok(token)
    }
}

fn client(tls: &Tls, proxy: Option<&ProxyUrl>) -> Result<Client, String> {
    let config = tls::client(tls::ClientOptions {
        authorities: tls.authorities.as_deref(),
        and_systems: true,
        certificate: tls.certificate.as_deref(),
        key: tls.key.as_deref(),
    })
    .map_err(|error| error.to_string())?;
    let mut builder = Client::builder()
        .tls_backend_preconfigured(config)
        .timeout(LIMIT)
        .redirect(reqwest::redirect::Policy::none());
    if let Some(ProxyUrl(address)) = proxy {
        builder = builder
            .proxy(Proxy::all(address).map_err(|_| "the proxy's address is not valid".to_owned())?);
    }
    builder.build().map_err(|error| error.to_string())
}

/// The installation of the app at its owner.
async fn find(client: &Client, app: &App, assertion: &str) -> Result<String, String> {
    let mut reasons = Vec::new();
    for (kind, name) in [("orgs", "organization"), ("users", "user")] {
        let url = format!("{}/{kind}/{}/installation", app.api, app.owner);
        match ask(client, Method::GET, &url, assertion).await {
            Ok(answer) => {
                return answer["id"]
                    .as_u64()
                    .map(|id| id.to_string())
                    .ok_or("no installation".to_owned());
            }
            Err(reason) => reasons.push(format!("failed to find {name} installation: {reason}")),
        }
    }
    Err(reasons.join("\n"))
}

async fn ask(client: &Client, method: Method, url: &str, assertion: &str) -> Result<Value, String> {
    const MAX_ANSWER: usize = 1 << 20;
    let request = client
        .request(method.clone(), url)
        .bearer_auth(assertion)
        .header("Accept", "application/vnd.github+json")
        .header("X-GitHub-Api-Version", "2022-11-28")
        .header("User-Agent", "sluice");
    let mut response = request
        .send()
        .await
        .map_err(|error| crate::errors::chain(&error.without_url()))?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| error.without_url().to_string())?
    {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err("GitHub's answer is too large".to_owned());
        }
    }
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status.is_success() {
        return Ok(answer);
    }
    let message = answer["message"].as_str().unwrap_or_default();
    Err(format!("{method} {url}: {} {message} []", status.as_u16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn what_is_missing_is_told() {
        let of = |pairs: &[(&str, &str)]| App::of(&data(pairs), "ns/app").map(|_| ()).unwrap_err();
        let (id, key) = (("githubAppID", "7"), ("githubAppPrivateKey", "k"));
        assert_eq!(
            of(&[id]),
            "secret 'ns/app': key 'githubAppPrivateKey' not found"
        );
        assert!(of(&[id, key]).starts_with("app installation owner or ID must be provided"));
        let (owner, number) = (
            ("githubAppInstallationOwner", "o"),
            ("githubAppInstallationID", "1"),
        );
        assert!(
            of(&[id, key, owner, number]).starts_with("only one of app installation owner or ID")
        );
        assert!(of(&[("githubAppID", "x"), key, owner]).starts_with("app ID must be provided"));
    }
}
