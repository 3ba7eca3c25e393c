use std::time::{Duration, SystemTime};

use api::SignedHeaders;
use aws_sdk_s3::{
    Client,
    config::{ProvideCredentials, SharedCredentialsProvider},
    presigning::{PresignedRequest, PresigningConfig},
};
use domain::upload::{Checksum, Declaration};
use function_kit::failure::Failure;
use jiff::Timestamp;

use crate::response::Signed;

/// The lifetime of a signature.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// A shorter lifetime would be of no use to a client.
const MIN_LIFETIME: Duration = Duration::from_secs(30);

/// Presigns requests that clients send to S3 with this function's permissions.
///
/// Every constraint is a signed header: S3 rejects a request without it, or with another value.
pub struct Signer {
    pub s3: Client,
    pub bucket: String,
    pub credentials: SharedCredentialsProvider,
}

impl Signer {
    /// Signs the `PUT` of a file to a key that has no object: with this type, length, checksum and metadata.
    ///
    /// # Errors
    /// If the function has no credentials, or they expire too soon.
    pub async fn put(&self, key: &str, declaration: &Declaration, now: Timestamp) -> Result<Signed, Failure> {
        let (config, expires_at) = self.presigning(now).await?;
        let mut request = self
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(declaration.content_type)
            .content_length(length(declaration.size)?)
            .checksum_sha256(declaration.checksum)
            .if_none_match("*");
        for (name, value) in declaration.to_metadata() {
            request = request.metadata(name, value);
        }
        let request = request.presigned(config).await.map_err(|error| Failure::aws("sign an upload", error))?;
        Ok(signed(&request, expires_at))
    }

    /// Signs the `PUT` of a part, with this length and checksum.
    ///
    /// # Errors
    /// If the function has no credentials, or they expire too soon.
    pub async fn part(
        &self,
        key: &str,
        s3_upload: &str,
        (number, size): (u64, u64),
        checksum: Checksum,
        now: Timestamp,
    ) -> Result<Signed, Failure> {
        let (config, expires_at) = self.presigning(now).await?;
        let number = i32::try_from(number).map_err(|error| Failure::bug("sign a part", error))?;
        let request = self
            .s3
            .upload_part()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(s3_upload)
            .part_number(number)
            .content_length(length(size)?)
            .checksum_sha256(checksum);
        let request = request.presigned(config).await.map_err(|error| Failure::aws("sign a part", error))?;
        Ok(signed(&request, expires_at))
    }

    /// The lifetime of a signature made at `now`, and its end. A signature expires with the credentials that made it.
    async fn presigning(&self, now: Timestamp) -> Result<(PresigningConfig, String), Failure> {
        let credentials = self.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|error| Failure::transient("get credentials", error))?;
        let now = SystemTime::from(now);
        let lifetime = lifetime(now, credentials.expiry());
        if lifetime < MIN_LIFETIME {
            return Err(Failure::transient("sign an upload", "the credentials are about to expire"));
        }
        let config = PresigningConfig::builder().start_time(now).expires_in(lifetime).build();
        let config = config.map_err(|error| Failure::bug("sign an upload", error))?;
        let expires_at = Timestamp::try_from(now + lifetime).map_err(|error| Failure::bug("sign an upload", error))?;
        Ok((config, format!("{expires_at:.0}")))
    }
}

fn lifetime(now: SystemTime, credentials_expire: Option<SystemTime>) -> Duration {
    let left = credentials_expire.map(|end| end.duration_since(now).unwrap_or_default());
    // Signatures have whole seconds.
    Duration::from_secs(left.map_or(LIFETIME, |left| left.min(LIFETIME)).as_secs())
}

fn length(bytes: u64) -> Result<i64, Failure> {
    i64::try_from(bytes).map_err(|error| Failure::bug("sign the length", error))
}

