//! Encrypted texts that clients send back to us: cursors of lists and handles of uploads.
//!
//! A client can neither read nor change a token. It is valid only for the purpose and the context (caller, query) that it
//! was made for.

mod authenticated;
mod lazy;
mod previous_version;

use self::authenticated::{PREVIOUS_VERSION, authenticated};
pub use self::lazy::LazyTokenCipher;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use function_kit::failure::Failure;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac::{self, HMAC_SHA256},
    rand::{SecureRandom, SystemRandom},
};

/// The first byte of a token. A nonce of 12 bytes and the payload, encrypted with ChaCha20-Poly1305, follow; all in
/// base 64 for URLs.
const VERSION: u8 = 2;

/// Derives the encryption key from the secret. No context begins like this.
const KEY_DERIVATION: &[u8] = b"hiding";

/// Encrypts and decrypts tokens with one secret. Decrypts also tokens that were made with the secret before it.
#[derive(Debug)]
pub struct TokenCipher {
    key: LessSafeKey,
    /// Verifies tokens of the previous version.
    previous: hmac::Key,
    /// With the secret before this one, if it is still accepted.
    replaced: Option<Box<TokenCipher>>,
}

impl TokenCipher {
    /// A cipher with this secret.
    pub fn new(secret: &[u8]) -> Self {
        let secret = hmac::Key::new(HMAC_SHA256, secret);
        let key = UnboundKey::new(&CHACHA20_POLY1305, hmac::sign(&secret, KEY_DERIVATION).as_ref());
        Self {
            key: LessSafeKey::new(key.expect("a SHA-256 hash has the length of the key")),
            previous: secret,
            replaced: None,
        }
    }

    /// This cipher, which also decrypts what `replaced` has encrypted.
    pub fn replacing(self, replaced: Self) -> Self {
        Self { replaced: Some(Box::new(replaced)), ..self }
    }

    /// A token with `payload`, valid for this `purpose` and `context` only.
    ///
    /// # Errors
    /// A bug, if the system has no randomness.
    pub fn encrypt(&self, purpose: &str, context: &[&str], payload: &[u8]) -> Result<String, Failure> {
        const DOING: &str = "encrypt a token";
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| Failure::bug(DOING, "no randomness"))?;
        let mut encrypted = payload.to_vec();
        let bound = Aad::from(authenticated(purpose, context, &[]));
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut encrypted)
            .map_err(|_| Failure::bug(DOING, "the payload is too long"))?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode([&[VERSION], &nonce[..], &encrypted].concat()))
    }

    /// The payload of `token`; `None` if it was not made by us for this `purpose` and `context`.
    pub fn decrypt(&self, purpose: &str, context: &[&str], token: &str) -> Option<Vec<u8>> {
        let own = self.decrypt_own(purpose, context, token);
        own.or_else(|| self.replaced.as_ref()?.decrypt_own(purpose, context, token))
    }

    fn decrypt_own(&self, purpose: &str, context: &[&str], token: &str) -> Option<Vec<u8>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        match bytes.split_first()? {
            (&VERSION, rest) => {
                let (nonce, encrypted) = rest.split_at_checked(NONCE_LEN)?;
                let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
                let mut encrypted = encrypted.to_vec();
                let bound = Aad::from(authenticated(purpose, context, &[]));
                Some(self.key.open_in_place(nonce, bound, &mut encrypted).ok()?.to_vec())
            }
            (&PREVIOUS_VERSION, rest) => previous_version::verify(&self.previous, purpose, context, rest),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
