//! A registry that does what a test tells it, misbehaving included, in a test host's network.
//!
//! In: a function from requests to answers. Out: an address, and the requests that came. It speaks
//! just enough HTTP: one request for each connection. Nothing is checked here but what the test
//! checks itself.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::{Value, json};

use crate::archive::digest;
use crate::testhost::TestHost;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
}

impl Request {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// As it should be.
    Whole,
    /// So many bytes, then the connection is closed.
    CutAfter(usize),
    /// So many bytes, then nothing until the client goes.
    StallAfter(usize),
    /// Over and over again, without a length, until the client goes.
    Endless,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers beside the length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How that is sent.
    pub sending: Sending,
}

impl Answer {
    /// A status with a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status, headers: Vec::new(), body: body.into(), sending: Sending::Whole }
    }

    /// With a header.
    pub fn with(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sent in another way.
    pub fn sent(self, sending: Sending) -> Answer {
        Answer { sending, ..self }
    }
}

/// A registry that does what it is told.
#[derive(Debug)]
pub struct FakeRegistry {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
    over: Arc<AtomicBool>,
}

impl FakeRegistry {
    /// Starts one on `address` (`127.0.0.1:0` for any port) in the host's network.
    ///
    /// # Panics
    /// When it cannot listen there.
    #[track_caller]
    pub fn start(
        host: &TestHost,
        address: &str,
        answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> FakeRegistry {
        let listener = listen(host.pid(), address.to_owned());
        let address = match listener.local_addr() {
            Ok(address) => address.to_string(),
            Err(error) => panic!("fake registry: {error}"),
        };
        let requests = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (log, stop, answer) = (Arc::clone(&requests), Arc::clone(&over), Arc::new(answer));
        thread::spawn(move || {
            // Polled: a thread that waits in accept could not be ended.
            let _ = listener.set_nonblocking(true);
            while !stop.load(Ordering::Relaxed) {
                let Ok((stream, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(2));
                    continue;
                };
                let (log, answer, stop) =
                    (Arc::clone(&log), Arc::clone(&answer), Arc::clone(&stop));
                thread::spawn(move || serve(stream, &log, &*answer, &stop));
            }
        });
        FakeRegistry { address, requests, over }
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The requests that came until now.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests came whose path has `part` in it.
    pub fn count(&self, part: &str) -> usize {
        self.requests().iter().filter(|request| request.path.contains(part)).count()
    }
}

impl Drop for FakeRegistry {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// A socket of the host's network; only the thread that makes it goes there.
fn listen(pid: u32, address: String) -> TcpListener {
    let made = thread::spawn(move || -> std::io::Result<TcpListener> {
        let namespace = File::open(format!("/proc/{pid}/ns/net"))?;
        let kind = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), kind)?;
        TcpListener::bind(address)
    });
    match made.join() {
        Ok(Ok(listener)) => listener,
        other => panic!("fake registry: {other:?}"),
    }
}

fn serve(
    stream: TcpStream,
    log: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request) -> Answer,
    over: &AtomicBool,
) {
    let _ = stream.set_nonblocking(false);
    let mut reader = BufReader::new(stream);
    // A client that tries TLS first is sent away at once.
    let is_http =
        reader.fill_buf().is_ok_and(|bytes| bytes.first().is_some_and(u8::is_ascii_uppercase));
    let Some(request) = is_http.then(|| read(&mut reader)).flatten() else { return };
    log.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let answer = answer(&request);
    // A client that had enough is what many tests are about.
    let _ = send(reader.into_inner(), &request, &answer, over);
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(':') {
            Some((name, value)) => {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned())
            }
            None => break,
        };
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok());
    std::io::copy(&mut reader.take(length.unwrap_or(0)), &mut std::io::sink()).ok()?;
    Some(Request { method, path, headers })
}

fn send(
    mut stream: TcpStream,
    request: &Request,
    answer: &Answer,
    over: &AtomicBool,
) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Whatever\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if answer.sending != Sending::Endless {
        head += &format!("Content-Length: {}\r\n", answer.body.len());
    }
    stream.write_all((head + "\r\n").as_bytes())?;
    if request.method == "HEAD" {
        return Ok(());
    }
    match answer.sending {
        Sending::Whole => stream.write_all(&answer.body),
        Sending::CutAfter(count) => stream.write_all(&answer.body[..count.min(answer.body.len())]),
        Sending::StallAfter(count) => {
            stream.write_all(&answer.body[..count.min(answer.body.len())])?;
            stream.set_read_timeout(Some(Duration::from_millis(50)))?;
            let mut byte = [0];
            // Until the client is gone or the test is over.
            while !over.load(Ordering::Relaxed) && !matches!(stream.read(&mut byte), Ok(0)) {}
            Ok(())
        }
        Sending::Endless => loop {
            stream.write_all(&answer.body)?;
        },
    }
}

/// An image as a registry has it.
#[derive(Debug, Clone)]
pub struct FakeImage {
    /// The manifest.
    pub manifest: Vec<u8>,
    /// Blobs by digest.
    pub blobs: BTreeMap<String, Vec<u8>>,
    /// Digests of the layers.
    pub layers: Vec<String>,
}

impl FakeImage {
    /// An image of layers: each blob, and the plain tar that it stands for.
    pub fn new(layers: &[(Vec<u8>, Vec<u8>)], config: Value) -> FakeImage {
        let diff_ids: Vec<String> = layers.iter().map(|(_, plain)| digest(plain)).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": config,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        })
        .to_string()
        .into_bytes();
        let blob = |bytes: &[u8], kind: &str| {
            let kind = format!("application/vnd.docker.{kind}");
            json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() })
        };
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": blob(&config, "container.image.v1+json"),
            "layers": layers.iter().map(|(bytes, _)| blob(bytes, "image.rootfs.diff.tar.gzip"))
                .collect::<Vec<_>>(),
        });
        let names = layers.iter().map(|(bytes, _)| digest(bytes)).collect();
        let all = layers.iter().map(|(bytes, _)| bytes).chain([&config]);
        FakeImage {
            manifest: manifest.to_string().into_bytes(),
            blobs: all.map(|bytes| (digest(bytes), bytes.clone())).collect(),
            layers: names,
        }
    }

    /// The digest of the manifest.
    pub fn digest(&self) -> String {
        digest(&self.manifest)
    }

    /// The answer of a registry that has this image under every name, and knows of ranges.
    pub fn answer(&self, request: &Request) -> Answer {
        if request.path.contains("/manifests/") {
            return Answer::new(200, self.manifest.clone()).with("Content-Type", MANIFEST);
        }
        let blob = request.path.rsplit_once("/blobs/").and_then(|(_, name)| self.blobs.get(name));
        let Some(blob) = blob else {
            let status = if request.path == "/v2/" { 200 } else { 404 };
            return Answer::new(status, "{}");
        };
        let from = request.header("range").and_then(|range| {
            range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok()
        });
        match from {
            None => Answer::new(200, blob.clone()),
            Some(from) => Answer::new(206, blob[from.min(blob.len())..].to_vec())
                .with("Content-Range", &format!("bytes {from}-{}/{}", blob.len() - 1, blob.len())),
        }
    }
}
