use domain::media::{generation_prefix, is_public_key};

use crate::{
    policy::Policy,
    signer::{NoRandomness, Signer},
};

/// The addresses of derived files.
#[derive(Debug)]
pub struct Addresses {
    /// Without a slash at its end.
    base_url: String,
    /// Without it, only what is open has an address.
    signer: Option<Signer>,
}

/// The text is not where a distribution answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a base URL: http:// or https://, a host, perhaps a port, nothing else")]
pub struct InvalidBaseUrl;

/// Why there is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// There is no key to sign with.
    #[error("there is no key to sign addresses with")]
    NoKey,
    /// It is not the key of a derived file.
    #[error("not the key of a derived file")]
    UnknownKey,
    /// There was no randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl Addresses {
    /// Addresses at the distribution that answers at `base_url`, like `https://d1.cloudfront.net`.
    pub fn new(base_url: &str, signer: Option<Signer>) -> Result<Self, InvalidBaseUrl> {
        let (scheme, host) = base_url.split_once("://").ok_or(InvalidBaseUrl)?;
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
        if !matches!(scheme, "http" | "https") || host.is_empty() || !host.bytes().all(is_host) {
            return Err(InvalidBaseUrl);
        }
        Ok(Self { base_url: base_url.to_owned(), signer })
    }

    /// Where the files at `keys` are fetched, in the same order. What is not open passes before
    /// `expires`, in seconds since 1970.
    ///
    /// One signature serves the files of one generation of an item, and no other: should the item
    /// become less visible, it becomes another generation.
    pub fn of(&self, keys: &[&str], expires: u64) -> Result<Vec<String>, NotSigned> {
        // The files of an item are of one generation.
        let mut signed: Option<(&str, String)> = None;
        let mut addresses = Vec::with_capacity(keys.len());
        for key in keys {
            let address = format!("{}/{key}", self.base_url);
            if is_public_key(key) {
                addresses.push(address);
                continue;
            }
            let generation = generation_prefix(key).ok_or(NotSigned::UnknownKey)?;
            let query = match signed.take() {
                Some((known, query)) if known == generation => query,
                _ => self.query(generation, expires)?,
            };
            addresses.push(format!("{address}?{query}"));
            signed = Some((generation, query));
        }
        Ok(addresses)
    }

    fn query(&self, generation: &str, expires: u64) -> Result<String, NotSigned> {
        let signer = self.signer.as_ref().ok_or(NotSigned::NoKey)?;
        Ok(signer.query(&Policy { resource: format!("{}/{generation}*", self.base_url), expires })?)
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

    fn addresses(keys: &[String], signer: Option<Signer>) -> Result<Vec<String>, NotSigned> {
        let addresses = Addresses::new("https://d1.cloudfront.net", signer).expect("addresses");
        addresses.of(&keys.iter().map(String::as_str).collect::<Vec<_>>(), 1_767_290_400)
    }

    fn signer() -> Option<Signer> {
        Some(Signer::from_pem("K", include_str!("../tests/p256.pem")).expect("a key"))
    }

    #[test]
    fn what_is_open_has_an_address_that_stays() {
        let keys = keys(Visibility::Public, "0A");
        let expected: Vec<_> = keys.iter().map(|key| format!("https://d1.cloudfront.net/{key}")).collect();
        assert_eq!(addresses(&keys, signer()), Ok(expected.clone()));
        assert_eq!(addresses(&keys, None), Ok(expected));
    }

    #[test]
    fn one_signature_serves_a_generation() {
        for visibility in [Visibility::Followers, Visibility::Private] {
            let keys = keys(visibility, "0A");
            let addresses = addresses(&keys, signer()).expect("addresses");
            let (paths, queries): (Vec<_>, Vec<_>) =
                addresses.iter().map(|address| address.split_once('?').expect("a query")).unzip();
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
    fn another_generation_has_another_signature() {
        let [old, _] = keys(Visibility::Private, "0A");
        let [new, _] = keys(Visibility::Private, "0B");
        let addresses = addresses(&[old, new], signer()).expect("addresses");
        let queries: Vec<_> = addresses.iter().filter_map(|address| address.split_once("&Signature=")).collect();
        assert_ne!(queries[0].0, queries[1].0);
    }

    #[test]
    fn without_a_key_what_is_not_open_has_none() {
        assert_eq!(addresses(&keys(Visibility::Private, "0A"), None), Err(NotSigned::NoKey));
        assert_eq!(addresses(&["elsewhere".to_owned()], signer()), Err(NotSigned::UnknownKey));
    }

    #[test]
    fn a_base_url_is_a_scheme_and_a_host() {
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
            assert_eq!(Addresses::new(url, None).map(|_| ()), Err(InvalidBaseUrl), "{url}");
        }
        assert!(Addresses::new("http://127.0.0.1:4000", None).is_ok());
    }
}
