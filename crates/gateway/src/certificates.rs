//! Certificates from files: what a listener shows, and whose certificates it wants to see.

use std::path::Path;
use std::sync::Arc;

use base::Result;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::{MutualTls, TlsConfig};
use crate::errors;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|cause| errors::tls_file(path, cause))
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path).map_err(|cause| errors::tls_file(path, cause))
}

/// Shows a certificate and asks for none.
pub(crate) fn acceptor(files: &TlsConfig) -> Result<TlsAcceptor> {
    let versions: &[&rustls::SupportedProtocolVersion] =
        if files.allow_tls12 { &[&rustls::version::TLS13, &rustls::version::TLS12] } else { &[&rustls::version::TLS13] };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(|cause| errors::tls_file(&files.certificate, cause))?
        .with_no_client_auth()
        .with_single_cert(chain(&files.certificate)?, key(&files.key)?)
        .map_err(|cause| errors::tls_file(&files.certificate, cause))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Shows a certificate and wants one of the given authorities, in its time and not revoked; TLS 1.3 and HTTP/2 only.
pub(crate) fn mutual_acceptor(files: &MutualTls) -> Result<TlsAcceptor> {
    let mut roots = RootCertStore::empty();
    for authority in chain(&files.authorities)? {
        roots.add(authority).map_err(|cause| errors::tls_file(&files.authorities, cause))?;
    }
    let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    if let Some(path) = &files.revocations {
        let lists = CertificateRevocationListDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let lists = lists.map_err(|cause| errors::tls_file(path, cause))?;
        // An authority without a list of its own is not thereby shut out.
        verifier = verifier.with_crls(lists).allow_unknown_revocation_status();
    }
    let verifier = verifier.build().map_err(|cause| errors::tls_file(&files.authorities, cause))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|cause| errors::tls_file(&files.certificate, cause))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain(&files.certificate)?, key(&files.key)?)
        .map_err(|cause| errors::tls_file(&files.certificate, cause))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
