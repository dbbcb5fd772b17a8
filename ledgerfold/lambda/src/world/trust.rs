//! The certificates that a function trusts when it connects to a service.
//!
//! To load the system's certificates took more than half of a function's start. The roots are therefore part of the
//! program: those of Amazon, which sign the certificates of all endpoints of AWS
//! (<https://www.amazontrust.com/repository/>), from the list of Mozilla in the crate `webpki-root-certs`.
//!
//! The issuers of tokens are elsewhere, so the client that fetches their keys trusts the whole list. All of it is in the
//! program anyway, because the five roots are found in it while the program runs. To parse all of them takes time, so only
//! that client does.

use std::{io, path::PathBuf};

use aws_smithy_http_client::tls::TrustStore;
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls_pki_types::{CertificateDer, pem::PemObject};

/// The variable with the path of a PEM file. Its certificates are trusted instead of Amazon's.
const OWN_STORE: &str = "SSL_CERT_FILE";
/// The beginnings of the common names of Amazon's roots.
const AMAZON: [&[u8]; 2] = [b"Amazon Root CA ", b"Starfield Services Root Certificate Authority"];

/// The trusted certificates cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTrustStore {
    /// The file of the variable `SSL_CERT_FILE` cannot be read.
    #[error("SSL_CERT_FILE names {}, which cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file has no certificate, or is damaged.
    #[error("SSL_CERT_FILE names {}, which must contain PEM certificates of authorities: {reason}", path.display())]
    NoCertificates {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The HTTP client does not accept the certificates.
    #[error("the trusted certificates cannot be used: {0}")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The servers that a client connects to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Servers {
    /// The endpoints of AWS.
    OfAws,
    /// Any server.
    Any,
}

/// The certificates of the file in `SSL_CERT_FILE`, or those that sign the certificates of these servers.
pub(super) fn trust_store(servers: Servers) -> Result<TrustStore, InvalidTrustStore> {
    let certificates = match std::env::var_os(OWN_STORE).filter(|path| !path.is_empty()) {
        Some(path) => own_certificates(path.into())?,
        None => roots_for(servers).map(|root| root.to_vec()).collect(),
    };
    let add = |store: TrustStore, root: Vec<u8>| store.with_pem_certificate(pem(&root));
    Ok(certificates.into_iter().fold(TrustStore::empty(), add))
}

fn roots_for(servers: Servers) -> impl Iterator<Item = &'static CertificateDer<'static>> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    roots.filter(move |root| match servers {
        Servers::OfAws => AMAZON.iter().any(|name| contains(root, name)),
        Servers::Any => true,
    })
}

fn contains(certificate: &[u8], name: &[u8]) -> bool {
    certificate.windows(name.len()).any(|window| window == name)
}

/// The certificates of a file, as DER. A system's file may contain old certificates that are not valid authorities. They
/// are left out, because the HTTP client would panic.
fn own_certificates(path: PathBuf) -> Result<Vec<Vec<u8>>, InvalidTrustStore> {
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(source) => return Err(InvalidTrustStore::Unreadable { path, source }),
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let mut certificates = match certificates {
        Ok(certificates) => certificates,
        Err(error) => {
            return Err(InvalidTrustStore::NoCertificates { path, reason: error.to_string() });
        }
    };
    certificates.retain(|certificate| webpki::anchor_from_trusted_cert(certificate).is_ok());
    if certificates.is_empty() {
        let reason = "it has none".to_owned();
        return Err(InvalidTrustStore::NoCertificates { path, reason });
    }
    Ok(certificates.into_iter().map(|certificate| certificate.to_vec()).collect())
}

/// The HTTP client reads certificates as PEM only.
fn pem(certificate: &[u8]) -> String {
    let text = STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(content: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(content.as_bytes()).expect("it is written");
        file
    }

    #[test]
    fn all_five_roots_of_amazon_are_part_of_the_program() {
        let valid = |root: &&CertificateDer<'_>| webpki::anchor_from_trusted_cert(root).is_ok();
        assert_eq!(roots_for(Servers::OfAws).filter(valid).count(), 5);
    }

    #[test]
    fn the_roots_for_any_server_are_valid_and_include_those_of_large_issuers() {
        let roots: Vec<_> = roots_for(Servers::Any).collect();
        assert!(roots.iter().all(|root| webpki::anchor_from_trusted_cert(root).is_ok()));
        // Of Auth0 and Keycloak behind Let's Encrypt, of Entra, and of Google.
        for name in ["ISRG Root X1", "DigiCert Global Root G2", "GTS Root R1"] {
            assert!(roots.iter().any(|root| contains(root, name.as_bytes())), "{name}");
        }
    }

    #[test]
    fn an_own_store_replaces_the_roots_and_may_contain_certificates_that_are_no_authorities() {
        let own = roots_for(Servers::OfAws).next().expect("a root");
        let store = file(&format!("{}{}", pem(own), pem(b"no certificate")));
        let trusted = own_certificates(store.path().into()).expect("one is valid");
        assert_eq!(trusted, [own.to_vec()]);
    }

    #[test]
    fn an_own_store_that_cannot_be_used_is_named_with_the_reason() {
        let missing = own_certificates("/does/not/exist".into()).expect_err("there is no file");
        assert!(
            missing
                .to_string()
                .starts_with("SSL_CERT_FILE names /does/not/exist, which cannot be read")
        );
        for content in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAA\n", &pem(b"no certificate")]
        {
            let store = file(content);
            let unusable = own_certificates(store.path().into()).expect_err(content).to_string();
            assert!(
                unusable.contains("which must contain PEM certificates"),
                "{content}: {unusable}"
            );
        }
    }
}
