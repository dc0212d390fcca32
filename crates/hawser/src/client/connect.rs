//! Opens connections to an endpoint: unix, TCP, TCP with TLS.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::endpoint::Endpoint;
use super::tls::{self, TlsError};

/// A connection of any kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens connections to one endpoint.
pub(super) enum Connector {
    Unix(PathBuf),
    Tcp { address: String, tls: Option<Arc<ClientConfig>> },
}

impl Connector {
    /// Reads the files of TLS, if it is wanted.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, TlsError> {
        Ok(match endpoint {
            Endpoint::Unix(path) => Self::Unix(path.clone()),
            Endpoint::Tcp { address, tls } => Self::Tcp {
                address: address.clone(),
                tls: tls.as_ref().map(tls::config).transpose()?,
            },
        })
    }

    /// Opens a connection.
    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            Self::Tcp { address, tls } => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let Some(config) = tls else { return Ok(Box::new(stream)) };
                let name = tls::server_name(address)?;
                let connector = TlsConnector::from(Arc::clone(config));
                Ok(Box::new(connector.connect(name, stream).await?))
            }
        }
    }
}
