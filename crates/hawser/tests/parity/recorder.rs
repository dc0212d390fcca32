//! An engine that writes down what it is asked, and answers as one that has the things of
//! [`answer`].
//!
//! In: HTTP/1.1 on a unix socket. Out: the requests, but for the pings. It is no engine: nothing
//! is kept from one request to the next.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Such as `POST /v1.50/networks/create?a=b`, the escapes of the query resolved.
    pub line: String,
    /// The body; null if there is none.
    pub body: Value,
}

/// The engine.
pub struct Recorder(Arc<Mutex<Vec<Request>>>);

impl Recorder {
    /// Listens at `socket`.
    pub fn new(socket: &Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, requests) = (stream.unwrap(), Arc::clone(&theirs));
                // A client that has what it wants hangs up when it likes.
                thread::spawn(move || drop(serve(&stream, &requests)));
            }
        });
        Self(requests)
    }

    /// The requests since the last time.
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *lock(&self.0))
    }
}

fn lock(requests: &Mutex<Vec<Request>>) -> MutexGuard<'_, Vec<Request>> {
    requests.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &UnixStream, requests: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let header = header.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap(), unescaped(words.next().unwrap()));
        if !target.ends_with("/_ping") {
            let body = serde_json::from_slice(&body).unwrap_or_default();
            lock(requests).push(Request { line: format!("{method} {target}"), body });
        }
        let (status, answer) = answer(method, &target);
        respond(stream, method, status, &answer)?;
    }
}

fn unescaped(target: &str) -> String {
    let mut out = Vec::new();
    let mut rest = target.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                out.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            b'+' => out.push(b' '),
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).unwrap()
}

fn respond(
    mut stream: &UnixStream,
    method: &str,
    status: u16,
    answer: &Value,
) -> std::io::Result<()> {
    let text = if answer.is_null() { String::new() } else { answer.to_string() };
    let length =
        if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", text.len()) };
    let head = format!(
        "HTTP/1.1 {status} X\r\nApi-Version: 1.50\r\nOstype: linux\r\nServer: Docker/28.2.2 (linux)\r\n\
         Content-Type: application/json\r\n{length}\r\n"
    );
    stream.write_all(head.as_bytes())?;
    if method != "HEAD" {
        stream.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn answer(method: &str, target: &str) -> (u16, Value) {
    let path = target.split('?').next().unwrap();
    let path = path.strip_prefix("/v1.50").unwrap_or(path);
    let told = |status, message: String| (status, json!({"message": message}));
    let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method, &words[..]) {
        (_, ["_ping"]) => (200, Value::Null),
        (_, ["hawser", rest @ ..]) => own(rest),
        ("POST", ["networks", "create"]) => (201, json!({"Id": id('e'), "Warning": ""})),
        ("POST", ["networks", "prune"]) => (200, json!({"NetworksDeleted": ["one", "two"]})),
        ("GET", ["networks"]) => (200, networks()),
        ("GET" | "DELETE", ["networks", "nosuch"]) | (_, ["networks", "nosuch", _]) => {
            told(404, "network nosuch not found".to_owned())
        }
        ("DELETE", ["networks", "bridge"]) => {
            told(403, "bridge is a pre-defined network and cannot be removed".to_owned())
        }
        ("GET", ["networks", name]) => {
            match networks().as_array().unwrap().iter().find(|n| n["Name"] == **name) {
                Some(network) => (200, network.clone()),
                None => told(404, format!("network {name} not found")),
            }
        }
        ("DELETE", ["networks", _]) => (204, Value::Null),
        ("POST", ["networks", _, "connect" | "disconnect"]) => (200, Value::Null),
        ("POST", ["containers", "create"]) => (201, json!({"Id": id('c'), "Warnings": []})),
        ("POST", ["containers", _, "start"]) => (204, Value::Null),
        ("POST", ["containers", _, "wait"]) => (200, json!({"StatusCode": 0})),
        ("GET", ["containers", "json"]) => {
            (200, json!([{"Id": id('c'), "Names": ["/c1"], "Image": "busybox"}]))
        }
        ("GET", ["images", "json"]) => {
            (200, json!([{"Id": id('f'), "RepoTags": ["busybox:latest"]}]))
        }
        (_, ["containers", name, ..]) => told(404, format!("No such container: {name}")),
        _ => told(404, "page not found".to_owned()),
    }
}

fn own(route: &[&str]) -> (u16, Value) {
    match route {
        ["networks", "nosuch", _] => (404, json!({"message": "network nosuch not found"})),
        ["explain", "nosuch"] => (404, json!({"message": "No such container or network: nosuch"})),
        // So answers an engine that has no such route.
        ["explain", "elsewhere"] => (404, json!({"message": "page not found"})),
        [.., "rename"] => (204, Value::Null),
        _ => (200, json!({"Commands": ["ip link add x type bridge", "ip link set x up"]})),
    }
}

fn id(digit: char) -> String {
    digit.to_string().repeat(64)
}

fn networks() -> Value {
    let network = |name: &str, digit, driver: &str, more: Value| {
        let mut network = json!({
            "Name": name, "Id": id(digit), "Created": "2026-11-21T02:30:08.801544871Z", "Scope": "local",
            "Driver": driver, "EnableIPv4": true, "EnableIPv6": false,
            "IPAM": {"Driver": "default", "Options": null, "Config": []},
            "Internal": false, "Attachable": false, "Ingress": false,
            "ConfigFrom": {"Network": ""}, "ConfigOnly": false,
            "Containers": {}, "Options": {}, "Labels": {}
        });
        for (key, value) in more.as_object().unwrap() {
            network[key] = value.clone();
        }
        network
    };
    json!([
        network(
            "zebra10",
            'a',
            "bridge",
            json!({
                "EnableIPv6": true, "Internal": true, "Labels": {"a": "<1>"},
                "IPAM": {"Driver": "default", "Options": {}, "Config": [
                    {"Subnet": "10.9.0.0/24", "IPRange": "10.9.0.128/25", "Gateway": "10.9.0.1",
                     "AuxiliaryAddresses": {"x": "10.9.0.9"}}]},
                "Containers": {id('c'): {"Name": "c1", "EndpointID": id('d'), "MacAddress": "02:42:0a:09:00:02",
                    "IPv4Address": "10.9.0.2/24", "IPv6Address": ""}},
                "Options": {"com.docker.network.driver.mtu": "1400"}
            })
        ),
        network("zebra9", 'b', "bridge", json!({"ConfigFrom": {"Network": "base"}})),
        network("Alpha", '7', "bridge", json!({})),
        network("none", '1', "null", json!({})),
        network("host", '2', "host", json!({})),
        network("bridge", '3', "bridge", json!({}))
    ])
}
