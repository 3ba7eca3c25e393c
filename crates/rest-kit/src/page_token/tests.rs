use aws_sdk_secretsmanager::{
    Client,
    operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput},
    types::error::ResourceNotFoundException,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use proptest::prelude::*;

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// `place` for `cursor` and `["mina", "all"]`, as the previous version signed and as it encrypted it.
const PREVIOUS: [&str; 2] = [
    include_str!("../../tests/fixtures/previous_version/signed"),
    include_str!("../../tests/fixtures/previous_version/encrypted"),
];

fn cipher() -> TokenCipher {
    TokenCipher::new(SECRET.as_bytes())
}

fn encrypted() -> String {
    cipher().encrypt("cursor", &["mina", "all"], b"place").expect("a token")
}

#[test]
fn token_is_decrypted_for_its_purpose_and_context_only() {
    for token in [&encrypted(), PREVIOUS[0].trim_end(), PREVIOUS[1].trim_end()] {
        assert_eq!(cipher().decrypt("cursor", &["mina", "all"], token), Some(b"place".to_vec()));
        assert_eq!(cipher().decrypt("handle", &["mina", "all"], token), None);
        assert_eq!(cipher().decrypt("cursor", &["jun", "all"], token), None);
        assert_eq!(cipher().decrypt("cursor", &["min", "aall"], token), None);
        assert_eq!(cipher().decrypt("cursor", &["mina"], token), None);
        assert_eq!(TokenCipher::new(b"another").decrypt("cursor", &["mina", "all"], token), None);
    }
}

#[test]
fn token_shows_nothing_of_its_payload_and_differs_each_time() {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(encrypted()).expect("base 64");
    assert!(!bytes.windows(5).any(|window| window == b"place"));
    assert_ne!(encrypted(), encrypted());
}

#[test]
fn changed_or_shortened_token_is_rejected() {
    for token in [&encrypted(), PREVIOUS[0].trim_end()] {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).expect("base 64");
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = BASE64_URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(cipher().decrypt("cursor", &["mina", "all"], &changed), None, "bit {bit}");
        }
        for length in 0..bytes.len() {
            let short = BASE64_URL_SAFE_NO_PAD.encode(&bytes[..length]);
            assert_eq!(cipher().decrypt("cursor", &["mina", "all"], &short), None);
        }
    }
    assert_eq!(cipher().decrypt("cursor", &["mina", "all"], "!"), None);
}

/// A stage of the secret: its value, or none.
fn stage(name: &'static str, value: Option<&'static str>) -> Rule {
    let rule = mock!(Client::get_secret_value).match_requests(move |request| request.version_stage() == Some(name));
    match value {
        Some(value) => rule.then_output(move || GetSecretValueOutput::builder().secret_string(value).build()),
        None => rule.then_error(|| {
            GetSecretValueError::ResourceNotFoundException(ResourceNotFoundException::builder().build())
        }),
    }
}

fn lazy(rules: &[&Rule]) -> LazyTokenCipher {
    LazyTokenCipher::new(mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, rules), "arn".to_owned())
}

#[tokio::test]
async fn secret_is_read_once_and_again_after_a_failure() {
    let fails = mock!(Client::get_secret_value).then_error(|| GetSecretValueError::unhandled("no answer"));
    let (works, none) = (stage("AWSCURRENT", Some(SECRET)), stage("AWSPREVIOUS", None));
    let client = mock_client!(aws_sdk_secretsmanager, RuleMode::Sequential, [&fails, &works, &none]);
    let lazy = LazyTokenCipher::new(client, "arn".to_owned());
    assert!(lazy.get().await.is_err());
    let token = lazy.get().await.expect("a cipher").encrypt("cursor", &[], b"").expect("a token");
    assert!(lazy.get().await.expect("a cipher").decrypt("cursor", &[], &token).is_some());
    assert_eq!(works.num_calls(), 1);
}

#[tokio::test]
async fn token_of_the_secret_before_a_rotation_is_accepted_and_no_older_one() {
    const ROTATED: &str = "fedcba9876543210fedcba9876543210";
    const OLDER: &str = "00000000000000000000000000000000";
    let lazy = lazy(&[&stage("AWSCURRENT", Some(ROTATED)), &stage("AWSPREVIOUS", Some(SECRET))]);
    let rotated = lazy.get().await.expect("a cipher");
    let decrypt = |cipher: &TokenCipher| {
        let token = cipher.encrypt("cursor", &["mina", "all"], b"place").expect("a token");
        rotated.decrypt("cursor", &["mina", "all"], &token).is_some()
    };
    assert!(decrypt(&rotated) && decrypt(&cipher()));
    assert!(!decrypt(&TokenCipher::new(OLDER.as_bytes())));
    let new = rotated.encrypt("cursor", &["mina"], b"place").expect("a token");
    assert_eq!(cipher().decrypt("cursor", &["mina"], &new), None, "the new secret encrypts");
}

#[tokio::test]
async fn short_secret_is_a_bug() {
    let short =
        mock!(Client::get_secret_value).then_output(|| GetSecretValueOutput::builder().secret_string("x").build());
    let client = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&short]);
    let failure = LazyTokenCipher::new(client, "arn".to_owned()).get().await.expect_err("a failure");
    assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
}

proptest! {
    /// A change that leaves the text as it was is none: base 64 has one spelling here.
    #[test]
    fn altered_token_is_rejected(payload: Vec<u8>, purpose in malformed_inputs::text(), caller in malformed_inputs::text(), seed: u64) {
        let cipher = cipher();
        let token = cipher.encrypt(&purpose, &[&caller], &payload).expect("a token");
        prop_assert_eq!(cipher.decrypt(&purpose, &[&caller], &token), Some(payload));
        let at = usize::try_from(seed).unwrap_or_default() % token.len();
        for other in ['A', '_', '=', '+', '\0', '가'] {
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            let decrypted = cipher.decrypt(&purpose, &[&caller], &changed);
            prop_assert!(decrypted.is_none() || changed == token, "{}", changed);
        }
    }

    #[test]
    fn invented_token_is_rejected(text in malformed_inputs::text()) {
        prop_assert_eq!(cipher().decrypt("cursor", &["mina"], &text), None);
    }
}
