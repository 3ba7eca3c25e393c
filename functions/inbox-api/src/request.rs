use std::num::NonZeroU32;

use api::{DEFAULT_NOTIFICATIONS, MAX_NOTIFICATIONS, Problem, ReadNotificationsRequest};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use jiff::Timestamp;
use rest_kit::{
    rate_limit,
    request::{json_body, only_parameters, parameter},
};

/// Far more than a time takes.
const MAX_BODY_BYTES: usize = 1024;

/// Parsed request.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// `GET /v1/notifications?limit=…&cursor=…`
    List { limit: usize, cursor: Option<String> },
    /// `PUT /v1/notifications/read`
    Read { through: Timestamp },
}

impl Request {
    /// Parses a request that API Gateway has authorized (payload format 2.0).
    pub fn parse(request: &ApiGatewayV2httpRequest) -> Result<Self, Problem> {
        match request.route_key.as_deref() {
            Some("GET /v1/notifications") => {
                only_parameters(request, &["limit", "cursor"])?;
                let limit = parameter(request, "limit").as_deref().map_or(Ok(DEFAULT_NOTIFICATIONS), limit)?;
                Ok(Self::List { limit, cursor: parameter(request, "cursor") })
            }
            Some("PUT /v1/notifications/read") => {
                only_parameters(request, &[])?;
                let ReadNotificationsRequest { through } = json_body(request, MAX_BODY_BYTES)?;
                let through = through.parse().map_err(|_| {
                    Problem::invalid_request("`through` must be a time by RFC 3339, such as 2026-11-22T03:04:05.678Z")
                })?;
                Ok(Self::Read { through })
            }
            _ => Err(Problem::not_found()),
        }
    }

    /// What a request costs its caller.
    pub fn cost(request: &ApiGatewayV2httpRequest) -> NonZeroU32 {
        rate_limit::cost(match Self::parse(request) {
            Ok(Self::List { limit, .. }) => limit,
            _ => 1,
        })
    }
}

fn limit(text: &str) -> Result<usize, Problem> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_NOTIFICATIONS).contains(limit));
    limit.ok_or_else(|| Problem::invalid_request(format!("`limit` must be a number from 1 to {MAX_NOTIFICATIONS}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn parsed(route: &str, parameters: &Value, body: &str) -> Result<Request, u16> {
        let request = json!({
            "version": "2.0", "routeKey": route, "rawPath": "/", "headers": {}, "body": body, "isBase64Encoded": false,
            "rawQueryString": serde_urlencoded::to_string(parameters).expect("a query"),
            "requestContext": {"http": {"method": "GET"}}
        });
        Request::parse(&serde_json::from_value(request).expect("a request")).map_err(|problem| problem.status)
    }

    fn list(parameters: &Value) -> Result<Request, u16> {
        parsed("GET /v1/notifications", parameters, "")
    }

    fn read(body: &str) -> Result<Request, u16> {
        parsed("PUT /v1/notifications/read", &json!({}), body)
    }

    #[test]
    fn each_route_is_parsed() {
        assert_eq!(list(&json!({})), Ok(Request::List { limit: 20, cursor: None }));
        let page = Request::List { limit: 50, cursor: Some("c".into()) };
        assert_eq!(list(&json!({"limit": "50", "cursor": "c"})), Ok(page));
        let through = "2026-11-22T00:00:00.5Z".parse().expect("a time");
        assert_eq!(read(r#"{"through": "2026-11-22T09:00:00.500+09:00"}"#), Ok(Request::Read { through }));
    }

    #[test]
    fn invalid_request_returns_its_status() {
        for parameters in [json!({"limit": "0"}), json!({"limit": "51"}), json!({"limit": "x"}), json!({"owner": "x"})]
        {
            assert_eq!(list(&parameters), Err(400), "{parameters}");
        }
        for body in ["", "{}", "null", r#"{"through": 7}"#, r#"{"through": "now"}"#, r#"{"through": "2026-11-22"}"#] {
            assert_eq!(read(body), Err(400), "{body}");
        }
        assert_eq!(read(&format!(r#"{{"through": "{}"}}"#, "2".repeat(2_000))), Err(413));
        assert_eq!(parsed("POST /v1/notifications", &json!({}), ""), Err(404));
    }

    proptest! {
        #[test]
        fn malformed_request_is_parsed_or_a_problem(
            text in malformed_inputs::text(),
            body in malformed_inputs::documents(&[r#"{"through": "2026-11-22T00:00:00.000Z"}"#]),
        ) {
            for name in ["limit", "cursor", "x"] {
                let listed = list(&json!({name: text}));
                prop_assert!(matches!(listed, Ok(_) | Err(400)), "{:?}", listed);
            }
            let read = read(&body);
            prop_assert!(matches!(read, Ok(_) | Err(400 | 413)), "{:?}", read);
        }
    }
}
