use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_s3::{Client, presigning::PresigningConfig};
use cdn_signing::UrlBuilder;
use domain::media::is_public_key;
use function_kit::failure::Failure;

use crate::{link_window::LinkWindow, signing_key::SigningKey};

/// The lifetime of signed links, from the start of their window.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Makes links to derivatives: CloudFront URLs, signed unless the file is public.
pub struct Links {
    /// The base URL of the distribution.
    pub base_url: String,
    /// Signs links to files that are not public.
    pub signing: Signing,
}

/// How links to files that are not public are signed.
pub enum Signing {
    /// For CloudFront, with a key that the distribution trusts.
    CloudFront(Box<SigningKey>),
    /// For S3, if no key is configured. Such a link also expires with the credentials that signed it, some hours after the
    /// start of this function at the earliest.
    Bucket {
        /// Presigns requests.
        s3: Client,
        /// The bucket of derivatives.
        bucket: String,
    },
}

impl Links {
    /// The URLs of one item's files at `keys`, in the same order. Signed URLs expire 15 minutes after the start of
    /// `window`.
    ///
    /// # Errors
    /// If the private key cannot be read, or one of `keys` is not a derivative's.
    pub async fn urls(&self, keys: &[&str], window: LinkWindow) -> Result<Vec<String>, Failure> {
        let all_public = keys.iter().all(|key| is_public_key(key));
        let urls = match &self.signing {
            _ if all_public => UrlBuilder::new(&self.base_url, None)
                .map_err(|error| Failure::bug("read the distribution's base URL", error))?
                .urls(keys, 0),
            Signing::Bucket { s3, bucket } => return presigned(s3, bucket, keys, window).await,
            Signing::CloudFront(key) => {
                key.url_builder(&self.base_url).await?.urls(keys, (window.start() + LIFETIME).as_secs())
            }
        };
        urls.map_err(|error| Failure::bug("make the URL of a derivative", error))
    }
}

async fn presigned(s3: &Client, bucket: &str, keys: &[&str], window: LinkWindow) -> Result<Vec<String>, Failure> {
    let config = PresigningConfig::builder().start_time(UNIX_EPOCH + window.start()).expires_in(LIFETIME).build();
    let config = config.map_err(|error| Failure::bug("presign a URL", error))?;
    let mut urls = Vec::with_capacity(keys.len());
    for key in keys {
        let request = s3.get_object().bucket(bucket).key(*key).presigned(config.clone()).await;
        urls.push(request.map_err(|error| Failure::aws("presign a URL", error))?.uri().to_owned());
    }
    Ok(urls)
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::*;
    use crate::signing_key::TrustedKey;

    const PUBLIC: &str = "ID/0000000000000000000000000000000A/open/8x8-h.webp";
    const PEM: &str = include_str!("../../../crates/cdn-signing/tests/p256.pem");

    fn window() -> LinkWindow {
        LinkWindow::of("2026-11-22T00:06:00Z".parse().expect("a time"))
    }

    fn private() -> String {
        let sequencer = domain::media::Sequencer::parse("0A").expect("a sequencer");
        let id = domain::media::MediaId::of_key("photo/mina/a.jpg");
        domain::media::variant_key(id, &sequencer, domain::media::Visibility::Private, (8, 8), "h", "webp")
    }

    fn links(secret: &[&Rule]) -> Links {
        let secrets = mock_client!(aws_sdk_secretsmanager, RuleMode::Sequential, secret);
        let trusted = vec![TrustedKey { id: "K".into(), public_key: None }];
        let signing = Signing::CloudFront(Box::new(SigningKey::new(secrets, "arn".into(), trusted)));
        Links { base_url: "https://d1.cloudfront.net".into(), signing }
    }

    fn secret(text: &'static str) -> Rule {
        mock!(aws_sdk_secretsmanager::Client::get_secret_value)
            .then_output(move || GetSecretValueOutput::builder().secret_string(text).build())
    }

    #[tokio::test]
    async fn public_file_is_linked_without_the_key() {
        let link = links(&[]).urls(&[PUBLIC], window()).await.expect("a link");
        assert_eq!(link, [format!("https://d1.cloudfront.net/{PUBLIC}")]);
        assert!(links(&[]).urls(&[], window()).await.expect("no links").is_empty());
    }

    #[tokio::test]
    async fn signed_link_expires_fifteen_minutes_after_the_start_of_its_window() {
        let (links, private) = (links(&[&secret(PEM)]), private());
        let link = links.urls(&[&private], window()).await.expect("a link").swap_remove(0);
        let policy = link.split(['=', '&']).nth(1).expect("a policy");
        let policy = BASE64_STANDARD.decode(policy.replace('-', "+").replace('_', "=").replace('~', "/"));
        let text = String::from_utf8(policy.expect("base 64")).expect("text");
        let end: jiff::Timestamp = "2026-11-22T00:20:00Z".parse().expect("a time");
        assert!(text.contains(&format!("{{\"AWS:EpochTime\":{}}}", end.as_second())), "{text}");
        assert_eq!(links.urls(&[&private], window()).await.expect("a link"), [link]);
    }

    #[tokio::test]
    async fn private_file_without_a_key_has_a_presigned_url() {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("ap-northeast-2"))
            .credentials_provider(Credentials::for_tests());
        let s3 = Client::from_conf(config.build());
        let signing = Signing::Bucket { s3, bucket: "derived".into() };
        let links = Links { base_url: "https://d1.cloudfront.net".into(), signing };
        let link = links.urls(&[&private()], window()).await.expect("a link");
        assert!(link[0].contains("X-Amz-Date=20261122T000500Z&X-Amz-Expires=900"), "{}", link[0]);
        assert_eq!(links.urls(&[&private()], window()).await.expect("a link"), link);
        assert_eq!(
            links.urls(&[PUBLIC], window()).await.expect("a link"),
            [format!("https://d1.cloudfront.net/{PUBLIC}")]
        );
    }
}
