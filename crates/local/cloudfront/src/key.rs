use std::{collections::HashMap, fmt};

use anyhow::{Result, anyhow};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
    },
};

/// The bytes before the point in a public key on P-256: a SubjectPublicKeyInfo (RFC 5480, 2) with the algorithm
/// id-ecPublicKey on secp256r1.
const PREFIX: &[u8; 26] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
/// Length of the uncompressed point.
const POINT_BYTES: usize = 65;

/// Public keys by CloudFront's key id.
pub type PublicKeys = HashMap<String, PublicKey>;

/// A public key on P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

/// The text is not a public key on P-256 in PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a public key on P-256 in PEM")]
pub struct InvalidPublicKey;

impl PublicKey {
    /// Parses PEM (`-----BEGIN PUBLIC KEY-----`).
    pub fn from_pem(pem: &str) -> Result<Self, InvalidPublicKey> {
        let body = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----").ok_or(InvalidPublicKey)?;
        let body = body.strip_suffix("-----END PUBLIC KEY-----").ok_or(InvalidPublicKey)?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = BASE64_STANDARD.decode(body).map_err(|_| InvalidPublicKey)?;
        let point = der.strip_prefix(PREFIX).ok_or(InvalidPublicKey)?;
        if point.len() == POINT_BYTES { Ok(Self(point.to_vec())) } else { Err(InvalidPublicKey) }
    }

    /// Whether `signature` is a valid ECDSA signature of `message` with SHA-256.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0).verify(message, signature).is_ok()
    }
}

/// A key pair in PEM.
pub struct KeyPair {
    /// The private key, PKCS #8.
    pub private: String,
    /// The public key, for CloudFront.
    pub public: String,
}

impl KeyPair {
    /// Generates a key pair.
    pub fn generate() -> Result<Self> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let private = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|_| anyhow!("cannot generate a key"))?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, private.as_ref(), &random)
            .map_err(|error| anyhow!("the generated key is invalid: {error}"))?;
        let public = [PREFIX, pair.public_key().as_ref()].concat();
        Ok(Self { private: pem("PRIVATE KEY", private.as_ref()), public: pem("PUBLIC KEY", &public) })
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssl_key_and_signature_are_valid() {
        // `openssl pkey -in p256.pem -pubout`
        let key = PublicKey::from_pem(include_str!("../../../cdn-signing/tests/p256.public.pem")).expect("a key");
        assert_eq!(key.0, include_bytes!("../../../cdn-signing/tests/p256.public"));
        // `printf %s "$policy" | openssl dgst -sha256 -sign p256.pem`
        let policy = r#"{"Statement":[{"Resource":"https://d111111abcdef8.cloudfront.net/ID/0A/*","Condition":{"DateLessThan":{"AWS:EpochTime":1767290400}}}]}"#;
        let signature = include_bytes!("../../../cdn-signing/tests/policy.signature");
        assert!(key.verify(policy.as_bytes(), signature));
        assert!(!key.verify(policy.replace("0A", "0B").as_bytes(), signature));
        assert!(!key.verify(policy.as_bytes(), &signature[1..]));
    }

    #[test]
    fn generated_keys_are_valid_and_debug_hides_the_private_key() {
        let pair = KeyPair::generate().expect("a pair");
        let public = PublicKey::from_pem(&pair.public).expect("a key");
        let signer = cdn_signing::Signer::from_pem("K", &pair.private);
        assert!(signer.is_ok() && public.0.len() == POINT_BYTES);
        assert!(!format!("{pair:?}").contains("PRIVATE"));
    }

    #[test]
    fn invalid_public_keys_are_rejected() {
        let pair = KeyPair::generate().expect("a pair");
        for pem in ["", &pair.private, &pair.public.replace("MFkw", "MFkx"), &pair.public.replace("==", "")] {
            assert_eq!(PublicKey::from_pem(pem), Err(InvalidPublicKey), "{pem}");
        }
    }
}
