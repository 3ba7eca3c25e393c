//! Endpoints of the SNS platform application.

use std::{collections::HashMap, time::Duration};

use api::Problem;
use aws_sdk_sns::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use domain::push::Token;
use function_kit::failure::Failure;
use rest_kit::response::HandlerError;

use crate::{
    endpoint::{Endpoint, EndpointPage},
    ports::Endpoints,
};

/// Wait before the second attempt. Before the third, it is twice as long.
const BACKOFF: Duration = Duration::from_millis(100);

const NOT_FOUND: &str = "NotFound";
const TOKEN: &str = "Token";
const ENABLED: &str = "Enabled";
const CUSTOM_USER_DATA: &str = "CustomUserData";

/// Client for the endpoints of one platform application.
pub struct SnsEndpoints {
    sns: Client,
    application_arn: String,
    /// Prefix of the ARNs of the application's endpoints. `None` if the application's ARN is malformed.
    prefix: Option<String>,
}

impl SnsEndpoints {
    pub fn new(sns: Client, application_arn: String) -> Self {
        let prefix = endpoint_prefix(&application_arn);
        Self { sns, application_arn, prefix }
    }
}

impl Endpoints for SnsEndpoints {
    async fn wait(&self, attempt: u32) {
        tokio::time::sleep(BACKOFF * attempt).await;
    }

    fn contains(&self, endpoint_arn: &str) -> bool {
        self.prefix.as_deref().is_some_and(|prefix| endpoint_arn.starts_with(prefix))
    }

    async fn create(&self, token: &Token) -> Result<String, HandlerError> {
        let Self { sns, application_arn, .. } = self;
        let created = sns
            .create_platform_endpoint()
            .platform_application_arn(application_arn)
            .token(token.as_str())
            .attributes(ENABLED, "true")
            .send()
            .await;
        match created {
            Ok(response) => {
                let endpoint_arn = response.endpoint_arn;
                endpoint_arn.ok_or_else(|| Failure::bug("create an endpoint", "the response has no ARN").into())
            }
            Err(error) => match existing(&error) {
                Some(endpoint_arn) => Ok(endpoint_arn),
                None => Err(problem_or_failure("create an endpoint", error)),
            },
        }
    }

    async fn get(&self, endpoint_arn: &str) -> Result<Option<Endpoint>, HandlerError> {
        match self.sns.get_endpoint_attributes().endpoint_arn(endpoint_arn).send().await {
            Ok(response) => Ok(Some(endpoint(endpoint_arn.to_owned(), response.attributes.unwrap_or_default()))),
            Err(error) if error.code() == Some(NOT_FOUND) => Ok(None),
            Err(error) => Err(problem_or_failure("read an endpoint", error)),
        }
    }

    async fn enable(&self, endpoint_arn: &str, token: &Token) -> Result<bool, HandlerError> {
        let set = self
            .sns
            .set_endpoint_attributes()
            .endpoint_arn(endpoint_arn)
            // AWS: set the token also if it is the same, before the endpoint is enabled.
            .attributes(TOKEN, token.as_str())
            .attributes(ENABLED, "true")
            .attributes(CUSTOM_USER_DATA, "");
        match set.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(NOT_FOUND) || existing(&error).is_some() => Ok(false),
            Err(error) => Err(problem_or_failure("enable an endpoint", error)),
        }
    }

    async fn delete(&self, endpoint_arn: &str) -> Result<(), Failure> {
        let deleted = self.sns.delete_endpoint().endpoint_arn(endpoint_arn).send().await;
        deleted.map(drop).map_err(|error| Failure::aws("delete an endpoint", error))
    }

    async fn page(&self, cursor: Option<&str>) -> Result<Option<EndpointPage>, Failure> {
        let Self { sns, application_arn, .. } = self;
        let list = sns.list_endpoints_by_platform_application().platform_application_arn(application_arn);
        match list.set_next_token(cursor.map(str::to_owned)).send().await {
            Ok(response) => {
                let listed = response.endpoints.unwrap_or_default().into_iter();
                let listed = listed
                    .filter_map(|listed| Some(endpoint(listed.endpoint_arn?, listed.attributes.unwrap_or_default())));
                let next = response.next_token.filter(|next| !next.is_empty());
                Ok(Some(EndpointPage { endpoints: listed.collect(), next }))
            }
            Err(error) if cursor.is_some() && error.code() == Some("InvalidParameter") => Ok(None),
            Err(error) => Err(Failure::aws("list endpoints", error)),
        }
    }
}

