//! Endpoints that settings name.

use std::net::IpAddr;

use http::Uri;
use serde::{Deserialize, Deserializer, de};

/// The machine, seen from a container of `sam local`. The template refuses it.
const CONTAINER_HOST: &str = "172.17.0.1";

/// Deserialises the URL of an endpoint. Credentials, tokens and texts of users go there, so it must be `https://`, except on
/// this machine.
///
/// # Errors
/// If it is no URL, or neither.
pub fn endpoint_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_protected(&text) { Ok(text) } else { Err(de::Error::custom("the endpoint must be an https URL")) }
}

fn is_protected(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => {
            let address = host.trim_start_matches('[').trim_end_matches(']').parse();
            host == "localhost" || host == CONTAINER_HOST || address.is_ok_and(|address: IpAddr| address.is_loopback())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_without_tls_is_refused_except_on_this_machine() {
        for url in [
            "https://x.es.amazonaws.com",
            "https://1.2.3.4:8182",
            "http://127.0.0.1:9",
            "http://localhost:9/a",
            "http://[::1]:9",
            "http://172.17.0.1:9",
        ] {
            assert!(is_protected(url), "{url}");
        }
        for url in [
            "http://x.es.amazonaws.com",
            "http://10.0.0.1:8182",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
            "ftp://localhost",
            "x.es.amazonaws.com",
            "",
        ] {
            assert!(!is_protected(url), "{url}");
        }
    }
}