fn signed(request: &PresignedRequest, expires_at: String) -> Signed {
    let url = request.uri();
    let headers = request.headers().filter(|(name, _)| is_signed(url, name));
    let headers = SignedHeaders(headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    Signed { method: "PUT", url: url.to_owned(), headers, expires_at }
}

/// Whether the signature covers the header `name`. Clients send only covered headers. In Lambda, the SDK adds the id of
/// this function's trace, which is not covered.
fn is_signed(url: &str, name: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let list = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-SignedHeaders="));
    list.is_some_and(|list| list.split("%3B").any(|signed| signed == name))
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeSet;

    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use domain::media::{Intent, Kind, Visibility};

    use super::*;

    pub const SUM: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    pub fn now() -> Timestamp {
        "2026-11-22T00:00:00Z".parse().expect("a time")
    }

    pub fn checksum() -> Checksum {
        SUM.to_owned().try_into().expect("a checksum")
    }

    /// A signer whose credentials expire at this time.
    pub fn signer(credentials_expire: Option<SystemTime>) -> Signer {
        let credentials = Credentials::new("AKID", "secret", Some("session".into()), credentials_expire, "test");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("ap-northeast-2"))
            .credentials_provider(credentials.clone())
            .build();
        let credentials = SharedCredentialsProvider::new(credentials);
        Signer { s3: Client::from_conf(config), bucket: "originals".into(), credentials }
    }

    fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
        let (_, query) = url.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn signed_headers(signed: &Signed) -> BTreeSet<String> {
        let list = parameter(&signed.url, "X-Amz-SignedHeaders").expect("signed headers");
        list.split("%3B").map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn upload_is_signed_with_all_its_constraints() {
        let intent = Intent {
            post: "p1".to_owned().try_into().ok(),
            visibility: Visibility::Private,
            file_name: "한강.png".to_owned().try_into().ok(),
        };
        let declaration = Declaration::new(Kind::Photo, "image/png", 7, checksum(), intent).expect("a declaration");
        let signed = signer(None).put("photo/mina/1", &declaration, now()).await.expect("signed");
        let expected = [
            ("content-length", "7"),
            ("content-type", "image/png"),
            ("if-none-match", "*"),
            ("x-amz-checksum-sha256", SUM),
            ("x-amz-meta-declaration", &declaration.fingerprint()),
            ("x-amz-meta-file-name", "%ED%95%9C%EA%B0%95.png"),
            ("x-amz-meta-post", "p1"),
            ("x-amz-meta-sha256", SUM),
            ("x-amz-meta-visibility", "private"),
        ];
        let headers: Vec<_> = signed.headers.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(headers, expected);
        let mut covered: BTreeSet<_> = expected.iter().map(|(name, _)| (*name).to_owned()).collect();
        covered.insert("host".into());
        assert_eq!(signed_headers(&signed), covered);
        assert!(signed.url.contains("/photo/mina/1?"), "{}", signed.url);
        assert_eq!(parameter(&signed.url, "X-Amz-Expires"), Some("900"));
        assert_eq!(signed.expires_at, "2026-11-22T00:15:00Z");
    }

    #[tokio::test]
    async fn part_is_signed_with_length_and_checksum() {
        let signed = signer(None).part("audio/mina/1", "u", (3, 5), checksum(), now()).await.expect("signed");
        let headers: Vec<_> = signed.headers.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(headers, [("content-length", "5"), ("x-amz-checksum-sha256", SUM)]);
        let covered: Vec<_> = signed_headers(&signed).into_iter().collect();
        assert_eq!(covered, ["content-length", "host", "x-amz-checksum-sha256"]);
        assert_eq!((parameter(&signed.url, "partNumber"), parameter(&signed.url, "uploadId")), (Some("3"), Some("u")));
    }

    #[tokio::test]
    async fn signature_expires_with_the_credentials() {
        let start = SystemTime::from(now());
        let declaration =
            Declaration::new(Kind::Photo, "image/png", 7, checksum(), Intent::default()).expect("a declaration");
        let ends = |seconds| Some(start + Duration::from_secs(seconds));
        let signed = signer(ends(60)).put("photo/mina/1", &declaration, now()).await.expect("signed");
        assert_eq!(signed.expires_at, "2026-11-22T00:01:00Z");
        assert_eq!(parameter(&signed.url, "X-Amz-Expires"), Some("60"));
        let failure = signer(ends(5)).put("photo/mina/1", &declaration, now()).await.expect_err("a failure");
        assert_eq!(failure.kind, function_kit::failure::Kind::Transient);
        let signed = signer(ends(36_000)).put("photo/mina/1", &declaration, now()).await.expect("signed");
        assert_eq!(parameter(&signed.url, "X-Amz-Expires"), Some("900"));
    }

    #[test]
    fn only_covered_headers_are_returned() {
        let url =
            "https://s3/a?X-Amz-Date=d&X-Amz-SignedHeaders=content-length%3Bhost%3Bx-amz-meta-post&x-id=PutObject";
        for (name, is_covered) in
            [("content-length", true), ("x-amz-meta-post", true), ("x-amzn-trace-id", false), ("x-amz-meta", false)]
        {
            assert_eq!(is_signed(url, name), is_covered, "{name}");
        }
        assert!(!is_signed("https://s3/a", "host"));
    }
}
