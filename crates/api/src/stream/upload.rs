//! Archives between HTTP and code that blocks: bodies as readers, writers as bodies.
//!
//! In: a request body, or a job that writes. Out: a reader for a blocking thread, or a response
//! body. Nothing is kept in memory but a few pieces on their way.

use std::io::{self, Read, Write};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::io::{StreamReader, SyncIoBridge};

/// How many pieces may be on their way.
const PIECES: usize = 8;
/// Size of a piece that is sent.
const PIECE: usize = 64 << 10;

/// A request body as a reader; it must be read on a blocking thread.
pub fn reader(body: Body) -> impl Read + Send + 'static {
    let stream = body.into_data_stream().map_err(io::Error::other);
    SyncIoBridge::new(StreamReader::new(Box::pin(stream)))
}

/// A writer for a blocking thread, and the body that its bytes come out of.
pub fn writer() -> (io::BufWriter<Pieces>, Failure, Body) {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(PIECES);
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let failure = Failure(sender.clone());
    (io::BufWriter::with_capacity(PIECE, Pieces(sender)), failure, Body::from_stream(pieces))
}

/// The writing end: blocks while the client is slow, fails when it is gone.
pub struct Pieces(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        self.0.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The way to break a body off when its job fails, so that a half archive is not taken for whole.
pub struct Failure(mpsc::Sender<io::Result<Bytes>>);

impl Failure {
    /// Breaks the body off.
    pub async fn tell(self, error: impl std::error::Error + Send + Sync + 'static) {
        // A client that is gone needs to be told nothing.
        let _ = self.0.send(Err(io::Error::other(error))).await;
    }
}
