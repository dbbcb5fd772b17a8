//! TLS in front of DynamoDB Local, with a certificate authority of its own, and a count of the handshakes.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::ring};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::Error;

/// A server that speaks TLS and passes everything on.
pub(crate) struct TlsFront {
    /// Its address, for clients that trust its authority.
    pub(crate) endpoint: String,
    /// The certificate of its authority, as PEM.
    pub(crate) authority: String,
    pub(crate) handshakes: Handshakes,
}

/// The number of completed handshakes.
#[derive(Clone, Default)]
pub(crate) struct Handshakes(Arc<AtomicUsize>);

impl Handshakes {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl TlsFront {
    /// Starts it in front of the server at this URL.
    pub(crate) async fn start(behind: &str) -> Result<Self, Error> {
        let behind = behind.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let (authority, config) =
            certificates().map_err(|error| Error::Setup(error.to_string()))?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("https://localhost:{}", listener.local_addr()?.port());
        let handshakes = Handshakes::default();
        let counted = handshakes.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, acceptor.clone(), behind.clone(), counted.clone()));
            }
        });
        Ok(Self { endpoint, authority, handshakes })
    }

    /// Writes the certificate of its authority into a file, for `SSL_CERT_FILE`.
    pub(crate) fn write_authority(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, &self.authority)
    }
}

async fn serve(
    client: TcpStream,
    acceptor: TlsAcceptor,
    behind: String,
    handshakes: Handshakes,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = acceptor.accept(client).await?;
    handshakes.0.fetch_add(1, Ordering::SeqCst);
    let mut server = TcpStream::connect(behind).await?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

fn certificates() -> Result<(String, ServerConfig), Box<dyn std::error::Error>> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])?;
    let certificate = certificate.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok((authority.pem(), config))
}
