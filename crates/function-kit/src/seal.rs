//! Texts that clients carry for us: opaque to them, and refused unless we wrote them for them.
//!
//! What is sealed can be read by whoever decodes it; it cannot be changed, nor used by another
//! caller, for another purpose or another query than it was sealed for. What is hidden cannot be
//! read either.

use aws_sdk_secretsmanager::Client;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
    hmac::{self, HMAC_SHA256},
    rand::{SecureRandom, SystemRandom},
};
use tokio::sync::OnceCell;

use crate::failure::Failure;

/// Of the form: this byte, a tag of 32 bytes (HMAC-SHA-256), the payload; in base 64 for URLs.
const VERSION: u8 = 1;
const TAG_BYTES: usize = 32;
/// Of the form: this byte, a nonce of 12 bytes, the payload encrypted with its tag
/// (ChaCha20-Poly1305); in base 64 for URLs.
const HIDDEN_VERSION: u8 = 2;
/// What the key for hiding is derived from, with the sealer's own. No sealed text begins so.
const HIDING: &[u8] = b"hiding";

/// The shortest secret that is taken, in bytes: as long as the hash (RFC 2104, 3).
const MIN_SECRET_BYTES: usize = 32;

/// Seals and opens with one secret.
#[derive(Debug)]
pub struct Sealer {
    key: hmac::Key,
}

impl Sealer {
    /// A sealer with this secret.
    pub fn new(secret: &[u8]) -> Self {
        Self { key: hmac::Key::new(HMAC_SHA256, secret) }
    }

    /// Seals `payload` for one `purpose` and all that it is `bound_to`.
    pub fn seal(&self, purpose: &str, bound_to: &[&str], payload: &[u8]) -> String {
        let tag = hmac::sign(&self.key, &signed(purpose, bound_to, payload));
        BASE64_URL_SAFE_NO_PAD.encode([&[VERSION], tag.as_ref(), payload].concat())
    }

    /// The payload of a text that was sealed for exactly this.
    pub fn open(&self, purpose: &str, bound_to: &[&str], text: &str) -> Option<Vec<u8>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (&version, rest) = bytes.split_first()?;
        let (tag, payload) = rest.split_at_checked(TAG_BYTES)?;
        if version != VERSION {
            return None;
        }
        hmac::verify(&self.key, &signed(purpose, bound_to, payload), tag).ok()?;
        Some(payload.to_vec())
    }

    /// Seals `payload` so that only we can read it.
    ///
    /// # Errors
    /// A bug, if there is no randomness.
    pub fn hide(&self, purpose: &str, bound_to: &[&str], payload: &[u8]) -> Result<String, Failure> {
        let hide = || {
            let mut nonce = [0; NONCE_LEN];
            SystemRandom::new().fill(&mut nonce)?;
            let mut hidden = payload.to_vec();
            let bound = Aad::from(signed(purpose, bound_to, &[]));
            self.hiding_key()?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut hidden)?;
            Ok::<_, Unspecified>(BASE64_URL_SAFE_NO_PAD.encode([&[HIDDEN_VERSION], &nonce[..], &hidden].concat()))
        };
        hide().map_err(|Unspecified| Failure::bug("hide a text", "ring cannot"))
    }

    /// The payload of a text that was hidden for exactly this.
    pub fn reveal(&self, purpose: &str, bound_to: &[&str], text: &str) -> Option<Vec<u8>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (&version, rest) = bytes.split_first()?;
        let (nonce, hidden) = rest.split_at_checked(NONCE_LEN)?;
        if version != HIDDEN_VERSION {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut hidden = hidden.to_vec();
        let bound = Aad::from(signed(purpose, bound_to, &[]));
        Some(self.hiding_key().ok()?.open_in_place(nonce, bound, &mut hidden).ok()?.to_vec())
    }

    fn hiding_key(&self) -> Result<LessSafeKey, Unspecified> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, hmac::sign(&self.key, HIDING).as_ref())?;
        Ok(LessSafeKey::new(key))
    }
}

