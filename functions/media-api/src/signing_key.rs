use std::{sync::Arc, time::Instant};

use aws_sdk_secretsmanager::Client;
use cdn_signing::{Signer, UrlBuilder};
use function_kit::failure::Failure;
use rest_kit::renewed::Renewed;

const DOING: &str = "read the signing key";

/// A private key in Secrets Manager, which signs URLs. It is read when it is first needed, since many requests do not need
/// it, and again after some minutes, because it may be rotated.
pub struct SigningKey {
    secrets: Client,
    secret_arn: String,
    trusted: Vec<TrustedKey>,
    current: Renewed<Current>,
}

/// A public key that the distribution trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// CloudFront's id of the key.
    pub id: String,
    /// The key in PEM. `None`: it is not known, and taken for that of any private key.
    pub public_key: Option<String>,
}

/// What signs at present.
struct Current {
    /// The version of the secret.
    version: Option<String>,
    urls: Arc<UrlBuilder>,
}

impl SigningKey {
    /// The key in the secret of this ARN. Which of the `trusted` ones it belongs to shows when it is read.
    pub fn new(secrets: Client, secret_arn: String, trusted: Vec<TrustedKey>) -> Self {
        Self { secrets, secret_arn, trusted, current: Renewed::default() }
    }

    /// Builds URLs below `base_url` that are signed with the key.
    ///
    /// # Errors
    /// If the key was never read and cannot be read now; a bug, if it is no private key or belongs to no trusted one, or
    /// `base_url` is none.
    pub async fn url_builder(&self, base_url: &str) -> Result<Arc<UrlBuilder>, Failure> {
        self.url_builder_at(Instant::now(), base_url).await
    }

    async fn url_builder_at(&self, now: Instant, base_url: &str) -> Result<Arc<UrlBuilder>, Failure> {
        let current = self.current.get(now, async |known| self.read(base_url, known).await).await?;
        Ok(Arc::clone(&current.urls))
    }

    /// The secret's value, or what is `known` if it is of the same version: it keeps its signatures.
    async fn read(&self, base_url: &str, known: Option<&Arc<Current>>) -> Result<Arc<Current>, Failure> {
        let secret = self.secrets.get_secret_value().secret_id(&self.secret_arn).send().await;
        let secret = secret.map_err(|error| Failure::aws(DOING, error))?;
        if let Some(known) = known
            && known.version.is_some()
            && known.version == secret.version_id
        {
            return Ok(Arc::clone(known));
        }
        let signer = self.signer(secret.secret_string().unwrap_or_default())?;
        let urls = UrlBuilder::new(base_url, Some(signer)).map_err(|error| Failure::bug(DOING, error))?;
        Ok(Arc::new(Current { version: secret.version_id, urls: Arc::new(urls) }))
    }

