//! `trigger receiver`: calls a Receiver's webhook.

use std::time::{Duration, Instant};

use gotemplate::sprig::Address;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::create::secret::webhook_path;
use super::invocation::Invocation;
use super::{FLUX_VERSION, Outcome, Stop, go, hex, output};

const OIDC: &str = "generic-oidc";
const TOKEN_VARIABLE: &str = "FLUX_TRIGGER_RECEIVER_OIDC_TOKEN";

/// Runs `trigger receiver`.
pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation.some_text("url").ok_or("--url is required")?;
    check(invocation)?;
    let kind = invocation.text("type");
    let token = invocation.text("token");
    let salt = if kind == OIDC { "" } else { token };
    let name = invocation.name();
    let namespace = &invocation.namespace;
    let webhook = format!(
        "{}{}",
        url.trim_end_matches('/'),
        webhook_path(salt, name, namespace)
    );
    let payload = invocation.text("payload");
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("user-agent", format!("flux/v{FLUX_VERSION}")),
    ];
    if kind == "generic-hmac" {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(token.as_bytes()).map_err(|error| error.to_string())?;
        mac.update(payload.as_bytes());
        headers.push((
            "x-signature",
            format!("sha256={}", hex(&mac.finalize().into_bytes())),
        ));
    }
    if kind == OIDC {
        headers.push((
            "authorization",
            format!("Bearer {}", oidc_token(invocation)?),
        ));
    }
    // A second provider of ciphers is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let retries = invocation.integer("retries");
    let delay = invocation.duration("retry-delay");
    let end = Instant::now() + invocation.duration("timeout").to_std().unwrap_or_default();
    output::action(format_args!("triggering Receiver {namespace}/{name}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let mut attempt = 0;
    loop {
        let answer = runtime.block_on(send(&webhook, &headers, payload));
        let (retryable, error) = match answer {
            Ok(()) => {
                output::success(format_args!("Receiver {namespace}/{name} triggered"));
                return Ok(());
            }
            Err(failed) => failed,
        };
        if !retryable || attempt >= retries {
            return Err(error.into());
        }
        attempt += 1;
        output::waiting(format_args!(
            "{error}; retrying in {delay} ({attempt}/{retries})"
        ));
        let wait = delay.to_std().unwrap_or_default();
        if Instant::now() + wait > end {
            return Err("context deadline exceeded".into());
        }
        std::thread::sleep(wait);
    }
}

/// One attempt; a failure says whether another one may help.
async fn send(url: &str, headers: &[(&str, String)], payload: &str) -> Result<(), (bool, String)> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .build()
        .map_err(|error| (false, format!("unable to create request: {error}")))?;
    let mut request = client.post(url).body(payload.to_owned());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let answer = request.send().await.map_err(|error| {
        let problem = cause(&error, url);
        (
            true,
            format!(
                "request to {url} failed: Post {}: {problem}",
                go::quote(url)
            ),
        )
    })?;
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    if status.is_success() {
        return Ok(());
    }
    let mut message = format!(
        "request to {url} failed with status {} {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default()
    );
    if !body.trim().is_empty() {
        message.push_str(&format!(": {}", body.trim()));
    }
    let retryable = [404, 408, 429, 500, 502, 503, 504].contains(&status.as_u16());
    Err((retryable, message))
}

/// Why a request was not answered, in Go's words.
pub(super) fn cause(error: &reqwest::Error, url: &str) -> String {
    let host = Address::parse(url)
        .map(|address| address.host)
        .unwrap_or_default();
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<std::io::Error>() {
        Some(io) => format!("dial tcp {host}: connect: {}", go::errno(io)),
        None => cause.to_string(),
    }
}

fn check(invocation: &Invocation<'_>) -> Outcome {
    let text = |flag| invocation.text(flag);
    let kind = text("type");
    if !["generic", "generic-hmac", OIDC].contains(&kind) {
        return Err(format!(
            "invalid --type {}, must be one of: generic, generic-hmac, {OIDC}",
            go::quote(kind)
        )
        .into());
    }
    let (provider, token, audience) = (
        text("oidc-provider"),
        text("oidc-token"),
        text("oidc-audience"),
    );
    if kind != OIDC {
        if text("token").is_empty() {
            return Err(format!("--token is required for --type={kind}").into());
        }
        if [provider, token, audience]
            .iter()
            .any(|text| !text.is_empty())
        {
            return Err(format!(
                "--oidc-provider, --oidc-token and --oidc-audience can only be set for --type={OIDC}"
            )
            .into());
        }
        return Ok(());
    }
    if !text("token").is_empty() {
        return Err(format!(
            "--token must not be set for --type={OIDC}, the Receiver of this type has no secret"
        )
        .into());
    }
    if !provider.is_empty() && !token.is_empty() {
        return Err("--oidc-provider and --oidc-token are mutually exclusive".into());
    }
    if !["", "github", "forgejo"].contains(&provider) {
        return Err(format!(
            "invalid --oidc-provider {}, must be one of: github, forgejo",
            go::quote(provider)
        )
        .into());
    }
    if !audience.is_empty() && provider.is_empty() {
        return Err("--oidc-audience can only be set together with --oidc-provider".into());
    }
    Ok(())
}

fn oidc_token(invocation: &Invocation<'_>) -> Result<String, Stop> {
    if !invocation.text("oidc-provider").is_empty() {
        return actions_token(
            invocation
                .some_text("oidc-audience")
                .unwrap_or("notification-controller"),
        );
    }
    if let Some(token) = invocation.some_text("oidc-token") {
        return Ok(token.to_owned());
    }
    std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty()).ok_or_else(|| {
        Stop::Failed(format!(
            "no OIDC token provided: set --oidc-provider, --oidc-token or the {TOKEN_VARIABLE} environment \
             variable"
        ))
    })
}

/// The token that GitHub and Forgejo give to the jobs they run.
fn actions_token(audience: &str) -> Result<String, Stop> {
    let variable = |name: &str| {
        std::env::var(name)
            .ok()
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                Stop::Failed(format!(
                    "{name} is not set: is the job allowed to request tokens?"
                ))
            })
    };
    let url = variable("ACTIONS_ID_TOKEN_REQUEST_URL")?;
    let bearer = variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?;
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joint}audience={}", apply::escape(audience));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let body = runtime.block_on(async {
        let request = reqwest::Client::new().get(&url).bearer_auth(bearer);
        request.send().await?.error_for_status()?.text().await
    });
    let body =
        body.map_err(|error| format!("cannot fetch the OIDC token: {}", error.without_url()))?;
    let answer: serde_json::Value =
        serde_json::from_str(&body).map_err(|_| "the OIDC token's answer is not JSON")?;
    let token = answer["value"]
        .as_str()
        .ok_or("the OIDC token's answer holds no token")?;
    Ok(token.to_owned())
}
