//! A client of the Docker Engine API.
//!
//! In: an [`Endpoint`] and requests. Out: JSON values exactly as the server sent them (all
//! fields, in the server's order), streams, hijacked connections, or an [`Error`] whose text
//! is what the user is told. Every request has a connection of its own; the API's version is
//! negotiated before the first.
//!
//! Not here: what is asked for, and how it is shown.

mod connect;
mod endpoint;
mod error;
mod lines;
mod query;
mod tls;

pub use endpoint::{Endpoint, TlsSettings};
pub use error::Error;
pub use lines::Lines;
pub use query::{Query, escape, segment};
pub use tls::TlsError;

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::sync::OnceCell;

/// The newest version of the API that this client speaks.
pub const API_VERSION: &str = "1.51";

/// What a server that does not tell its version is taken to speak.
const OLDEST_VERSION: &str = "1.24";

/// No answer that is read at once is longer than this.
const MAX_ANSWER: usize = 256 << 20;

/// The body of a request.
pub type Body = BoxBody<Bytes, std::io::Error>;

/// A connection that has stopped being HTTP.
pub type Hijacked = TokioIo<Upgraded>;

/// A client of one engine.
pub struct Client {
    endpoint: Endpoint,
    connector: connect::Connector,
    version: OnceCell<String>,
    debug: bool,
}

impl Client {
    /// A client of the engine at `endpoint`. Connects at the first request only; with `debug`
    /// each request and the status of its answer are told on the standard error.
    pub fn new(endpoint: Endpoint, debug: bool) -> Result<Self, TlsError> {
        let connector = connect::Connector::new(&endpoint)?;
        let version = OnceCell::new();
        if let Some(chosen) = std::env::var("DOCKER_API_VERSION").ok().filter(|v| !v.is_empty()) {
            let chosen = chosen.trim_start_matches('v').to_owned();
            // A fresh cell is empty, so this cannot fail.
            let _ = version.set(chosen);
        }
        Ok(Self { endpoint, connector, version, debug })
    }

    /// The version of the API in use, such as `1.51`.
    pub async fn version(&self) -> Result<&str, Error> {
        self.version.get_or_try_init(|| self.negotiate()).await.map(String::as_str)
    }

    async fn negotiate(&self) -> Result<String, Error> {
        let answer = self.send(Method::GET, "/_ping", empty(), &[]).await?;
        let theirs = answer.headers().get("api-version").and_then(|value| value.to_str().ok());
        let theirs = theirs.unwrap_or(OLDEST_VERSION);
        let newer = version_number(theirs) > version_number(API_VERSION);
        Ok(if newer { API_VERSION } else { theirs }.to_owned())
    }

    /// `GET`, with an answer in JSON.
    pub async fn get(&self, path: &str, query: &Query) -> Result<Value, Error> {
        json(self.open(Method::GET, path, query, empty()).await?).await
    }

    /// `POST`, with an answer in JSON, or null if there is none.
    pub async fn post(
        &self,
        path: &str,
        query: &Query,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        json(self.open_json(Method::POST, path, query, body).await?).await
    }

    /// `DELETE`, with an answer in JSON, or null if there is none.
    pub async fn delete(&self, path: &str, query: &Query) -> Result<Value, Error> {
        json(self.open(Method::DELETE, path, query, empty()).await?).await
    }

    /// A request to one of hawserd's own routes, which no other engine has; `path` is what comes
    /// after `/hawser`.
    pub async fn own(
        &self,
        method: Method,
        path: &str,
        query: &Query,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let answer = self.open_json(method, &format!("/hawser{path}"), query, body).await;
        match answer {
            Err(Error::Response { status: 404, message }) if message == "page not found" => {
                Err(Error::NotHawserd(self.endpoint.to_string()))
            }
            answer => json(answer?).await,
        }
    }

    /// Sends a JSON body; the answer's body is left to the caller.
    pub async fn open_json(
        &self,
        method: Method,
        path: &str,
        query: &Query,
        body: Option<&Value>,
    ) -> Result<Response<Incoming>, Error> {
        let headers = [(header::CONTENT_TYPE, "application/json")];
        let headers: &[_] = if body.is_some() { &headers } else { &[] };
        let path = self.versioned(path, query).await?;
        self.checked(method, &path, body.map_or_else(empty, full), headers).await
    }

