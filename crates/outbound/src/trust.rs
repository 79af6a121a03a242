//! Which certificate authorities are trusted.

use std::sync::Arc;

use rustls_pki_types::{CertificateDer, pem::PemObject};

/// Which certificate authorities are trusted.
#[derive(Clone)]
pub struct Trust(Arc<rustls::ClientConfig>);

impl Trust {
    /// The machine's own authorities, and those of a PEM file if one is given.
    pub fn new(extra_pem: Option<&[u8]>) -> Result<Self, String> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let own = roots.len();
        for certificate in CertificateDer::pem_slice_iter(extra_pem.unwrap_or_default()) {
            let certificate =
                certificate.map_err(|error| format!("the file of certificate authorities is no PEM: {error}"))?;
            roots.add(certificate).map_err(|error| format!("a certificate authority cannot be used: {error}"))?;
        }
        // A file in another form, or an empty one, has no certificates: nobody would be trusted whom its owner wants trusted.
        if extra_pem.is_some() && roots.len() == own {
            return Err("the file holds no certificate; it must have one between -----BEGIN CERTIFICATE----- and \
                        -----END CERTIFICATE----- (PEM)"
                .to_owned());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    pub(crate) fn config(&self) -> rustls::ClientConfig {
        rustls::ClientConfig::clone(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_no_file_of_authorities() {
        let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for pem in [&b""[..], b"0\x82\x01", b"ca.example.com\n", key] {
            let refused = Trust::new(Some(pem)).err().unwrap();
            assert!(refused.contains("holds no certificate"), "{refused}");
        }
        assert!(Trust::new(None).is_ok());
    }
}
