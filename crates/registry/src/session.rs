//! A session: one repository of one registry, on behalf of one user.
//!
//! In: requests below `/v2/<repository>/`. Out: answers that are a success, after whatever
//! authentication and redirects it took. Credentials and tokens never leave for another host.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, LOCATION, RETRY_AFTER, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::challenge::{self, Challenge};
use crate::connect::{self, Body};
use crate::error::{Error, Result};
use crate::place::Place;
use crate::retry::retrying;
use crate::{Config, Credentials, Registries};

/// Most redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// How much of a refusal's body is read.
const MAX_REFUSAL: usize = 16 << 10;
const AGENT: &str = concat!("hawser/", env!("CARGO_PKG_VERSION"));

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Pull,
    /// Reading and writing.
    Push,
}

/// A repository of a registry.
#[derive(Debug)]
pub struct Session {
    pub(crate) config: Arc<Config>,
    pub(crate) place: Place,
    pub(crate) repository: String,
    pub(crate) credentials: Credentials,
    /// What a token must allow, in the token servers' words.
    pub(crate) scopes: Vec<String>,
    challenge: Option<Challenge>,
    authorization: Mutex<Authorization>,
}

/// The header that opens the registry; counted, so that of several requests that find it stale
/// one only renews it.
#[derive(Debug, Default)]
struct Authorization {
    count: u64,
    header: Option<HeaderValue>,
}

