//! Registration of a token with SNS, by the algorithm in AWS's documentation of mobile push.

use domain::push::Token;
use function_kit::failure::Failure;
use rest_kit::response::HandlerError;

use crate::{endpoint::Owner, ports::Endpoints};

/// Number of attempts to find or create the endpoint. Reads are eventually consistent, so an endpoint may not be
/// found at first.
const ATTEMPTS: u32 = 3;

/// An enabled endpoint with `token`: `candidate`, the existing endpoint with the token, or a new one. Returns the ARN.
///
/// `revoke` is called with the owner in the endpoint, if that is another device than `owner`. If it fails, a retry still
/// finds it there.
pub async fn register(
    endpoints: &impl Endpoints,
    owner: &Owner,
    token: &Token,
    mut candidate: Option<String>,
    revoke: impl AsyncFn(&Owner, &str) -> Result<(), Failure>,
) -> Result<String, HandlerError> {
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            endpoints.wait(attempt).await;
        }
        let endpoint_arn = match candidate.take() {
            Some(endpoint_arn) => endpoint_arn,
            None => endpoints.create(token).await?,
        };
        // `create` may have returned an existing endpoint, so its attributes are checked as well.
        let Some(endpoint) = endpoints.get(&endpoint_arn).await?.filter(|endpoint| endpoint.has_token(token)) else {
            continue;
        };
        let previous = endpoint.owner.filter(|previous| previous != owner);
        if let Some(previous) = &previous {
            revoke(previous, &endpoint_arn).await?;
        }
        if endpoint.is_enabled && previous.is_none() || endpoints.enable(&endpoint_arn, token).await? {
            return Ok(endpoint_arn);
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
    use crate::{
        sns::SnsEndpoints,
        tests::fixtures::{APPLICATION, already_exists, endpoint_arn, sns_error, token},
    };

    fn owner(user: &str) -> Owner {
        Owner { user: user.into(), device: "phone".into() }
    }

    /// Registers against SNS calls that match `rules` in this order, each once. Returns the ARN and the owners that were
    /// revoked.
    async fn registered(candidate: Option<String>, rules: &[&Rule]) -> Result<(String, Vec<Owner>), HandlerError> {
        let sns = mock_client!(aws_sdk_sns, RuleMode::Sequential, rules);
        let endpoints = SnsEndpoints::new(sns, APPLICATION.to_owned());
        let revoked = RefCell::new(vec![]);
        let revoke = async |previous: &Owner, _: &str| {
            revoked.borrow_mut().push(previous.clone());
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
                    && request.custom_user_data().is_none()
                    && enabled.map(String::as_str) == Some("true")
            })
            .then_output(move || CreatePlatformEndpointOutput::builder().endpoint_arn(endpoint_arn(name)).build())
    }

    /// An endpoint without custom user data if `user` is empty.
    fn finds(name: &'static str, token: &str, enabled: &str, user: &str) -> Rule {
        let data = if user.is_empty() { String::new() } else { format!(r#"{{"user":"{user}","device":"phone"}}"#) };
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
        let wanted = [("Token", "new"), ("Enabled", "true"), ("CustomUserData", "")];
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
        let outcome = registered(None, &[&creates("a"), &finds("a", "new", "true", "")]).await;
        assert_eq!(outcome.expect("registered"), at("a", None));
    }

    #[tokio::test]
    async fn enabled_endpoint_is_unchanged() {
        for owner in ["", "mina"] {
            let outcome = registered(Some(endpoint_arn("a")), &[&finds("a", "new", "true", owner)]).await;
            assert_eq!(outcome.expect("registered"), at("a", None));
        }
    }

    #[tokio::test]
    async fn missing_endpoint_is_created_again() {
        let rules = [&finds_none("a"), &creates("b"), &finds("b", "new", "true", "")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("b", None));
    }

    #[tokio::test]
    async fn endpoint_missing_three_times_is_transient() {
        let rules = [&creates("a"), &finds_none("a"), &creates("b"), &finds_none("b"), &creates("c"), &finds_none("c")];
        let Err(HandlerError::Failure(failure)) = registered(None, &rules).await else { panic!("no failure") };
        assert_eq!(failure.kind, Kind::Transient);
    }

    #[tokio::test]
    async fn endpoint_with_other_token_is_not_used() {
        let rules = [&finds("a", "old", "true", ""), &creates("b"), &finds("b", "new", "true", "")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("b", None));
    }

    #[tokio::test]
    async fn disabled_endpoint_is_enabled() {
        let rules = [&finds("a", "new", "false", ""), &sets("a")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("a", None));
        // Also if the creation returned it.
        let rules = [&creates("a"), &finds("a", "new", "false", ""), &sets("a")];
        assert_eq!(registered(None, &rules).await.expect("registered"), at("a", None));
    }

    #[tokio::test]
    async fn existing_endpoint_is_found_in_error_message() {
        let exists = mock!(Client::create_platform_endpoint).then_http_response(|| already_exists(&endpoint_arn("x")));
        // Its owner is revoked and cleared.
        let rules = [&exists, &finds("x", "new", "true", "jun"), &sets("x")];
        assert_eq!(registered(None, &rules).await.expect("registered"), at("x", Some(owner("jun"))));
    }

    #[tokio::test]
    async fn endpoint_deleted_or_changed_before_it_is_enabled_is_created_again() {
        let gone = mock!(Client::set_endpoint_attributes)
            .then_http_response(|| sns_error(404, "NotFound", "Endpoint does not exist"));
        let taken = mock!(Client::set_endpoint_attributes).then_http_response(|| already_exists(&endpoint_arn("x")));
        for fails in [gone, taken] {
            let rules = [&finds("a", "new", "false", ""), &fails, &creates("b"), &finds("b", "new", "true", "")];
            assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("b", None));
        }
    }

    #[tokio::test]
    async fn invalid_token_returns_400() {
        let message = "Invalid parameter: Token Reason: must be at most 8192 bytes long in UTF-8 encoding";
        let rejects = mock!(Client::create_platform_endpoint)
            .then_http_response(move || sns_error(400, "InvalidParameter", message));
        let Err(HandlerError::Problem(problem)) = registered(None, &[&rejects]).await else { panic!("no problem") };
        assert_eq!(problem.status, 400);
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
            let endpoints = SnsEndpoints::new(sns, APPLICATION.to_owned());
            let outcome = register(
                &endpoints,
                &owner("mina"),
                &token("new"),
                Some(endpoint_arn("a")),
                async |_: &Owner, _: &str| Ok(()),
            )
            .await;
            let Err(HandlerError::Failure(failure)) = outcome else { panic!("no failure") };
            assert_eq!(failure.kind, Kind::Transient, "{code}");
        }
    }
}
