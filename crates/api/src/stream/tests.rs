//! Tests of upgraded connections and of answers that come late, over a real HTTP connection.

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use bytes::Bytes;
use futures_util::stream;
use hawser_engine::container::{Attachment, OutputStream, StreamKind};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{Hijack, once};

/// A client of a server with these routes.
fn connect(routes: Router) -> DuplexStream {
    let (client, server) = tokio::io::duplex(1 << 16);
    let service = TowerToHyperService::new(crate::front::service(routes));
    tokio::spawn(
        http1::Builder::new().serve_connection(TokioIo::new(server), service).with_upgrades(),
    );
    client
}

async fn send(client: &mut DuplexStream, head: &str) {
    client.write_all(head.replace('\n', "\r\n").as_bytes()).await.unwrap();
}

/// What has come until the blank line after the head.
async fn head(client: &mut DuplexStream) -> String {
    let mut text = Vec::new();
    let read = async {
        while !text.ends_with(b"\r\n\r\n") {
            text.push(client.read_u8().await.unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(5), read).await.expect("the head must come");
    String::from_utf8(text).unwrap()
}

fn words() -> OutputStream {
    Box::pin(stream::iter([
        Ok((StreamKind::Stdout, Bytes::from_static(b"out"))),
        Ok((StreamKind::Stderr, Bytes::from_static(b"err"))),
    ]))
}

fn attach(tty: bool) -> Router {
    let handler = move |hijack: Hijack| async move {
        hijack.respond(Attachment { tty, output: words(), input: None })
    };
    Router::new().route("/attach", post(handler))
}

#[tokio::test]
async fn an_upgraded_connection_has_frames_and_an_end() {
    let mut client = connect(attach(false));
    send(
        &mut client,
        "POST /v1.51/attach HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: tcp\n\n",
    )
    .await;
    let head = head(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 101 UPGRADED\r\n"), "{head}");
    let lower = head.to_lowercase();
    assert!(lower.contains("content-type: application/vnd.docker.multiplexed-stream"), "{head}");
    assert!(lower.contains("connection: upgrade") && lower.contains("upgrade: tcp"), "{head}");
    assert!(lower.contains("api-version: 1.51"), "{head}");
    let mut body = Vec::new();
    client.read_to_end(&mut body).await.unwrap();
    assert_eq!(body, b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x03err");
}

#[tokio::test]
async fn a_terminal_and_an_old_client_get_the_raw_type() {
    for (tty, version) in [(true, "1.51"), (false, "1.41")] {
        let mut client = connect(attach(tty));
        let request = format!(
            "POST /v{version}/attach HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: tcp\n\n"
        );
        send(&mut client, &request).await;
        let head = head(&mut client).await.to_lowercase();
        assert!(head.contains("content-type: application/vnd.docker.raw-stream"), "{head}");
    }
}

#[tokio::test]
async fn without_an_upgrade_output_is_the_body() {
    let mut client = connect(attach(true));
    send(&mut client, "POST /attach HTTP/1.1\nHost: x\nConnection: close\n\n").await;
    let head = head(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let mut body = Vec::new();
    client.read_to_end(&mut body).await.unwrap();
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("out") && body.contains("err"), "{body}");
}

#[tokio::test]
async fn the_head_comes_before_the_value() {
    let (tell, told) = tokio::sync::oneshot::channel::<i64>();
    let told = std::sync::Arc::new(std::sync::Mutex::new(Some(told)));
    let handler = move || {
        let told = told.lock().unwrap().take().unwrap();
        async move { once(async move { json!({"StatusCode": told.await.unwrap()}) }) }
    };
    let mut client = connect(Router::new().route("/wait", get(handler)));
    send(&mut client, "GET /wait HTTP/1.1\nHost: x\nConnection: close\n\n").await;
    assert!(head(&mut client).await.starts_with("HTTP/1.1 200 OK\r\n"));
    tell.send(3).unwrap();
    let mut body = String::new();
    client.read_to_string(&mut body).await.unwrap();
    assert!(body.contains("{\"StatusCode\":3}\n"), "{body}");
}

#[tokio::test]
async fn a_client_that_is_gone_is_noticed_and_one_that_ended_its_input_stays() {
    let (gone, mut told) = tokio::sync::mpsc::channel::<()>(1);
    let handler = move |hijack: Hijack| {
        let gone = gone.clone();
        async move {
            // Output that never comes, and says when nobody waits for it any more.
            let silent = stream::unfold(gone, |gone| async move {
                let _held = gone;
                std::future::pending::<Option<(std::io::Result<(StreamKind, Bytes)>, _)>>().await
            });
            hijack.respond(Attachment { tty: false, output: Box::pin(silent), input: None })
        }
    };
    let routes = Router::new().route("/attach", post(handler));
    let (mut client, server) = tokio::net::UnixStream::pair().unwrap();
    let service = TowerToHyperService::new(crate::front::service(routes));
    let connection =
        http1::Builder::new().serve_connection(TokioIo::new(server), service).with_upgrades();
    tokio::spawn(connection);
    let request = "POST /attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    client.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    client.shutdown().await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(200), told.recv()).await;
    assert!(early.is_err(), "the end of input is not the end of the client");
    drop(client);
    let end = tokio::time::timeout(Duration::from_secs(5), told.recv()).await;
    assert_eq!(end, Ok(None), "the client's leaving must be noticed");
}