/// A request of a session.
pub(crate) struct Ask {
    pub method: Method,
    /// Absolute, or the path and query at the registry.
    pub uri: Uri,
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Ask {
    pub(crate) fn new(method: Method, uri: Uri) -> Self {
        Self { method, uri, headers: Vec::new() }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

impl Registries {
    /// Sessions with the places of a repository (`library/busybox` of `docker.io`), the first to
    /// be tried first: mirrors, to which no credentials go, and then the registry itself. They
    /// connect when they are [opened](Session::open).
    pub fn sessions(
        &self,
        domain: &str,
        repository: &str,
        access: Access,
        credentials: &Credentials,
    ) -> Vec<Candidate> {
        let mirrors = match access {
            Access::Pull => self.config.policy.mirrors(domain),
            Access::Push => &[],
        };
        let candidate = |places: Vec<Place>, credentials: Credentials| Candidate {
            config: Arc::clone(&self.config),
            places,
            repository: repository.to_owned(),
            access,
            credentials,
        };
        let mirrors = mirrors.iter().map(|m| candidate(vec![m.clone()], Credentials::default()));
        let own = candidate(self.config.policy.places(domain), credentials.clone());
        mirrors.chain([own]).collect()
    }
}

/// A session that is not open yet.
#[derive(Clone, Debug)]
pub struct Candidate {
    config: Arc<Config>,
    places: Vec<Place>,
    repository: String,
    access: Access,
    credentials: Credentials,
}

impl Candidate {
    /// Finds out how the registry is spoken to and what it wants to see.
    ///
    /// # Errors
    /// When none of the ways leads to it.
    pub async fn open(self) -> Result<Session> {
        let mut failure = Error::Misbehaves("it has no address".to_owned());
        for place in &self.places {
            let ping = || ping(&self.config, place);
            match retrying(ping).await {
                Ok(challenge) => return Ok(self.session(place.clone(), challenge)),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn session(&self, place: Place, challenge: Option<Challenge>) -> Session {
        let actions = match self.access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
        };
        let scope = format!("repository:{}:{actions}", self.repository);
        Session {
            config: Arc::clone(&self.config),
            place,
            repository: self.repository.clone(),
            credentials: self.credentials.clone(),
            // A login is for no repository in particular.
            scopes: if self.repository.is_empty() { Vec::new() } else { vec![scope] },
            challenge,
            authorization: Mutex::default(),
        }
    }
}

/// Asks whether there is a registry, and what it wants to see.
async fn ping(config: &Config, place: &Place) -> Result<Option<Challenge>> {
    let ask = Ask::new(Method::GET, Uri::from_static("/v2/"));
    let answer = connect::send(config, place, request(place, &ask, None, connect::empty())?, None);
    let answer = answer.await?;
    match answer.status() {
        StatusCode::UNAUTHORIZED => Ok(challenge::read(answer.headers())),
        StatusCode::OK => Ok(None),
        // Some registries have no such page; what is asked of them next will tell.
        status if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS => Ok(None),
        _ => Err(refusal(config, answer).await),
    }
}

impl Session {
    /// Scheme, host and port.
    pub fn place(&self) -> String {
        self.place.to_string()
    }

    /// Lets the session read another repository of the same registry as well.
    pub fn also_read(&mut self, repository: &str) {
        self.scopes.push(format!("repository:{repository}:pull"));
    }

    /// Tries the credentials: what `docker login` wants to know.
    ///
    /// # Errors
    /// Unauthorized if they are wrong.
    pub async fn log_in(&self) -> Result<()> {
        retrying(|| async {
            let ask = Ask::new(Method::GET, Uri::from_static("/v2/"));
            self.send(ask, connect::empty(), None).await.map(drop)
        })
        .await
    }

    /// `/v2/<repository>/<rest>`.
    pub(crate) fn path(&self, rest: &str) -> Result<Uri> {
        let path = format!("/v2/{}/{rest}", self.repository);
        path.parse().map_err(|_| Error::Misbehaves(format!("{path:?} is no path")))
    }

    /// Sends a request, with authentication, following redirects; the answer is a success.
    /// A body can be sent once only: if it was in vain, the error is a transient one.
    pub(crate) async fn send(
        &self,
        mut ask: Ask,
        body: Body,
        sent: Option<&std::sync::atomic::AtomicU64>,
    ) -> Result<Response<Incoming>> {
        let once = sent.is_some();
        let mut body = Some(body);
        let mut renewed = false;
        for _ in 0..MAX_REDIRECTS {
            let place = self.place_of(&ask.uri)?;
            let at_home = place.is_same(&self.place);
            let (count, header) = if at_home { self.authorization().await? } else { (0, None) };
            let body = body.take().unwrap_or_else(connect::empty);
            let request = request(&place, &ask, header, body)?;
            let answer = connect::send(&self.config, &place, request, sent).await;
            let answer = answer.map_err(passing)?;
            let status = answer.status();
            if status == StatusCode::UNAUTHORIZED && at_home && !renewed && self.renew(count).await
            {
                renewed = true;
                if once {
                    return Err(Error::Broken("its token was not valid any more".to_owned()));
                }
            } else if status.is_redirection() && is_safe(&ask.method) {
                ask.uri = self.next(&ask.uri, answer.headers())?;
            } else if status.is_success() {
                return Ok(answer);
            } else {
                return Err(refusal(&self.config, answer).await);
            }
        }
        Err(Error::Misbehaves(format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// Where an absolute URL leads; a path is at the registry.
    fn place_of(&self, uri: &Uri) -> Result<Place> {
        if uri.authority().is_none() {
            return Ok(self.place.clone());
        }
        let safe = |place: &Place| self.place.may_send_to(place);
        Place::of(uri, &self.config.policy).filter(safe).ok_or_else(|| {
            let host = uri.host().unwrap_or_default();
            Error::Misbehaves(format!("it sends us to a place that is not safe: {host:?}"))
        })
    }

    /// Where the `Location` of an answer leads.
    pub(crate) fn next(&self, from: &Uri, headers: &HeaderMap) -> Result<Uri> {
        let wrong = || Error::Misbehaves("it sends us nowhere (no good Location)".to_owned());
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(wrong)?;
        let uri: Uri = location.parse().map_err(|_| wrong())?;
        if uri.authority().is_some() || from.authority().is_none() {
            return Ok(uri);
        }
        // A path at the host that the last answer came from.
        let mut parts = from.clone().into_parts();
        parts.path_and_query = uri.path_and_query().cloned();
        Uri::from_parts(parts).map_err(|_| wrong())
    }

    /// The header to show, made at the first request if the registry wants one.
    async fn authorization(&self) -> Result<(u64, Option<HeaderValue>)> {
        let mut authorization = self.authorization.lock().await;
        if authorization.count == 0 {
            if let Some(challenge) = &self.challenge {
                authorization.header = self.authenticate(challenge).await?;
            }
            authorization.count = 1;
        }
        Ok((authorization.count, authorization.header.clone()))
    }

    /// Makes the header anew, unless somebody did since; whether there is any point in asking again.
    async fn renew(&self, count: u64) -> bool {
        let Some(challenge @ Challenge::Bearer { .. }) = &self.challenge else { return false };
        let mut authorization = self.authorization.lock().await;
        if authorization.count != count {
            return true;
        }
        let header = self.authenticate(challenge).await.ok().flatten();
        let changed = header.is_some() && header != authorization.header;
        *authorization = Authorization { count: count + 1, header };
        changed
    }
}

/// The registry was there a moment ago: it may be back in another.
fn passing(failure: Error) -> Error {
    match failure {
        Error::Unreachable { .. } => Error::Broken(failure.to_string()),
        other => other,
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

pub(crate) fn request(
    place: &Place,
    ask: &Ask,
    authorization: Option<HeaderValue>,
    body: Body,
) -> Result<Request<Body>> {
    let target = ask.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let mut request = Request::builder()
        .method(&ask.method)
        .uri(target)
        .header(HOST, &place.authority)
        .header(USER_AGENT, AGENT);
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    request.body(body).map_err(|error| Error::Misbehaves(error.to_string()))
}

/// The error that an answer stands for.
pub(crate) async fn refusal(config: &Config, answer: Response<Incoming>) -> Error {
    let status = answer.status();
    let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let (body, _) = start(config, answer, MAX_REFUSAL).await;
    Error::answered(status, after, &body)
}

/// The first bytes of a body, and whether that is all of it.
async fn start(config: &Config, answer: Response<Incoming>, limit: usize) -> (Vec<u8>, bool) {
    let mut body = answer.into_body();
    let mut bytes = Vec::new();
    loop {
        match timeout(config.patience, body.frame()).await {
            Ok(None) => return (bytes, true),
            Ok(Some(Ok(frame))) => {
                bytes.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()))
            }
            _ => return (bytes, false),
        }
        if bytes.len() > limit {
            bytes.truncate(limit);
            return (bytes, false);
        }
    }
}

/// All of a small body.
pub(crate) async fn read(
    config: &Config,
    answer: Response<Incoming>,
    limit: usize,
    what: &str,
) -> Result<Vec<u8>> {
    let too_much = || Error::Misbehaves(format!("{what} of more than {limit} bytes"));
    let announced = hyper::body::Body::size_hint(answer.body()).lower();
    if announced > limit as u64 {
        return Err(too_much());
    }
    match start(config, answer, limit).await {
        (bytes, true) => Ok(bytes),
        (bytes, false) if bytes.len() == limit => Err(too_much()),
        _ => Err(Error::Broken(format!("{what} was cut off"))),
    }
}
