//! AWS's algorithm for tokens of mobile apps.

use std::time::Duration;

use domain::push::Token;
use function_kit::failure::Failure;

use crate::{
    endpoints::{Endpoints, Owner, Set},
    error::Error,
};

/// An endpoint that is not found is created again: look-ups are eventually consistent.
const ROUNDS: u32 = 3;

/// How long to wait before the second round; before the third, twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// Makes sure that an enabled endpoint with `token` is `owner`'s: `known`, if one is known, or the
/// one that has the token already, or a new one. Gives its ARN.
///
/// `dispossess` is called with whom the endpoint belonged to, and its ARN, before it is given to
/// `owner`: as long as the endpoint names the one before, a second try can find them, too.
pub async fn register(
    endpoints: &Endpoints,
    owner: &Owner,
    token: &Token,
    known: Option<String>,
    dispossess: impl AsyncFn(Owner, &str) -> Result<(), Failure>,
) -> Result<String, Error> {
    let mut known = known;
    for round in 0..ROUNDS {
        tokio::time::sleep(PAUSE * round).await;
        let endpoint_arn = match known.take() {
            Some(endpoint_arn) => endpoint_arn,
            None => endpoints.create(token, owner).await?,
        };
        // Also right after a creation: an endpoint that was there may be disabled, or another's.
        let Some(found) = endpoints.get(&endpoint_arn).await? else { continue };
        if found.is_anothers(owner, token) {
            continue;
        }
        if found.delivery_targets(owner, token) {
            return Ok(endpoint_arn);
        }
        if let Some(before) = found.owner.filter(|before| before != owner) {
            dispossess(before, &endpoint_arn).await?;
        }
        match endpoints.set(&endpoint_arn, token, owner).await? {
            Set::Done => return Ok(endpoint_arn),
            Set::Gone => {}
            Set::Taken(other) => known = Some(other),
        }
    }
    Err(Failure::transient("register a token", "its endpoint was gone time and again").into())
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
    use crate::testing::{APPLICATION, already_exists, endpoint_arn, sns_error, token};

    fn owner(user: &str) -> Owner {
        Owner { user: user.into(), device: "phone".into() }
    }

    /// Calls SNS as `rules` expect it, in their order and all of them. The endpoint's ARN, and who
    /// has lost it.
    async fn registered(known: Option<String>, rules: &[&Rule]) -> Result<(String, Vec<Owner>), Error> {
        let sns = mock_client!(aws_sdk_sns, RuleMode::Sequential, rules);
        let endpoints = Endpoints::new(sns, APPLICATION.to_owned());
        let lost = RefCell::new(vec![]);
        let dispossess = async |before, _: &str| {
            lost.borrow_mut().push(before);
            Ok(())
        };
        let outcome = register(&endpoints, &owner("mina"), &token("new"), known, dispossess).await;
        let left: Vec<_> = rules.iter().map(|rule| rule.num_calls()).collect();
        assert!(left.iter().all(|calls| *calls == 1), "calls of each rule: {left:?}");
        outcome.map(|endpoint_arn| (endpoint_arn, lost.take()))
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

    fn finds_nothing(name: &'static str) -> Rule {
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

    fn at(name: &str, before: Option<Owner>) -> (String, Vec<Owner>) {
        (endpoint_arn(name), before.into_iter().collect())
    }

    #[tokio::test]
    async fn without_an_endpoint_one_is_created_and_looked_at() {
        let outcome = registered(None, &[&creates("a"), &finds("a", "new", "true", "mina")]).await;
        assert_eq!(outcome.expect("registered"), at("a", None));
    }

    #[tokio::test]
    async fn an_endpoint_that_is_as_it_should_be_is_left_alone() {
        let outcome = registered(Some(endpoint_arn("a")), &[&finds("a", "new", "true", "mina")]).await;
        assert_eq!(outcome.expect("registered"), at("a", None));
    }

    #[tokio::test]
    async fn an_endpoint_that_is_gone_is_created_again() {
        let rules = [&finds_nothing("a"), &creates("b"), &finds("b", "new", "true", "mina")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("b", None));
    }

    #[tokio::test]
    async fn after_three_rounds_the_client_is_to_try_again() {
        let rules = [
            &creates("a"),
            &finds_nothing("a"),
            &creates("b"),
            &finds_nothing("b"),
            &creates("c"),
            &finds_nothing("c"),
        ];
        let Err(Error::Failed(failure)) = registered(None, &rules).await else { panic!("no failure") };
        assert_eq!(failure.kind, Kind::Transient);
    }

    #[tokio::test]
    async fn another_token_is_set_and_the_endpoint_enabled_with_it() {
        let rules = [&finds("a", "old", "true", "mina"), &sets("a")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("a", None));
    }

    #[tokio::test]
    async fn a_disabled_endpoint_gets_the_token_and_is_enabled() {
        let rules = [&finds("a", "new", "false", "mina"), &sets("a")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("a", None));
        // Also where the creation has just found it so.
        let rules = [&creates("a"), &finds("a", "new", "false", "mina"), &sets("a")];
        assert_eq!(registered(None, &rules).await.expect("registered"), at("a", None));
    }

    #[tokio::test]
    async fn an_endpoint_that_has_the_token_is_found_in_the_error() {
        let exists = mock!(Client::create_platform_endpoint).then_http_response(|| already_exists(&endpoint_arn("x")));
        let rules = [&exists, &finds("x", "new", "true", "jun"), &sets("x")];
        assert_eq!(registered(None, &rules).await.expect("registered"), at("x", Some(owner("jun"))));
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_set_is_used_where_it_is() {
        let taken = mock!(Client::set_endpoint_attributes).then_http_response(|| already_exists(&endpoint_arn("x")));
        let rules = [&finds("a", "old", "true", "mina"), &taken, &finds("x", "new", "true", "jun"), &sets("x")];
        let outcome = registered(Some(endpoint_arn("a")), &rules).await;
        assert_eq!(outcome.expect("registered"), at("x", Some(owner("jun"))));
    }

    #[tokio::test]
    async fn an_endpoint_that_goes_before_it_is_set_is_created_again() {
        let gone = mock!(Client::set_endpoint_attributes)
            .then_http_response(|| sns_error(404, "NotFound", "Endpoint does not exist"));
        let rules = [&finds("a", "old", "true", "mina"), &gone, &creates("b"), &finds("b", "new", "true", "mina")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("b", None));
    }

    #[tokio::test]
    async fn an_endpoint_that_leads_to_anothers_phone_is_left_to_them() {
        let rules = [&finds("a", "theirs", "true", "jun"), &creates("b"), &finds("b", "new", "true", "mina")];
        assert_eq!(registered(Some(endpoint_arn("a")), &rules).await.expect("registered"), at("b", None));
    }

    #[tokio::test]
    async fn what_sns_does_not_take_is_the_clients_to_change() {
        for message in [
            "Invalid parameter: Token Reason: must be at most 8192 bytes long in UTF-8 encoding",
            "Invalid parameter: Attributes Reason: Invalid value for attribute: CustomUserData: must be at most 2048 \
             bytes long in UTF-8 encoding",
        ] {
            let refuses = mock!(Client::create_platform_endpoint)
                .then_http_response(move || sns_error(400, "InvalidParameter", message));
            let Err(Error::Refused(problem)) = registered(None, &[&refuses]).await else { panic!("no refusal") };
            assert_eq!(problem.status, 400);
        }
    }

    #[tokio::test]
    async fn what_is_wrong_with_the_stack_somebody_must_look_at() {
        for (status, code) in [
            (400, "PlatformApplicationDisabled"),
            (403, "AuthorizationError"),
            (404, "NotFound"),
            (400, "InvalidParameter"),
        ] {
            let refuses =
                mock!(Client::create_platform_endpoint).then_http_response(move || sns_error(status, code, "no"));
            let Err(Error::Failed(failure)) = registered(None, &[&refuses]).await else { panic!("no failure") };
            assert_eq!(failure.kind, Kind::Bug, "{code}");
        }
    }

    #[tokio::test]
    async fn what_passes_is_worth_another_try() {
        for (status, code) in [(500, "InternalError"), (429, "Throttled"), (503, "ServiceUnavailable")] {
            let fails =
                mock!(Client::get_endpoint_attributes).then_http_response(move || sns_error(status, code, "busy"));
            let sns = mock_client!(aws_sdk_sns, RuleMode::MatchAny, [&fails]);
            let endpoints = Endpoints::new(sns, APPLICATION.to_owned());
            let outcome =
                register(&endpoints, &owner("mina"), &token("new"), Some(endpoint_arn("a")), async |_, _: &str| Ok(()))
                    .await;
            let Err(Error::Failed(failure)) = outcome else { panic!("no failure") };
            assert_eq!(failure.kind, Kind::Transient, "{code}");
        }
    }
}
