//! TLS to a target. Its certificate is always checked.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The only protocol of the client. A server that knows HTTP/2 would choose that if it could.
const PROTOCOL: &[u8] = b"http/1.1";

/// What is needed to connect to a target over TLS.
#[derive(Clone)]
pub struct Tls {
    name: ServerName<'static>,
    connector: TlsConnector,
}

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of certificate authorities cannot be read.
    #[error("cannot read the certificate authority from {file}: {1}", file = .0.display())]
    File(PathBuf, #[source] pem::Error),
    /// The file has no certificates.
    #[error("{file} holds no certificate in PEM format", file = .0.display())]
    Empty(PathBuf),
    /// A certificate of the file cannot be used.
    #[error("a certificate in {file} cannot be used: {1}", file = .0.display())]
    Unusable(PathBuf, #[source] rustls::Error),
    /// The host is not a name that a certificate can have.
    #[error("no certificate can be for the host `{0}`")]
    Host(String),
    /// The system has no certificate authorities.
    #[error("this system has no certificate authorities; name one with --ca FILE")]
    NoAuthorities,
}

impl Tls {
    /// Prepares connections to this host. Its certificate must come from an authority in the PEM
    /// file `authority` or, without a file, from one that the system trusts.
    ///
    /// # Errors
    /// No authority can be read, or no certificate can be for the host.
    pub fn new(host: &str, authority: Option<&Path>) -> Result<Self, TlsError> {
        let address = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(address).map_err(|_| TlsError::Host(host.to_owned()))?;
        let authorities = match authority {
            Some(file) => of_file(file)?,
            None => of_system()?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider supports the default versions")
            .with_root_certificates(authorities)
            .with_no_client_auth();
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Self { name, connector: TlsConnector::from(Arc::new(config)) })
    }

    pub(super) async fn open(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whether a connection failed because the certificate of the target is not valid.
pub(super) fn is_about_certificate(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

fn of_file(file: &Path) -> Result<RootCertStore, TlsError> {
    let wrong = |error| TlsError::File(file.to_owned(), error);
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(wrong)? {
        let certificate = certificate.map_err(wrong)?;
        let added = authorities.add(certificate);
        added.map_err(|error| TlsError::Unusable(file.to_owned(), error))?;
    }
    if authorities.is_empty() { Err(TlsError::Empty(file.to_owned())) } else { Ok(authorities) }
}

/// The authorities that the system trusts, without those that cannot be read.
fn of_system() -> Result<RootCertStore, TlsError> {
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if authorities.is_empty() { Err(TlsError::NoAuthorities) } else { Ok(authorities) }
}
