//! Whom we trust when we connect outwards: the public authorities, and those the operator adds. One
//! provider for all of it.

use std::path::Path;
use std::sync::Arc;

use base::{Error, Result};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::errors;

/// The authorities every outgoing connection checks its server against.
#[derive(Clone)]
pub struct Authorities {
    roots: Arc<RootCertStore>,
    own: Option<Arc<[u8]>>,
}

impl Authorities {
    /// The public ones, and those in the operator's PEM file.
    ///
    /// # Errors
    /// `Invalid` when the file cannot be read or holds no usable certificate.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        // Libraries that build their own TLS settings (the Redis client) take the process's provider.
        // When somebody installed one before, theirs is the same.
        drop(aws_lc_rs::default_provider().install_default());
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        let own = file.map(|path| extra(path, &mut roots)).transpose()?;
        Ok(Self { roots: Arc::new(roots), own })
    }

    /// The operator's own authorities as PEM text.
    pub(crate) fn own(&self) -> Option<&[u8]> {
        self.own.as_deref()
    }

    /// Settings of an HTTPS client.
    ///
    /// # Errors
    /// `Internal` when the provider knows no safe version.
    pub fn client(&self) -> Result<ClientConfig> {
        let mut client = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|cause| Error::internal("the TLS provider knows no safe version").because(cause))?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(client)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn extra(path: &Path, roots: &mut RootCertStore) -> Result<Arc<[u8]>> {
    let pem = std::fs::read(path).map_err(|cause| errors::authorities(path, "cannot be read").because(cause))?;
    let mut count = 0_usize;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|cause| errors::authorities(path, format!("not PEM: {cause}")))?;
        roots.add(certificate).map_err(|cause| errors::authorities(path, format!("certificate {}: {cause}", count + 1)))?;
        count += 1;
    }
    if count == 0 {
        return Err(errors::authorities(path, "holds no certificate"));
    }
    Ok(pem.into())
}
