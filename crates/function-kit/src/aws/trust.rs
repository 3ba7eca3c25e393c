//! The certificate authorities that functions trust.

use std::{env, fs};

use aws_smithy_http_client::tls::TrustStore;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tracing::error;

/// The roots of Amazon Trust Services, which sign the certificates of all AWS endpoints
/// (<https://www.amazontrust.com/repository/>). The last of them expire in 2040.
///
/// Functions call no other servers, and loading the 150 roots of the system takes milliseconds.
const AMAZON: &str = include_str!("amazon-roots.pem");

/// As in all AWS tools: a PEM file of certificates to trust instead, for proxies.
const VARIABLE: &str = "AWS_CA_BUNDLE";

const END: &str = "-----END CERTIFICATE-----";

/// Amazon's roots, or those of `AWS_CA_BUNDLE`.
pub fn trust_store() -> TrustStore {
    match bundle() {
        None => TrustStore::empty().with_pem_certificate(AMAZON),
        Some(pem) => readable(&pem).into_iter().fold(TrustStore::empty(), TrustStore::with_pem_certificate),
    }
}

fn bundle() -> Option<String> {
    let path = env::var(VARIABLE).ok().filter(|path| !path.is_empty())?;
    match fs::read_to_string(&path) {
        Ok(pem) => Some(pem),
        Err(failure) => {
            error!(path, %failure, "AWS_CA_BUNDLE is unreadable, Amazon's roots are trusted");
            None
        }
    }
}

/// The readable certificates of a PEM file. The connector would panic on others.
fn readable(pem: &str) -> Vec<&str> {
    let certificates = pem.split_inclusive(END).filter(|text| text.ends_with(END));
    certificates
        .filter(|certificate| {
            let read = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|error| error.to_string());
            let added = read.and_then(|der| RootCertStore::empty().add(der).map_err(|error| error.to_string()));
            added.inspect_err(|failure| error!(%failure, "a certificate of AWS_CA_BUNDLE is unreadable")).is_ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// As Amazon Trust Services publishes them.
    const FINGERPRINTS: [&str; 5] = [
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ];

    #[test]
    fn embedded_roots_have_amazons_fingerprints() {
        let fingerprints = CertificateDer::pem_slice_iter(AMAZON.as_bytes()).map(|certificate| {
            let digest = Sha256::digest(certificate.expect("a certificate"));
            digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        });
        assert_eq!(fingerprints.collect::<Vec<_>>(), FINGERPRINTS);
    }

    #[test]
    fn embedded_roots_are_readable() {
        assert_eq!(readable(AMAZON).len(), FINGERPRINTS.len());
    }

    #[test]
    fn unreadable_certificate_is_skipped() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(readable(&format!("{broken}{AMAZON}# the end")).len(), FINGERPRINTS.len());
    }
}
