//! Encrypted texts that clients send back to us: cursors of lists and handles of uploads.
//!
//! A client can neither read nor change a token. It is valid only for the purpose and the context (caller, query) that it
//! was made for.

mod authenticated;
mod previous_version;

use aws_sdk_secretsmanager::Client;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use function_kit::failure::Failure;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac::{self, HMAC_SHA256},
    rand::{SecureRandom, SystemRandom},
};
use tokio::sync::OnceCell;

use self::authenticated::{PREVIOUS_VERSION, authenticated};

/// The first byte of a token. A nonce of 12 bytes and the payload, encrypted with ChaCha20-Poly1305, follow; all in
/// base 64 for URLs.
const VERSION: u8 = 2;

/// Derives the encryption key from the secret. No context begins like this.
const KEY_DERIVATION: &[u8] = b"hiding";

/// The shortest accepted secret, in bytes: the length of the hash (RFC 2104, section 3).
const MIN_SECRET_BYTES: usize = 32;

/// Encrypts and decrypts tokens with one secret.
#[derive(Debug)]
pub struct TokenCipher {
    key: LessSafeKey,
    /// Verifies tokens of the previous version.
    previous: hmac::Key,
}

impl TokenCipher {
    /// A cipher with this secret.
    pub fn new(secret: &[u8]) -> Self {
        let secret = hmac::Key::new(HMAC_SHA256, secret);
        let key = UnboundKey::new(&CHACHA20_POLY1305, hmac::sign(&secret, KEY_DERIVATION).as_ref());
        Self { key: LessSafeKey::new(key.expect("a SHA-256 hash has the length of the key")), previous: secret }
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

/// A cipher whose secret is in Secrets Manager. The secret is read at first use, because most requests have no token.
#[derive(Debug)]
pub struct LazyTokenCipher {
    client: Client,
    secret_arn: String,
    cipher: OnceCell<TokenCipher>,
}

impl LazyTokenCipher {
    /// The cipher with the secret of this ARN.
    pub fn new(client: Client, secret_arn: String) -> Self {
        Self { client, secret_arn, cipher: OnceCell::new() }
    }

    /// The cipher itself.
    ///
    /// # Errors
    /// If the secret cannot be read now; a bug, if it is shorter than 32 bytes.
    #[tracing::instrument(level = "error", name = "secretsmanager", skip_all)]
    pub async fn get(&self) -> Result<&TokenCipher, Failure> {
        const DOING: &str = "read the secret of tokens";
        self.cipher
            .get_or_try_init(|| async {
                let answer = self.client.get_secret_value().secret_id(&self.secret_arn).send().await;
                let answer = answer.map_err(|error| Failure::aws(DOING, error))?;
                let secret = answer.secret_string().unwrap_or_default();
                if secret.len() < MIN_SECRET_BYTES {
                    return Err(Failure::bug(DOING, "it is too short"));
                }
                Ok(TokenCipher::new(secret.as_bytes()))
            })
            .await
    }
}

#[cfg(test)]
mod tests;
