//! Answering a challenge: a name and a password, or a token from the server that is named.
//!
//! In: a challenge and the session's credentials. Out: the `Authorization` header, or none where
//! there is nothing to show. A token server is told name and password, as the protocol has it; it is
//! spoken to over TLS unless it is on the loopback or named insecure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Uri};
use serde::Deserialize;

use crate::challenge::Challenge;
use crate::connect::{self, Body};
use crate::error::{Error, Result};
use crate::place::Place;
use crate::session::{Ask, Session, read, refusal, request};

const MAX_TOKEN: usize = 64 << 10;

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

impl Session {
    pub(crate) async fn authenticate(&self, challenge: &Challenge) -> Result<Option<HeaderValue>> {
        let credentials = &self.credentials;
        if !credentials.registry_token.is_empty() {
            return header("Bearer", &credentials.registry_token).map(Some);
        }
        match challenge {
            Challenge::Basic if credentials.username.is_empty() => Ok(None),
            Challenge::Basic => self.basic().map(Some),
            Challenge::Bearer { realm, service } => self.token(realm, service).await.map(Some),
        }
    }

    fn basic(&self) -> Result<HeaderValue> {
        let pair = format!("{}:{}", self.credentials.username, self.credentials.password);
        header("Basic", &STANDARD.encode(pair))
    }

    async fn token(&self, realm: &str, service: &str) -> Result<HeaderValue> {
        let wrong = || Error::Misbehaves(format!("its token server is not safe: {realm:?}"));
        let uri: Uri = realm.parse().map_err(|_| wrong())?;
        let place = Place::of(&uri, &self.config.policy).ok_or_else(wrong)?;
        if !self.place.may_send_to(&place) {
            return Err(wrong());
        }
        let (ask, body) = match self.credentials.identity_token.as_str() {
            "" => (self.by_password(&uri, service)?, connect::empty()),
            identity => self.by_identity(uri, service, identity),
        };
        let sent = connect::send(&self.config, &place, request(&place, &ask, None, body)?, None);
        let answer = sent.await?;
        if !answer.status().is_success() {
            return Err(refusal(&self.config, answer).await);
        }
        let bytes = read(&self.config, answer, MAX_TOKEN, "a token").await?;
        let token: Token = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Misbehaves(format!("no token: {error}")))?;
        let token = if token.token.is_empty() { token.access_token } else { token.token };
        if token.is_empty() {
            return Err(Error::Misbehaves("its token server gives no token".to_owned()));
        }
        header("Bearer", &token)
    }

    fn by_password(&self, realm: &Uri, service: &str) -> Result<Ask> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.credentials.username.is_empty() {
            query.append_pair("account", &self.credentials.username);
        }
        if !service.is_empty() {
            query.append_pair("service", service);
        }
        for scope in &self.scopes {
            query.append_pair("scope", scope);
        }
        let join = if realm.query().is_some() { '&' } else { '?' };
        let uri = format!("{realm}{join}{}", query.finish());
        let uri = uri.parse().map_err(|_| Error::Misbehaves(format!("no URL: {realm}")))?;
        let mut ask = Ask::new(Method::GET, uri).with(ACCEPT, "application/json");
        if !self.credentials.username.is_empty() {
            ask.headers.push((AUTHORIZATION, self.basic()?));
        }
        Ok(ask)
    }

    fn by_identity(&self, realm: Uri, service: &str, identity: &str) -> (Ask, Body) {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("service", service)
            .append_pair("client_id", "hawser")
            .append_pair("scope", &self.scopes.join(" "))
            .append_pair("refresh_token", identity)
            .finish();
        let ask = Ask::new(Method::POST, realm)
            .with(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .with(ACCEPT, "application/json");
        (ask, connect::full(form))
    }
}

fn header(scheme: &str, secret: &str) -> Result<HeaderValue> {
    let value = HeaderValue::from_str(&format!("{scheme} {secret}"));
    let mut value = value.map_err(|_| Error::Unauthorized("malformed credentials".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}
