use api::{Problem, ProblemType};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use jiff::{SignedDuration, Timestamp};
use rest_kit::request::{caller, only_parameters};

/// How long ago the user may have signed in, to erase the account or to copy all of it: a stolen token alone must not do.
const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// Parsed request of a signed-in user.
#[derive(Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// `DELETE /v1/me`
    Erase {
        /// The user's `sub`.
        user: &'a str,
        /// The user's name in the user pool.
        username: &'a str,
    },
    /// `POST /v1/me/exports`
    BeginExport {
        /// The user's `sub`.
        user: &'a str,
        /// The user's name in the user pool.
        username: &'a str,
    },
    /// `GET /v1/me/exports/{id}`
    GetExport {
        /// The user's `sub`.
        user: &'a str,
        /// Id of the export.
        id: &'a str,
    },
    /// `GET /v1/me/erasure`
    Progress {
        /// The user's `sub`.
        user: &'a str,
    },
}

impl<'a> Request<'a> {
    /// Parses a request that API Gateway has authorized.
    pub fn parse(request: &'a ApiGatewayV2httpRequest, now: Timestamp) -> Result<Self, Problem> {
        let user = caller(request)?;
        only_parameters(request, &[])?;
        match request.route_key.as_deref() {
            Some("DELETE /v1/me") => {
                is_part_of_keys(user)?;
                has_signed_in_recently(request, now)?;
                let username = claim(request, "username").ok_or_else(Problem::unauthorized)?;
                Ok(Self::Erase { user, username })
            }
            Some("POST /v1/me/exports") => {
                is_part_of_keys(user)?;
                has_signed_in_recently(request, now)?;
                let username = claim(request, "username").ok_or_else(Problem::unauthorized)?;
                Ok(Self::BeginExport { user, username })
            }
            Some("GET /v1/me/exports/{id}") => {
                let id = request.path_parameters.get("id").ok_or_else(Problem::not_found)?;
                Ok(Self::GetExport { user, id })
            }
            Some("GET /v1/me/erasure") => Ok(Self::Progress { user }),
            _ => Err(Problem::not_found()),
        }
    }
}

/// Refuses an id that would lead into the keys of another user. Ids of Cognito are UUIDs.
fn is_part_of_keys(user: &str) -> Result<(), Problem> {
    if user.contains('/') { Err(Problem::unauthorized()) } else { Ok(()) }
}

fn has_signed_in_recently(request: &ApiGatewayV2httpRequest, now: Timestamp) -> Result<(), Problem> {
    let seconds = claim(request, "auth_time").and_then(|seconds| seconds.parse().ok());
    match seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(at) if now.duration_since(at) <= RECENT => Ok(()),
        _ => Err(ProblemType::RecentSignInRequired.into()),
    }
}

/// A claim of the access token, which API Gateway has verified.
fn claim<'a>(request: &'a ApiGatewayV2httpRequest, name: &str) -> Option<&'a str> {
    let jwt = request.request_context.authorizer.as_ref()?.jwt.as_ref()?;
    jwt.claims.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_305_600).expect("a time")
    }

    fn parsed(route: &str, claims: Value) -> Result<String, u16> {
        let request = json!({
            "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": "", "headers": {},
            "isBase64Encoded": false,
            "requestContext": {"http": {"method": "GET"}, "authorizer": {"jwt": {"claims": claims, "scopes": []}}}
        });
        let request = serde_json::from_value(request).expect("a request");
        Request::parse(&request, now()).map(|request| format!("{request:?}")).map_err(|problem| problem.status)
    }

    #[test]
    fn erasure_and_export_need_a_recent_sign_in() {
        for (route, expected) in [
            ("DELETE /v1/me", r#"Erase { user: "mina", username: "m" }"#),
            ("POST /v1/me/exports", r#"BeginExport { user: "mina", username: "m" }"#),
        ] {
            let signed_in =
                |auth_time: &str| parsed(route, json!({"sub": "mina", "username": "m", "auth_time": auth_time}));
            assert_eq!(signed_in("1795305000"), Ok(expected.to_owned()));
            for old in ["1795304999", "", "x", "-1", "99999999999999999999"] {
                assert_eq!(signed_in(old), Err(403), "{route} {old}");
            }
            assert_eq!(parsed(route, json!({"sub": "mina", "username": "m"})), Err(403));
            assert_eq!(parsed(route, json!({"sub": "mina", "auth_time": "1795305000"})), Err(401));
            let other = json!({"sub": "mina/../jun", "username": "m", "auth_time": "1795305000"});
            assert_eq!(parsed(route, other), Err(401));
        }
    }

    #[test]
    fn progress_needs_a_token_only() {
        assert_eq!(parsed("GET /v1/me/erasure", json!({"sub": "mina"})), Ok(r#"Progress { user: "mina" }"#.to_owned()));
        assert_eq!(parsed("GET /v1/me/erasure", json!({})), Err(401));
        assert_eq!(parsed("GET /v1/me", json!({"sub": "mina"})), Err(404));
    }

    #[test]
    fn export_is_read_with_its_id() {
        assert_eq!(parsed("GET /v1/me/exports/{id}", json!({"sub": "mina"})), Err(404), "without an id");
    }

    proptest! {
        #[test]
        fn malformed_claims_erase_no_other_account(sub in malformed_inputs::text(), auth_time in malformed_inputs::text()) {
            let claims = json!({"sub": sub, "username": "m", "auth_time": auth_time});
            if let Ok(request) = parsed("DELETE /v1/me", claims) {
                prop_assert_eq!(request, format!("Erase {{ user: {sub:?}, username: \"m\" }}"));
                prop_assert!(!sub.contains('/') && auth_time.parse::<i64>().is_ok());
            }
        }
    }
}
