use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_s3::{Client, presigning::PresigningConfig};
use cdn_signing::{Signer, UrlBuilder};
use domain::media::is_public_key;
use function_kit::failure::Failure;
use tokio::sync::OnceCell;

use crate::epoch::Epoch;

/// How long a signed link works, from the start of its epoch.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Links to derived files: at CloudFront, and signed unless everybody may see the file.
pub struct Links {
    /// Where the distribution answers.
    pub base_url: String,
    /// Who vouches for links to what is not open.
    pub signing: Signing,
}

/// Who vouches for links that must be signed.
pub enum Signing {
    /// CloudFront lets them pass by a key that it trusts.
    CloudFront(Box<SigningKey>),
    /// No key is set up: they lead to the bucket itself. Such a link also dies with the session that
    /// signed it, at the earliest some hours after this function started.
    Bucket {
        /// Signs them.
        s3: Client,
        /// Of derived files.
        bucket: String,
    },
}

/// The key, in Secrets Manager. It is read when it is first needed: many requests need it not.
pub struct SigningKey {
    /// Reads it.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// The secret that holds it.
    pub secret_arn: String,
    /// As CloudFront knows its public half.
    pub key_id: String,
    /// Signed with it, once it has been read.
    pub addresses: OnceCell<UrlBuilder>,
}

impl Links {
    /// Links to the files of one item at `keys`, in the same order. Those that are not open work until
    /// 15 minutes after the start of `epoch`, for whoever has them. No call to AWS but for the key, once.
    pub async fn to(&self, keys: &[&str], epoch: Epoch) -> Result<Vec<String>, Failure> {
        let addresses = match &self.signing {
            Signing::Bucket { s3, bucket } if !keys.iter().all(|key| is_public_key(key)) => {
                return presigned(s3, bucket, keys, epoch).await;
            }
            Signing::CloudFront(key) if !keys.iter().all(|key| is_public_key(key)) => {
                key.addresses(&self.base_url).await?.urls(keys, (epoch.start() + LIFETIME).as_secs())
            }
            _ => unsigned(&self.base_url)?.urls(keys, 0),
        };
        addresses.map_err(|error| Failure::bug("link to a derived file", error))
    }
}

fn unsigned(base_url: &str) -> Result<UrlBuilder, Failure> {
    UrlBuilder::new(base_url, None).map_err(|error| Failure::bug("read where the distribution answers", error))
}

impl SigningKey {
    async fn addresses(&self, base_url: &str) -> Result<&UrlBuilder, Failure> {
        let read = async || {
            let answer = self.secrets.get_secret_value().secret_id(&self.secret_arn).send().await;
            let answer = answer.map_err(|error| Failure::aws("read the signing key", error))?;
            let signer = Signer::from_pem(&self.key_id, answer.secret_string().unwrap_or_default())
                .map_err(|error| Failure::bug("read the signing key", error))?;
            UrlBuilder::new(base_url, Some(signer))
                .map_err(|error| Failure::bug("read where the distribution answers", error))
        };
        self.addresses.get_or_try_init(read).await
    }
}

