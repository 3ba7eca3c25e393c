//! Whom functions trust to be AWS.

use std::{env, fs};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tracing::error;

/// Amazon Trust Services' roots: what every endpoint of AWS has a certificate from.
/// (<https://www.amazontrust.com/repository/>; the last of them expire in 2040.)
///
/// Functions speak with nobody else, so nobody else's certificate counts. The system's 150 roots would take
/// milliseconds to load, too.
const AMAZON: &[u8] = include_bytes!("amazon-roots.pem");

/// As in AWS's own tools: a file of certificates (PEM) that are trusted instead, for proxies.
const VARIABLE: &str = "AWS_CA_BUNDLE";

/// The certificates that count.
pub fn roots() -> RootCertStore {
    read(&bundle().unwrap_or_else(|| AMAZON.to_vec()))
}

fn read(pem: &[u8]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let added = certificate.map_err(|error| error.to_string());
        let added = added.and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
        if let Err(failure) = added {
            error!(%failure, "a certificate that is to be trusted cannot be read");
        }
    }
    roots
}

fn bundle() -> Option<Vec<u8>> {
    let path = env::var(VARIABLE).ok().filter(|path| !path.is_empty())?;
    match fs::read(&path) {
        Ok(pem) => Some(pem),
        Err(failure) => {
            error!(path, %failure, "AWS_CA_BUNDLE cannot be read, and Amazon's own certificates count");
            None
        }
    }
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
    fn they_are_amazons() {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let pem = str::from_utf8(AMAZON).expect("text");
        let certificates = pem.split("-----BEGIN CERTIFICATE-----").skip(1).map(|rest| {
            let (base64, _) = rest.split_once("-----END CERTIFICATE-----").expect("an end");
            let der = STANDARD.decode(base64.split_whitespace().collect::<String>()).expect("base 64");
            Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        });
        assert_eq!(certificates.collect::<Vec<_>>(), FINGERPRINTS);
    }

    #[test]
    fn all_of_them_count() {
        assert_eq!(read(AMAZON).len(), FINGERPRINTS.len());
    }

    #[test]
    fn a_broken_certificate_spoils_no_other() {
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(read(&[broken, AMAZON].concat()).len(), FINGERPRINTS.len());
    }
}
