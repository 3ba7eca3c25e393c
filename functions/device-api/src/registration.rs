//! Registration of a token with SNS, by the algorithm in AWS's documentation of mobile push.

use std::time::Duration;

use domain::push::Token;
use function_kit::failure::Failure;
use rest_kit::response::HandlerError;

use crate::endpoints::{Endpoints, Owner, SetAttributesOutcome};

/// Number of attempts to find or create the endpoint. Reads are eventually consistent, so an endpoint may not be
/// found at first.
const ATTEMPTS: u32 = 3;

/// Wait before the second attempt. Before the third, it is twice as long.
const BACKOFF: Duration = Duration::from_millis(100);

/// Makes `owner` the owner of an enabled endpoint with `token`: of `candidate`, of the existing endpoint with the token,
/// or of a new one. Returns the ARN.
///
/// `revoke` is called with the previous owner and the ARN, before the endpoint changes its owner. If it fails, a
/// retry still finds the previous owner in the endpoint.
pub async fn register(
    endpoints: &Endpoints,
    owner: &Owner,
    token: &Token,
    mut candidate: Option<String>,
    revoke: impl AsyncFn(Owner, &str) -> Result<(), Failure>,
) -> Result<String, HandlerError> {
    for attempt in 0..ATTEMPTS {
        tokio::time::sleep(BACKOFF * attempt).await;
        let endpoint_arn = match candidate.take() {
            Some(endpoint_arn) => endpoint_arn,
            None => endpoints.create(token, owner).await?,
        };
        // `create` may have returned an existing endpoint, so its attributes are checked as well.
        let Some(attributes) = endpoints.get(&endpoint_arn).await? else { continue };
        if attributes.belongs_to_other(owner, token) {
            continue;
        }
        if attributes.is_registered(owner, token) {
            return Ok(endpoint_arn);
        }
        if let Some(previous) = attributes.owner.filter(|previous| previous != owner) {
            revoke(previous, &endpoint_arn).await?;
        }
        match endpoints.set(&endpoint_arn, token, owner).await? {
            SetAttributesOutcome::Updated => return Ok(endpoint_arn),
            SetAttributesOutcome::NotFound => {}
            SetAttributesOutcome::TokenTaken(other) => candidate = Some(other),
        }
    }
    Err(Failure::transient("register a token", "its endpoint disappeared each time").into())
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::HashMap};

    use aws_sdk_sns::{
        Client,
        operation::{
            create_platform_endpoint::CreatePlatformEndpointOutput,
            get_endpoint_attributes::GetEndpointAttributesOutput, set_endpoint_attributes::SetEndpointAttributesOutput,
        },
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use function_kit::failure::Kind;

    use super::*;
    use crate::tests::fixtures::{APPLICATION, already_exists, endpoint_arn, sns_error, token};

    fn owner(user: &str) -> Owner {
        Owner { user: user.into(), device: "phone".into() }
    }

    /// Registers against SNS calls that match `rules` in this order, each once. Returns the ARN and the previous
    /// owners.
    async fn registered(candidate: Option<String>, rules: &[&Rule]) -> Result<(String, Vec<Owner>), HandlerError> {
        let sns = mock_client!(aws_sdk_sns, RuleMode::Sequential, rules);
        let endpoints = Endpoints::new(sns, APPLICATION.to_owned());
        let revoked = RefCell::new(vec![]);
        let revoke = async |previous, _: &str| {
            revoked.borrow_mut().push(previous);
            Ok(())
        };
        let outcome = register(&endpoints, &owner("mina"), &token("new"), candidate, revoke).await;
        let calls: Vec<_> = rules.iter().map(|rule| rule.num_calls()).collect();
        assert!(calls.iter().all(|calls| *calls == 1), "calls of each rule: {calls:?}");
        outcome.map(|endpoint_arn| (endpoint_arn, revoked.take()))
    }

    fn creates(name: &'static str) -> Rule {
        mock!(Client::create_platform_endpoint)
            .match_requests(|request| {
                let enabled = request.attributes().and_then(|attributes| attributes.get("Enabled"));
                request.platform_application_arn() == Some(APPLICATION)
                    && request.token() == Some("new")
                    && request.custom_user_data() == Some(r#"{"user":"mina","device":"phone"}"#)
                    && enabled.map(String::as_str) == Some("true")
            })
            .then_output(move || CreatePlatformEndpointOutput::builder().endpoint_arn(endpoint_arn(name)).build())
    }

    fn finds(name: &'static str, token: &str, enabled: &str, user: &str) -> Rule {
        let data = serde_json::to_string(&owner(user)).expect("JSON");
        let attributes = [("Token", token), ("Enabled", enabled), ("CustomUserData", &data)];
        let attributes: HashMap<_, _> = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        mock!(Client::get_endpoint_attributes)
            .match_requests(move |request| request.endpoint_arn() == Some(&endpoint_arn(name)))
            .then_output(move || {
                GetEndpointAttributesOutput::builder().set_attributes(Some(attributes.clone())).build()
            })
    }

    fn finds_none(name: &'static str) -> Rule {
        mock!(Client::get_endpoint_attributes)
            .match_requests(move |request| request.endpoint_arn() == Some(&endpoint_arn(name)))
            .then_http_response(|| sns_error(404, "NotFound", "Endpoint does not exist"))
    }

    fn is_set(attributes: Option<&HashMap<String, String>>) -> bool {
        let wanted = [("Token", "new"), ("Enabled", "true"), ("CustomUserData", r#"{"user":"mina","device":"phone"}"#)];
        let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
        attributes == Some(&wanted.into())
    }

    fn sets(name: &'static str) -> Rule {
        mock!(Client::set_endpoint_attributes)
            .match_requests(move |request| {
                request.endpoint_arn() == Some(&endpoint_arn(name)) && is_set(request.attributes())
            })
            .then_output(|| SetEndpointAttributesOutput::builder().build())
    }

    fn at(name: &str, previous: Option<Owner>) -> (String, Vec<Owner>) {
        (endpoint_arn(name), previous.into_iter().collect())
    }

    #[tokio::test]
    async fn unknown_endpoint_is_created_and_checked() {
        let outcome = registered(None, &[&creates("a"), &finds("a", "new", "true", "mina")]).await;
        assert_eq!(outcome.expect("registered"), at("a", None));
    }

    #[tokio::test]
    async fn registered_endpoint_is_unchanged() {
        let outcome = registered(Some(endpoint_arn("a")), &[&finds("a", "new", "true", "mina")]).await;
        assert_eq!(outcome.expect("registered"), at("a", None));
    }

    #[tokio::test]
    async fn missing_endpoint_is_created_again() {
        let rules = [&finds_none("a"), &creates("b"), &finds("b", "new", "true", "mina")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("b", None));
    }

    #[tokio::test]
    async fn endpoint_missing_three_times_is_transient() {
        let rules = [&creates("a"), &finds_none("a"), &creates("b"), &finds_none("b"), &creates("c"), &finds_none("c")];
        let Err(HandlerError::Failure(failure)) = registered(None, &rules).await else { panic!("no failure") };
        assert_eq!(failure.kind, Kind::Transient);
    }

    #[tokio::test]
    async fn endpoint_with_old_token_gets_new_token() {
        let rules = [&finds("a", "old", "true", "mina"), &sets("a")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("a", None));
    }

    #[tokio::test]
    async fn disabled_endpoint_is_enabled() {
        let rules = [&finds("a", "new", "false", "mina"), &sets("a")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("a", None));
        // Also if the creation returned it.
        let rules = [&creates("a"), &finds("a", "new", "false", "mina"), &sets("a")];
        assert_eq!(registered(None, &rules).await.expect("registered"), at("a", None));
    }

    #[tokio::test]
    async fn existing_endpoint_is_found_in_error_message() {
        let exists = mock!(Client::create_platform_endpoint).then_http_response(|| already_exists(&endpoint_arn("x")));
        let rules = [&exists, &finds("x", "new", "true", "jun"), &sets("x")];
        assert_eq!(registered(None, &rules).await.expect("registered"), at("x", Some(owner("jun"))));
    }

    #[tokio::test]
    async fn token_taken_by_other_endpoint_uses_that_endpoint() {
        let taken = mock!(Client::set_endpoint_attributes).then_http_response(|| already_exists(&endpoint_arn("x")));
        let rules = [&finds("a", "old", "true", "mina"), &taken, &finds("x", "new", "true", "jun"), &sets("x")];
        let outcome = registered(Some(endpoint_arn("a")), &rules).await;
        assert_eq!(outcome.expect("registered"), at("x", Some(owner("jun"))));
    }

    #[tokio::test]
    async fn endpoint_deleted_before_update_is_created_again() {
        let gone = mock!(Client::set_endpoint_attributes)
            .then_http_response(|| sns_error(404, "NotFound", "Endpoint does not exist"));
        let rules = [&finds("a", "old", "true", "mina"), &gone, &creates("b"), &finds("b", "new", "true", "mina")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("b", None));
    }

    #[tokio::test]
    async fn endpoint_of_other_device_is_unchanged() {
        let rules = [&finds("a", "theirs", "true", "jun"), &creates("b"), &finds("b", "new", "true", "mina")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("b", None));
    }

    #[tokio::test]
    async fn invalid_token_or_owner_returns_400() {
        for message in [
            "Invalid parameter: Token Reason: must be at most 8192 bytes long in UTF-8 encoding",
            "Invalid parameter: Attributes Reason: Invalid value for attribute: CustomUserData: must be at most 2048 \
             bytes long in UTF-8 encoding",
        ] {
            let rejects = mock!(Client::create_platform_endpoint)
                .then_http_response(move || sns_error(400, "InvalidParameter", message));
            let Err(HandlerError::Problem(problem)) = registered(None, &[&rejects]).await else { panic!("no problem") };
            assert_eq!(problem.status, 400);
        }
    }

    #[tokio::test]
    async fn error_of_the_stack_has_the_kind_of_its_code() {
        for (status, code, kind) in [
            (400, "PlatformApplicationDisabled", Kind::Bug),
            (400, "InvalidParameter", Kind::Bug),
            (403, "AuthorizationError", Kind::Transient),
            (404, "NotFound", Kind::Transient),
        ] {
            let rejects =
                mock!(Client::create_platform_endpoint).then_http_response(move || sns_error(status, code, "no"));
            let Err(HandlerError::Failure(failure)) = registered(None, &[&rejects]).await else { panic!("no failure") };
            assert_eq!(failure.kind, kind, "{code}");
        }
    }

    #[tokio::test]
    async fn error_of_sns_is_transient() {
        for (status, code) in [(500, "InternalError"), (429, "Throttled"), (503, "ServiceUnavailable")] {
            let fails =
                mock!(Client::get_endpoint_attributes).then_http_response(move || sns_error(status, code, "busy"));
            let sns = mock_client!(aws_sdk_sns, RuleMode::MatchAny, [&fails]);
            let endpoints = Endpoints::new(sns, APPLICATION.to_owned());
            let outcome =
                register(&endpoints, &owner("mina"), &token("new"), Some(endpoint_arn("a")), async |_, _: &str| Ok(()))
                    .await;
            let Err(HandlerError::Failure(failure)) = outcome else { panic!("no failure") };
            assert_eq!(failure.kind, Kind::Transient, "{code}");
        }
    }
}