/// All that the tag covers; lengths stand before texts, so that no two lists read the same.
fn signed(purpose: &str, bound_to: &[&str], payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    for text in [purpose].iter().chain(bound_to) {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes.extend((payload.len() as u64).to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A sealer whose secret lies in Secrets Manager. It is read when it is first needed: most requests
/// need it not.
#[derive(Debug)]
pub struct SecretSealer {
    client: Client,
    secret_arn: String,
    sealer: OnceCell<Sealer>,
}

impl SecretSealer {
    /// The sealer with the secret of this ARN.
    pub fn new(client: Client, secret_arn: String) -> Self {
        Self { client, secret_arn, sealer: OnceCell::new() }
    }

    /// The sealer itself.
    ///
    /// # Errors
    /// If the secret cannot be read now; if it is too short to protect anything, which is a bug.
    pub async fn get(&self) -> Result<&Sealer, Failure> {
        self.sealer
            .get_or_try_init(|| async {
                let answer = self.client.get_secret_value().secret_id(&self.secret_arn).send().await;
                let answer = answer.map_err(|error| Failure::aws("read the sealing secret", error))?;
                let secret = answer.secret_string().unwrap_or_default();
                if secret.len() < MIN_SECRET_BYTES {
                    return Err(Failure::bug("read the sealing secret", "it is too short"));
                }
                Ok(Sealer::new(secret.as_bytes()))
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn opens_what_it_sealed_for_the_same_and_for_nothing_else() {
        let sealer = Sealer::new(SECRET.as_bytes());
        let sealed = sealer.seal("cursor", &["mina", "all"], b"place");
        assert_eq!(sealer.open("cursor", &["mina", "all"], &sealed), Some(b"place".to_vec()));
        assert_eq!(sealer.open("handle", &["mina", "all"], &sealed), None);
        assert_eq!(sealer.open("cursor", &["jun", "all"], &sealed), None);
        assert_eq!(sealer.open("cursor", &["min", "aall"], &sealed), None);
        assert_eq!(sealer.open("cursor", &["mina"], &sealed), None);
        assert_eq!(Sealer::new(b"another").open("cursor", &["mina", "all"], &sealed), None);
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let sealer = Sealer::new(SECRET.as_bytes());
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealer.seal("cursor", &[], b"place")).expect("base 64");
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer.open("cursor", &[], &BASE64_URL_SAFE_NO_PAD.encode(changed)), None, "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(sealer.open("cursor", &[], &BASE64_URL_SAFE_NO_PAD.encode(&bytes[..length])), None);
        }
        assert_eq!(sealer.open("cursor", &[], "!"), None);
    }

    #[test]
    fn what_is_hidden_is_read_by_us_only_and_for_the_same_only() {
        let sealer = Sealer::new(SECRET.as_bytes());
        let hidden = sealer.hide("cursor", &["mina", "all"], b"place").expect("hidden");
        assert_eq!(sealer.reveal("cursor", &["mina", "all"], &hidden), Some(b"place".to_vec()));
        assert_eq!(sealer.reveal("handle", &["mina", "all"], &hidden), None);
        assert_eq!(sealer.reveal("cursor", &["jun", "all"], &hidden), None);
        assert_eq!(Sealer::new(b"another").reveal("cursor", &["mina", "all"], &hidden), None);
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&hidden).expect("base 64");
        assert!(!bytes.windows(5).any(|window| window == b"place"));
        assert_ne!(sealer.hide("cursor", &["mina", "all"], b"place").expect("hidden"), hidden);
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = BASE64_URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(sealer.reveal("cursor", &["mina", "all"], &changed), None, "bit {bit}");
        }
        for length in 0..bytes.len() {
            let short = BASE64_URL_SAFE_NO_PAD.encode(&bytes[..length]);
            assert_eq!(sealer.reveal("cursor", &["mina", "all"], &short), None);
        }
        // The one is not taken for the other.
        assert_eq!(sealer.open("cursor", &["mina", "all"], &hidden), None);
        assert_eq!(sealer.reveal("cursor", &[], &sealer.seal("cursor", &[], b"place")), None);
    }

    #[tokio::test]
    async fn the_secret_is_read_once_and_after_a_failure_again() {
        let fails = mock!(Client::get_secret_value).then_error(|| GetSecretValueError::unhandled("no answer"));
        let works = mock!(Client::get_secret_value)
            .then_output(|| GetSecretValueOutput::builder().secret_string(SECRET).build());
        let client = mock_client!(aws_sdk_secretsmanager, RuleMode::Sequential, [&fails, &works]);
        let sealer = SecretSealer::new(client, "arn".to_owned());
        assert!(sealer.get().await.is_err());
        let sealed = sealer.get().await.expect("a sealer").seal("cursor", &[], b"");
        assert!(sealer.get().await.expect("a sealer").open("cursor", &[], &sealed).is_some());
        assert_eq!(works.num_calls(), 1);
    }

    #[tokio::test]
    async fn a_short_secret_is_none() {
        let short =
            mock!(Client::get_secret_value).then_output(|| GetSecretValueOutput::builder().secret_string("x").build());
        let client = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&short]);
        let failure = SecretSealer::new(client, "arn".to_owned()).get().await.expect_err("a failure");
        assert_eq!(failure.kind, crate::failure::Kind::Bug);
    }

    proptest! {
        /// Damage that leaves the text as it was is none: base 64 has one spelling here.
        #[test]
        fn only_what_was_sealed_is_opened(payload: Vec<u8>, purpose in malformed_inputs::text(), caller in malformed_inputs::text(), seed: u64) {
            let sealer = Sealer::new(SECRET.as_bytes());
            let sealed = sealer.seal(&purpose, &[&caller], &payload);
            prop_assert_eq!(sealer.open(&purpose, &[&caller], &sealed), Some(payload.clone()));
            let hidden = sealer.hide(&purpose, &[&caller], &payload).expect("hidden");
            prop_assert_eq!(sealer.reveal(&purpose, &[&caller], &hidden), Some(payload));
            for text in [&sealed, &hidden] {
                let at = usize::try_from(seed).unwrap_or_default() % text.len();
                for other in ['A', '_', '=', '+', '\0', '가'] {
                    let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                    let opened = sealer.open(&purpose, &[&caller], &changed).or(sealer.reveal(&purpose, &[&caller], &changed));
                    prop_assert!(opened.is_none() || changed == *text, "{}", changed);
                }
            }
        }

        #[test]
        fn no_text_of_a_client_opens(text in malformed_inputs::text()) {
            let sealer = Sealer::new(SECRET.as_bytes());
            prop_assert_eq!(sealer.open("cursor", &["mina"], &text), None);
            prop_assert_eq!(sealer.reveal("cursor", &["mina"], &text), None);
        }
    }
}
