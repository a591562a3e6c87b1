//! OAuth 2.0 logins whose tokens are kept until they are about to end.

use std::collections::HashMap;

use http::Request;
use parking_lot::Mutex;

use crate::exchange::{self, Exchange};

/// A token is asked for anew this many seconds before it ends.
const MARGIN: i64 = 60;

struct Token {
    text: String,
    /// Seconds since 1970.
    until: i64,
}

/// The tokens of an account, by scope: a token is sent to nobody but those whom it was made for.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, Token>>);

impl Tokens {
    /// The token for `scope`; if there is none, `form` makes the body of a login, given seconds since 1970, that
    /// is sent to `url`.
    pub(crate) fn get(
        &self,
        exchange: &dyn Exchange,
        scope: &str,
        url: &str,
        form: impl FnOnce(i64) -> Result<String, String>,
    ) -> Result<String, String> {
        let now = jiff::Timestamp::now().as_second();
        if let Some(token) = self.0.lock().get(scope)
            && token.until > now
        {
            return Ok(token.text.clone());
        }
        let request = Request::post(url)
            .header(
                http::header::CONTENT_TYPE,
                "application/x-www-form-urlencoded",
            )
            .body(form(now)?.into_bytes())
            .map_err(|error| error.to_string())?;
        let answer =
            exchange::read(exchange, request).map_err(|error| format!("cannot log in: {error}"))?;
        let text = answer["access_token"]
            .as_str()
            .ok_or("the login gave no token")?
            .to_owned();
        let life = answer["expires_in"].as_i64().unwrap_or(0);
        let token = Token {
            text: text.clone(),
            until: now.saturating_add(life).saturating_sub(MARGIN),
        };
        self.0.lock().insert(scope.to_owned(), token);
        Ok(text)
    }
}
