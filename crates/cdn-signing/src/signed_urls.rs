use std::sync::Arc;

use domain::media::{generation_prefix, is_public_key};

use crate::{
    policy::Policy,
    signature_cache::SignatureCache,
    signer::{RandomnessUnavailable, Signer},
};

/// Builds the CloudFront URLs of derivatives.
#[derive(Debug)]
pub struct UrlBuilder {
    /// Without a trailing slash.
    base_url: String,
    /// If `None`, only public files have URLs.
    signer: Option<Signer>,
    signed: SignatureCache,
}

/// The text is not a base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a base URL: http:// or https:// and a host, optionally with a port, and nothing else")]
pub struct InvalidBaseUrl;

/// The reason why a file has no URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// The file is not public and no private key is configured.
    #[error("no private key is configured to sign URLs with")]
    NoKey,
    /// The object key does not have the form of a derivative's key.
    #[error("not the key of a derivative")]
    UnknownKey,
    /// The signature needs random bytes and the system has none.
    #[error(transparent)]
    RandomnessUnavailable(#[from] RandomnessUnavailable),
}

impl UrlBuilder {
    /// Builds URLs below `base_url`, the distribution's own, such as `https://d1.cloudfront.net`.
    ///
    /// # Errors
    /// If `base_url` has a path, a query or no scheme.
    pub fn new(base_url: &str, signer: Option<Signer>) -> Result<Self, InvalidBaseUrl> {
        let (scheme, host) = base_url.split_once("://").ok_or(InvalidBaseUrl)?;
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
        if !matches!(scheme, "http" | "https") || host.is_empty() || !host.bytes().all(is_host) {
            return Err(InvalidBaseUrl);
        }
        Ok(Self { base_url: base_url.to_owned(), signer, signed: SignatureCache::default() })
    }

    /// The URLs of the objects at `keys`, in the same order. Signed URLs expire at `expires`, in seconds since 1970.
    ///
    /// A signature covers all files of one generation of an item and no others. An item that becomes less visible gets
    /// a new generation, so older URLs do not give access to its files.
    ///
    /// # Errors
    /// See [`UrlError`].
    pub fn urls(&self, keys: &[&str], expires: u64) -> Result<Vec<String>, UrlError> {
        // Files of one item follow each other.
        let mut last: Option<(&str, Arc<str>)> = None;
        let mut urls = Vec::with_capacity(keys.len());
        for key in keys {
            let url = format!("{}/{key}", self.base_url);
            if is_public_key(key) {
                urls.push(url);
                continue;
            }
            let generation = generation_prefix(key).ok_or(UrlError::UnknownKey)?;
            let query = match last.take() {
                Some((signed, query)) if signed == generation => query,
                _ => self.signed_query(generation, expires)?,
            };
            urls.push(format!("{url}?{query}"));
            last = Some((generation, query));
        }
        Ok(urls)
    }

    fn signed_query(&self, generation: &str, expires: u64) -> Result<Arc<str>, UrlError> {
        let signer = self.signer.as_ref().ok_or(UrlError::NoKey)?;
        let sign = || signer.signed_query(&Policy { resource: format!("{}/{generation}*", self.base_url), expires });
        Ok(self.signed.get_or_sign(generation, expires, sign)?)
    }
}

#[cfg(test)]
mod tests {
    use domain::media::{MediaId, Sequencer, Visibility, variant_key};

    use super::*;

    fn keys(visibility: Visibility, sequencer: &str) -> [String; 2] {
        let sequencer = Sequencer::parse(sequencer).expect("a sequencer");
        let id = MediaId::of_key("photo/mina/a.jpg");
        ["webp", "jpg"].map(|extension| variant_key(id, &sequencer, visibility, (8, 8), "hash", extension))
    }

    fn urls(keys: &[String], signer: Option<Signer>) -> Result<Vec<String>, UrlError> {
        let builder = UrlBuilder::new("https://d1.cloudfront.net", signer).expect("a base URL");
        builder.urls(&keys.iter().map(String::as_str).collect::<Vec<_>>(), 1_767_290_400)
    }

    fn signer() -> Option<Signer> {
        Some(Signer::from_pem("K", include_str!("../tests/p256.pem")).expect("a key"))
    }

    #[test]
    fn public_file_has_unsigned_url() {
        let keys = keys(Visibility::Public, "0A");
        let expected: Vec<_> = keys.iter().map(|key| format!("https://d1.cloudfront.net/{key}")).collect();
        assert_eq!(urls(&keys, signer()), Ok(expected.clone()));
        assert_eq!(urls(&keys, None), Ok(expected));
    }

    #[test]
    fn files_of_one_generation_share_one_signature() {
        for visibility in [Visibility::Followers, Visibility::Private] {
            let keys = keys(visibility, "0A");
            let urls = urls(&keys, signer()).expect("URLs");
            let (paths, queries): (Vec<_>, Vec<_>) =
                urls.iter().map(|url| url.split_once('?').expect("a query")).unzip();
            assert_eq!(paths, keys.clone().map(|key| format!("https://d1.cloudfront.net/{key}")));
            assert_eq!(queries[0], queries[1]);
            let prefix = generation_prefix(&keys[0]).expect("a generation");
            let resource = format!("https://d1.cloudfront.net/{prefix}*");
            let policy = Policy { resource, expires: 1_767_290_400 }.to_string();
            let start = format!("Policy={}&Signature=", crate::policy::encode(policy.as_bytes()));
            assert!(queries[0].starts_with(&start), "{}", queries[0]);
        }
    }

    #[test]
    fn url_of_the_same_file_and_end_is_the_same() {
        let builder = UrlBuilder::new("https://d1.cloudfront.net", signer()).expect("a base URL");
        let [key, _] = keys(Visibility::Private, "0A");
        let url = |expires| builder.urls(&[&key], expires).expect("a URL");
        assert_eq!(url(1_767_290_400), url(1_767_290_400));
        assert_ne!(url(1_767_290_400), url(1_767_290_700));
    }

    #[test]
    fn another_generation_has_another_signature() {
        let [old, _] = keys(Visibility::Private, "0A");
        let [new, _] = keys(Visibility::Private, "0B");
        let urls = urls(&[old, new], signer()).expect("URLs");
        let queries: Vec<_> = urls.iter().filter_map(|url| url.split_once("&Signature=")).collect();
        assert_ne!(queries[0].0, queries[1].0);
    }

    #[test]
    fn file_that_is_not_public_without_private_key_has_no_url() {
        assert_eq!(urls(&keys(Visibility::Private, "0A"), None), Err(UrlError::NoKey));
        assert_eq!(urls(&["elsewhere".to_owned()], signer()), Err(UrlError::UnknownKey));
    }

    #[test]
    fn base_url_with_more_than_scheme_and_host_is_rejected() {
        for url in [
            "",
            "d1.cloudfront.net",
            "ftp://d1",
            "https://",
            "https://d1/",
            "https://d1/x",
            "https://a\"b",
            "https://*",
        ] {
            assert_eq!(UrlBuilder::new(url, None).map(|_| ()), Err(InvalidBaseUrl), "{url}");
        }
        assert!(UrlBuilder::new("http://127.0.0.1:4000", None).is_ok());
    }
}