fn endpoint(arn: String, mut attributes: HashMap<String, String>) -> Endpoint {
    Endpoint {
        arn,
        token: attributes.remove(TOKEN),
        is_enabled: attributes.get(ENABLED).is_some_and(|enabled| enabled.eq_ignore_ascii_case("true")),
        owner: attributes.get(CUSTOM_USER_DATA).and_then(|data| serde_json::from_str(data).ok()),
    }
}

/// Application `arn:…:app/GCM/<name>` has endpoints `arn:…:endpoint/GCM/<name>/<uuid>`.
fn endpoint_prefix(application_arn: &str) -> Option<String> {
    let (head, name) = application_arn.split_once(":app/")?;
    Some(format!("{head}:endpoint/{name}/"))
}

/// ARN of the endpoint that already has the token. SNS returns it only in the message:
/// `Invalid parameter: Token Reason: Endpoint <ARN> already exists with the same Token, but different attributes.`
fn existing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let (_, rest) = error.message()?.split_once("Endpoint ")?;
    let (endpoint_arn, reason) = rest.split_once(' ')?;
    (endpoint_arn.starts_with("arn:") && reason.starts_with("already exists with the same Token"))
        .then(|| endpoint_arn.to_owned())
}

/// An invalid token is a problem of the client.
fn problem_or_failure<E>(doing: &'static str, error: SdkError<E, HttpResponse>) -> HandlerError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let message = error.message().unwrap_or_default();
    match error.code() {
        Some("InvalidParameter") if message.contains("Token Reason:") => {
            Problem::invalid_request("SNS does not accept this token").into()
        }
        _ => Failure::aws(doing, error).into(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sns::operation::{
        delete_endpoint::DeleteEndpointOutput,
        list_endpoints_by_platform_application::ListEndpointsByPlatformApplicationOutput,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;
    use crate::tests::fixtures::{APPLICATION, endpoint_arn, sns_error};

    fn endpoints(rule: &Rule) -> SnsEndpoints {
        SnsEndpoints::new(mock_client!(aws_sdk_sns, RuleMode::MatchAny, [rule]), APPLICATION.to_owned())
    }

    #[tokio::test]
    async fn endpoints_are_listed_page_by_page() {
        let list = mock!(Client::list_endpoints_by_platform_application)
            .match_requests(|request| {
                request.platform_application_arn() == Some(APPLICATION) && request.next_token() == Some("page-2")
            })
            .then_output(|| {
                let attributes = [("Token", "t"), ("Enabled", "true")];
                let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
                let listed = aws_sdk_sns::types::Endpoint::builder()
                    .endpoint_arn(endpoint_arn("a"))
                    .set_attributes(Some(attributes))
                    .build();
                ListEndpointsByPlatformApplicationOutput::builder().endpoints(listed).next_token("page-3").build()
            });
        let page = endpoints(&list).page(Some("page-2")).await.expect("a result").expect("a page");
        let expected = Endpoint { arn: endpoint_arn("a"), token: Some("t".into()), is_enabled: true, owner: None };
        assert_eq!((page.endpoints, page.next.as_deref()), (vec![expected], Some("page-3")));
    }

    #[tokio::test]
    async fn expired_cursor_is_no_failure() {
        let rejects = mock!(Client::list_endpoints_by_platform_application)
            .then_http_response(|| sns_error(400, "InvalidParameter", "Invalid parameter: NextToken"));
        assert!(endpoints(&rejects).page(Some("page-2")).await.expect("a result").is_none());
        endpoints(&rejects).page(None).await.expect_err("a failure");
    }

    #[tokio::test]
    async fn endpoint_is_deleted() {
        let delete = mock!(Client::delete_endpoint)
            .match_requests(|request| request.endpoint_arn() == Some(&endpoint_arn("a")))
            .then_output(|| DeleteEndpointOutput::builder().build());
        endpoints(&delete).delete(&endpoint_arn("a")).await.expect("deleted");
        assert_eq!(delete.num_calls(), 1);
    }

    #[test]
    fn only_endpoints_of_the_own_application_are_contained() {
        let unused = mock!(Client::delete_endpoint).then_output(|| DeleteEndpointOutput::builder().build());
        let endpoints = endpoints(&unused);
        assert!(endpoints.contains(&endpoint_arn("a")));
        assert!(!endpoints.contains("arn:aws:sns:ap-northeast-2:123456789012:endpoint/GCM/iyagi-push-2/a"));
    }
}
