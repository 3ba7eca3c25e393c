//! The one call to CloudFront. The SDK's client for CloudFront was the crate that took longest to compile.

use std::time::Duration;

use aws_config::SdkConfig;
use function_kit::{
    aws::{endpoint_url, http_connector},
    failure::Failure,
};
use http::{Method, Request, header::CONTENT_TYPE};
use sigv4_client::{Client, Error, MissingCredentials};

const DOING: &str = "invalidate the CDN";
/// CloudFront is global. Its requests are signed for this region. (AWS General Reference, "Amazon CloudFront endpoints and
/// quotas".)
const REGION: &str = "us-east-1";
const ENDPOINT_URL: &str = "https://cloudfront.amazonaws.com";
/// Timeout of one try, as for calls of the SDK.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client of CloudFront. Clones share their connections.
#[derive(Debug, Clone)]
pub struct CloudFront {
    http: Client,
    endpoint_url: String,
}

/// The answer of CloudFront to a call that it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    /// CloudFront's code, such as `TooManyInvalidationsInProgress`.
    pub code: Option<String>,
}

impl CloudFront {
    /// A client with the credentials of `config`. The variable `AWS_ENDPOINT_URL_CLOUDFRONT` sets another endpoint.
    ///
    /// # Errors
    /// If `config` has no credentials.
    pub fn new(config: &SdkConfig) -> Result<Self, MissingCredentials> {
        let credentials = config.credentials_provider().ok_or(MissingCredentials)?;
        let http = Client::new(http_connector(), REGION, credentials);
        Ok(Self::at(http, endpoint_url("CloudFront").unwrap_or_else(|| ENDPOINT_URL.to_owned())))
    }

    /// A client of an endpoint.
    pub fn at(http: Client, endpoint_url: String) -> Self {
        Self { http, endpoint_url }
    }

    /// Invalidates paths, which begin with a slash. A repeated call with the same `reference` and paths does nothing.
    /// (CloudFront API Reference, "CreateInvalidation".)
    ///
    /// # Errors
    /// If CloudFront cannot be reached.
    pub(crate) async fn create_invalidation(
        &self,
        distribution_id: &str,
        reference: &str,
        paths: &[String],
    ) -> Result<Result<(), Refusal>, Failure> {
        let url = format!("{}/2020-05-31/distribution/{distribution_id}/invalidation", self.endpoint_url);
        let request = Request::builder().method(Method::POST).uri(url).header(CONTENT_TYPE, "application/xml");
        let request = request.body(document(reference, paths).into_bytes());
        let response = self.send(request.map_err(|error| Failure::bug(DOING, error))?).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Ok(()));
        }
        Ok(Err(Refusal { status: status.as_u16(), code: error_code(response.body()) }))
    }

    /// Sends a request, and once more if the connection fails: an idle one may have been closed while the execution
    /// environment was frozen.
    async fn send(&self, request: Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, Failure> {
        let send = |request| async {
            let sent = tokio::time::timeout(TIMEOUT, self.http.send("cloudfront", request)).await;
            sent.map_err(|error| Failure::transient(DOING, error))
        };
        match send(request.clone()).await {
            Ok(Err(Error::Connection(_))) | Err(_) => send(request).await?,
            Ok(result) => result,
        }
        .map_err(|error| match error {
            Error::Request(_) => Failure::bug(DOING, error),
            Error::Connection(_) | Error::Credentials(_) => Failure::transient(DOING, error),
        })
    }
}

impl Refusal {
    /// The failure, by CloudFront's code.
    pub(crate) fn failure(&self) -> Failure {
        Failure::aws_response(DOING, self.status, self.code.as_deref())
    }
}

/// The body of the request. The elements have the order in which SDKs send them.
fn document(reference: &str, paths: &[String]) -> String {
    let items: String = paths.iter().map(|path| format!("<Path>{}</Path>", escaped(path))).collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>{}</Quantity><Items>{items}</Items></Paths><CallerReference>{}</CallerReference></InvalidationBatch>"#,
        paths.len(),
        escaped(reference)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The code in `<ErrorResponse><Error><Code>`.
fn error_code(body: &[u8]) -> Option<String> {
    let document = roxmltree::Document::parse(std::str::from_utf8(body).ok()?).ok()?;
    let code = document.descendants().find(|node| node.tag_name().name() == "Code")?;
    code.text().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REFUSED: &str = r#"<?xml version="1.0"?>
        <ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error><Type>Sender</Type>
        <Code>TooManyInvalidationsInProgress</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>"#;

    #[test]
    fn code_is_read_from_the_error_document() {
        assert_eq!(error_code(REFUSED.as_bytes()).as_deref(), Some("TooManyInvalidationsInProgress"));
        for other in [&b""[..], b"<html>", b"<a/>", b"{}", &[0xFF]] {
            assert_eq!(error_code(other), None);
        }
    }

    proptest! {
        #[test]
        fn document_holds_reference_and_paths(
            reference in "[ -~]{1,40}",
            paths in prop::collection::vec("/[ -~]{0,40}", 1..5)
        ) {
            let document = document(&reference, &paths);
            let parsed = roxmltree::Document::parse(&document).expect("XML");
            let texts = |name: &str| -> Vec<String> {
                let nodes = parsed.descendants().filter(|node| node.tag_name().name() == name);
                nodes.map(|node| node.text().unwrap_or_default().to_owned()).collect()
            };
            prop_assert_eq!(texts("CallerReference"), [reference]);
            prop_assert_eq!(texts("Quantity"), [paths.len().to_string()]);
            prop_assert_eq!(texts("Path"), paths);
        }

        #[test]
        fn malformed_error_document_has_no_code(body in malformed_inputs::bytes(&[REFUSED])) {
            if let Some(code) = error_code(&body) {
                prop_assert!(!code.is_empty());
            }
        }
    }
}