async fn presigned(s3: &Client, bucket: &str, keys: &[&str], epoch: Epoch) -> Result<Vec<String>, Failure> {
    let signing = PresigningConfig::builder().start_time(UNIX_EPOCH + epoch.start()).expires_in(LIFETIME).build();
    let signing = signing.map_err(|error| Failure::bug("sign a link", error))?;
    let mut links = Vec::with_capacity(keys.len());
    for key in keys {
        let request = s3.get_object().bucket(bucket).key(*key).presigned(signing.clone()).await;
        links.push(request.map_err(|error| Failure::aws("sign a link", error))?.uri().to_owned());
    }
    Ok(links)
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use base64::{Engine, prelude::BASE64_STANDARD};
    use function_kit::failure::Kind;

    use super::*;

    const OPEN: &str = "ID/0000000000000000000000000000000A/open/8x8-h.webp";
    const PEM: &str = include_str!("../../../crates/cdn-signing/tests/p256.pem");

    fn epoch() -> Epoch {
        Epoch::of("2026-11-22T00:06:00Z".parse().expect("a time"))
    }

    fn closed() -> String {
        let sequencer = domain::media::Sequencer::parse("0A").expect("a sequencer");
        let id = domain::media::MediaId::of_key("photo/mina/a.jpg");
        domain::media::variant_key(id, &sequencer, domain::media::Visibility::Private, (8, 8), "h", "webp")
    }

    fn links(secret: &[&Rule]) -> Links {
        let signing = Signing::CloudFront(Box::new(SigningKey {
            secrets: mock_client!(aws_sdk_secretsmanager, RuleMode::Sequential, secret),
            secret_arn: "arn".into(),
            key_id: "K".into(),
            addresses: OnceCell::new(),
        }));
        Links { base_url: "https://d1.cloudfront.net".into(), signing }
    }

    fn secret(text: &'static str) -> Rule {
        mock!(aws_sdk_secretsmanager::Client::get_secret_value)
            .then_output(move || GetSecretValueOutput::builder().secret_string(text).build())
    }

    #[tokio::test]
    async fn open_files_need_no_key() {
        let link = links(&[]).to(&[OPEN], epoch()).await.expect("a link");
        assert_eq!(link, [format!("https://d1.cloudfront.net/{OPEN}")]);
        assert!(links(&[]).to(&[], epoch()).await.expect("no link").is_empty());
    }

    #[tokio::test]
    async fn the_key_is_read_once_and_after_a_failure_again() {
        let fails = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
            .then_error(|| GetSecretValueError::unhandled("no answer"));
        let works = secret(PEM);
        let links = links(&[&fails, &works]);
        let closed = closed();
        assert_eq!(links.to(&[&closed], epoch()).await.expect_err("a failure").kind, Kind::Transient);
        for _ in 0..2 {
            let link = links.to(&[&closed], epoch()).await.expect("a link");
            assert!(link[0].starts_with(&format!("https://d1.cloudfront.net/{closed}?Policy=")), "{}", link[0]);
            assert!(link[0].contains("&Key-Pair-Id=K&"), "{}", link[0]);
        }
        assert_eq!(works.num_calls(), 1);
    }

    #[tokio::test]
    async fn they_end_fifteen_minutes_after_the_start_of_their_epoch() {
        let (links, closed) = (links(&[&secret(PEM)]), closed());
        let link = links.to(&[&closed], epoch()).await.expect("a link").swap_remove(0);
        let policy = |link: &str| link.split(['=', '&']).nth(1).map(str::to_owned).expect("a policy");
        let text = BASE64_STANDARD.decode(policy(&link).replace('-', "+").replace('_', "=").replace('~', "/"));
        let text = String::from_utf8(text.expect("base 64")).expect("text");
        let end: jiff::Timestamp = "2026-11-22T00:20:00Z".parse().expect("a time");
        assert!(text.contains(&format!("{{\"AWS:EpochTime\":{}}}", end.as_second())), "{text}");
        // Signatures differ, what they are about does not.
        let again = links.to(&[&closed], epoch()).await.expect("a link");
        assert_eq!(policy(&again[0]), policy(&link));
    }

    #[tokio::test]
    async fn a_secret_that_is_no_key_stays_secret() {
        let failure = links(&[&secret("hunter2")]).to(&[&closed()], epoch()).await.expect_err("a failure");
        assert_eq!(failure.kind, Kind::Bug);
        assert!(!failure.to_string().contains("hunter2"));
    }

    #[tokio::test]
    async fn without_a_key_they_lead_to_the_bucket() {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("ap-northeast-2"))
            .credentials_provider(Credentials::for_tests());
        let s3 = Client::from_conf(config.build());
        let signing = Signing::Bucket { s3, bucket: "derived".into() };
        let links = Links { base_url: "https://d1.cloudfront.net".into(), signing };
        let link = links.to(&[&closed()], epoch()).await.expect("a link");
        assert!(link[0].contains("X-Amz-Date=20261122T000500Z&X-Amz-Expires=900"), "{}", link[0]);
        assert_eq!(links.to(&[&closed()], epoch()).await.expect("a link"), link);
        assert_eq!(links.to(&[OPEN], epoch()).await.expect("a link"), [format!("https://d1.cloudfront.net/{OPEN}")]);
    }
}