    /// Sends any body; the answer's body is left to the caller.
    pub async fn open(
        &self,
        method: Method,
        path: &str,
        query: &Query,
        body: Body,
    ) -> Result<Response<Incoming>, Error> {
        let path = self.versioned(path, query).await?;
        self.checked(method, &path, body, &[]).await
    }

    /// `POST` without a body, on behalf of a user of a registry; the answer's body is left to the
    /// caller.
    pub async fn post_as(
        &self,
        path: &str,
        query: &Query,
        credentials: &str,
    ) -> Result<Response<Incoming>, Error> {
        let path = self.versioned(path, query).await?;
        let headers = [(header::HeaderName::from_static("x-registry-auth"), credentials)];
        self.checked(Method::POST, &path, empty(), &headers).await
    }

    /// Sends a tar archive; the answer's body is left to the caller.
    pub async fn upload(
        &self,
        path: &str,
        query: &Query,
        body: Body,
    ) -> Result<Response<Incoming>, Error> {
        let path = self.versioned(path, query).await?;
        let headers = [(header::CONTENT_TYPE, "application/x-tar")];
        self.checked(Method::POST, &path, body, &headers).await
    }

    /// Asks for the connection itself (`Upgrade: tcp`).
    pub async fn hijack(
        &self,
        path: &str,
        query: &Query,
        body: Option<&Value>,
    ) -> Result<Hijacked, Error> {
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::CONNECTION, "Upgrade"),
            (header::UPGRADE, "tcp"),
        ];
        let path = self.versioned(path, query).await?;
        let body = body.map_or_else(empty, full);
        let answer = self.checked(Method::POST, &path, body, &headers).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(Error::NoUpgrade(answer.status().as_u16()));
        }
        Ok(TokioIo::new(hyper::upgrade::on(answer).await?))
    }

    async fn versioned(&self, path: &str, query: &Query) -> Result<String, Error> {
        for kind in ["container", "network"] {
            let name = path.strip_prefix('/').and_then(|path| path.strip_prefix(kind));
            let name = name.and_then(|rest| rest.strip_prefix("s/"));
            if name.is_some_and(|name| name.is_empty() || name.starts_with('/')) {
                return Err(Error::NoName(kind));
            }
        }
        Ok(format!("/v{}{path}{query}", self.version().await?))
    }

    async fn checked(
        &self,
        method: Method,
        path: &str,
        body: Body,
        headers: &[(header::HeaderName, &str)],
    ) -> Result<Response<Incoming>, Error> {
        let answer = self.send(method, path, body, headers).await?;
        let status = answer.status();
        // 304: it is already as it was asked to be.
        if status.as_u16() < 400 {
            return Ok(answer);
        }
        let body = read(answer).await.unwrap_or_default();
        Err(Error::response(status, &body, path))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Body,
        headers: &[(header::HeaderName, &str)],
    ) -> Result<Response<Incoming>, Error> {
        let stream = self.connector.connect().await.map_err(|source| self.unreachable(source))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection.with_upgrades());
        let mut request = http::Request::builder()
            .method(&method)
            .uri(path)
            .header(header::HOST, self.endpoint.authority())
            .header(header::USER_AGENT, concat!("hawser/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(body).map_err(Error::Request)?;
        let answer = sender.send_request(request).await?;
        if self.debug {
            crate::output::complain(&format!("DEBUG: {method} {path}: {}", answer.status()));
        }
        Ok(answer)
    }

    fn unreachable(&self, source: std::io::Error) -> Error {
        let host = self.endpoint.to_string();
        match source.kind() {
            std::io::ErrorKind::PermissionDenied => Error::Forbidden { host, source },
            _ => Error::Unreachable { host, source },
        }
    }
}

fn version_number(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// A body without content.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

fn full(json: &Value) -> Body {
    Full::new(Bytes::from(json.to_string())).map_err(|never| match never {}).boxed()
}

async fn read(answer: Response<Incoming>) -> Result<Bytes, Error> {
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|error| Error::Body(error.to_string()))
}

async fn json(answer: Response<Incoming>) -> Result<Value, Error> {
    let body = read(answer).await?;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).map_err(Error::Json)
}
