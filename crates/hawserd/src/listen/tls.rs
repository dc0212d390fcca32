//! TLS for TCP listeners.
//!
//! In: the TLS options and the files that they name. Out: an acceptor, or none without TLS. With
//! `--tlsverify` only clients with a certificate of the authority get in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::Error;
use crate::options::Options;

/// Where the files are if nothing else is said.
const DIRECTORY: &str = "/etc/hawser";

/// The acceptor that the options ask for.
pub fn acceptor(options: &Options) -> Result<Option<TlsAcceptor>, Error> {
    let verify = options.tlsverify == Some(true);
    if !verify && options.tls != Some(true) {
        return Ok(None);
    }
    let file = |given: &Option<PathBuf>, name: &str| {
        given.clone().unwrap_or_else(|| Path::new(DIRECTORY).join(name))
    };
    let cert = file(&options.tlscert, "cert.pem");
    let key = file(&options.tlskey, "key.pem");
    let authority = verify.then(|| file(&options.tlscacert, "ca.pem"));
    let config = config(&cert, &key, authority.as_deref())?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn config(cert: &Path, key: &Path, authority: Option<&Path>) -> Result<ServerConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(cert, error))?;
    let builder = match authority {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let roots = Arc::new(roots(path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|error| bad(path, error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, error))?;
    builder.with_single_cert(certificates(cert)?, secret).map_err(|error| bad(cert, error))
}

fn roots(path: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| bad(path, error))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all = CertificateDer::pem_file_iter(path).map_err(|error| bad(path, error))?;
    all.collect::<Result<_, _>>().map_err(|error| bad(path, error))
}

fn bad(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::Tls(path.to_owned(), error.to_string())
}

#[cfg(test)]
mod tests {
    use rustls::ClientConfig;
    use rustls::pki_types::ServerName;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsConnector;

    use super::*;

    fn file(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
    }

    fn options(verify: bool) -> Options {
        Options {
            tls: Some(true),
            tlsverify: Some(verify),
            tlscacert: Some(file("ca.pem")),
            tlscert: Some(file("server-cert.pem")),
            tlskey: Some(file("server-key.pem")),
            ..Options::default()
        }
    }

    fn connector(with_certificate: bool) -> TlsConnector {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots(&file("ca.pem")).unwrap());
        let config = if with_certificate {
            let key = PrivateKeyDer::from_pem_file(file("client-key.pem")).unwrap();
            builder.with_client_auth_cert(certificates(&file("client-cert.pem")).unwrap(), key)
        } else {
            Ok(builder.with_no_client_auth())
        };
        TlsConnector::from(Arc::new(config.unwrap()))
    }

    /// What a client hears of a server that says `hello`.
    async fn heard(options: &Options, with_certificate: bool) -> std::io::Result<String> {
        let acceptor = acceptor(options).unwrap().unwrap();
        let (client, server) = tokio::io::duplex(1 << 14);
        tokio::spawn(async move {
            let mut stream = acceptor.accept(server).await?;
            stream.write_all(b"hello").await?;
            stream.shutdown().await
        });
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = connector(with_certificate).connect(name, client).await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok(text)
    }

    #[tokio::test]
    async fn verified_clients_get_in_and_others_do_not() {
        assert_eq!(heard(&options(true), true).await.unwrap(), "hello");
        assert!(heard(&options(true), false).await.is_err());
        assert_eq!(heard(&options(false), false).await.unwrap(), "hello");
    }

    #[test]
    fn tls_is_for_those_who_ask() {
        assert!(acceptor(&Options::default()).is_ok_and(|tls| tls.is_none()));
    }

    #[test]
    fn missing_files_are_named() {
        let options = Options { tlscacert: Some("/nonexistent/ca.pem".into()), ..options(true) };
        let error = acceptor(&options).err().unwrap().to_string();
        assert!(error.starts_with("cannot use /nonexistent/ca.pem for TLS: "), "{error}");
    }
}