    fn signer(&self, private_key: &str) -> Result<Signer, Failure> {
        for TrustedKey { id, public_key } in &self.trusted {
            let signer = Signer::from_pem(id, private_key).map_err(|error| Failure::bug(DOING, error))?;
            if public_key.as_ref().is_none_or(|public_key| signer.is_verified_by(public_key)) {
                return Ok(signer);
            }
        }
        Err(Failure::bug(DOING, "it belongs to none of the distribution's public keys"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::media::{MediaId, Sequencer, Visibility, variant_key};
    use function_kit::failure::Kind;

    use super::*;

    const PEM: &str = include_str!("../../../crates/cdn-signing/tests/p256.pem");
    const PUBLIC: &str = include_str!("../../../crates/cdn-signing/tests/p256.public.pem");
    const NEXT_PEM: &str = include_str!("../../../crates/cdn-signing/tests/p256-next.pem");
    const NEXT_PUBLIC: &str = include_str!("../../../crates/cdn-signing/tests/p256-next.public.pem");

    fn value(version: &'static str, text: &'static str) -> Rule {
        mock!(Client::get_secret_value)
            .then_output(move || GetSecretValueOutput::builder().version_id(version).secret_string(text).build())
    }

    fn key(secret: &[&Rule], trusted: &[(&str, &str)]) -> SigningKey {
        let trusted = trusted
            .iter()
            .map(|(id, public_key)| TrustedKey { id: (*id).to_owned(), public_key: Some((*public_key).to_owned()) });
        let secrets = mock_client!(aws_sdk_secretsmanager, RuleMode::Sequential, secret);
        SigningKey::new(secrets, "arn".into(), trusted.collect())
    }

    /// A signed URL, made `seconds` after the start.
    async fn signed(key: &SigningKey, start: Instant, seconds: u64) -> Result<String, Failure> {
        let sequencer = Sequencer::parse("0A").expect("a sequencer");
        let file =
            variant_key(MediaId::of_key("photo/mina/a.jpg"), &sequencer, Visibility::Private, (8, 8), "h", "webp");
        let urls = key.url_builder_at(start + Duration::from_secs(seconds), "https://d1.cloudfront.net").await?;
        Ok(urls.urls(&[&file], 1_767_290_400).expect("a URL").swap_remove(0))
    }

    #[tokio::test]
    async fn rotated_key_signs_within_minutes_under_its_own_id() {
        let (before, after) = (value("1", PEM), value("2", NEXT_PEM));
        let key = key(&[&before, &after], &[("A", PUBLIC), ("B", NEXT_PUBLIC)]);
        let start = Instant::now();
        for (seconds, id) in [(0, "A"), (299, "A"), (300, "B")] {
            let url = signed(&key, start, seconds).await.expect("a URL");
            assert!(url.contains(&format!("&Key-Pair-Id={id}&")), "after {seconds} s: {url}");
        }
    }

    #[tokio::test]
    async fn unchanged_secret_keeps_its_signatures() {
        let (first, second) = (value("1", PEM), value("1", PEM));
        let key = key(&[&first, &second], &[("A", PUBLIC)]);
        let start = Instant::now();
        assert_eq!(signed(&key, start, 0).await.expect("a URL"), signed(&key, start, 300).await.expect("a URL"));
        assert_eq!(second.num_calls(), 1);
    }

    #[tokio::test]
    async fn key_without_a_public_one_is_refused_and_the_one_before_still_signs() {
        let (known, unknown) = (value("1", PEM), value("2", NEXT_PEM));
        let start = Instant::now();
        let trusted = [("A", PUBLIC)];
        assert_eq!(signed(&key(&[&unknown], &trusted), start, 0).await.expect_err("a failure").kind, Kind::Bug);
        let key = key(&[&known, &value("2", NEXT_PEM)], &trusted);
        for seconds in [0, 300] {
            assert!(signed(&key, start, seconds).await.expect("a URL").contains("&Key-Pair-Id=A&"));
        }
    }

    #[tokio::test]
    async fn key_is_read_once_and_again_after_a_failure() {
        let failing = mock!(Client::get_secret_value).then_error(|| GetSecretValueError::unhandled("timeout"));
        let working = value("1", PEM);
        let key = key(&[&failing, &working], &[("A", PUBLIC)]);
        let start = Instant::now();
        assert_eq!(signed(&key, start, 0).await.expect_err("a failure").kind, Kind::Transient);
        for seconds in [0, 299] {
            assert!(signed(&key, start, seconds).await.is_ok());
        }
        assert_eq!(working.num_calls(), 1);
    }

    #[tokio::test]
    async fn secret_that_is_not_a_key_is_not_printed() {
        let key = key(&[&value("1", "hunter2")], &[("A", PUBLIC)]);
        let failure = signed(&key, Instant::now(), 0).await.expect_err("a failure");
        assert_eq!(failure.kind, Kind::Bug);
        assert!(!failure.to_string().contains("hunter2"));
    }
}
