use api::{DeviceRegistration, MAX_LANGUAGE_CHARACTERS, NotificationPreferences, Problem};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use domain::push::Preferences;
use rest_kit::request::{caller, json_body, only_parameters};

/// Twice the longest token, so that the problem for a too long token names the token.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Parsed request of a signed-in user.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The user's `sub`.
    pub user: &'a str,
    pub operation: Operation<'a>,
}

/// Operation of the API.
#[derive(Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// `GET /v1/devices`
    ListDevices,
    /// `GET /v1/devices/{id}`
    GetDevice(&'a str),
    /// `PUT /v1/devices/{id}`
    PutDevice(&'a str, DeviceRegistration),
    /// `DELETE /v1/devices/{id}`
    DeleteDevice(&'a str),
    /// `GET /v1/notification-preferences`
    GetPreferences,
    /// `PUT /v1/notification-preferences`
    PutPreferences(Preferences),
}

impl<'a> Request<'a> {
    /// Parses a request that API Gateway has authorized.
    pub fn parse(request: &'a ApiGatewayV2httpRequest) -> Result<Self, Problem> {
        let user = caller(request)?;
        only_parameters(request, &[])?;
        let operation = match request.route_key.as_deref() {
            Some("GET /v1/devices") => Operation::ListDevices,
            Some("GET /v1/devices/{id}") => Operation::GetDevice(id(request)?),
            Some("PUT /v1/devices/{id}") => Operation::PutDevice(id(request)?, registration(request)?),
            Some("DELETE /v1/devices/{id}") => Operation::DeleteDevice(id(request)?),
            Some("GET /v1/notification-preferences") => Operation::GetPreferences,
            Some("PUT /v1/notification-preferences") => Operation::PutPreferences(preferences(request)?),
            _ => return Err(Problem::not_found()),
        };
        Ok(Self { user, operation })
    }
}

/// The device's id, chosen by the app, such as a UUID. It must not start with a dot, because clients and proxies
/// resolve `.` and `..` in paths.
fn id(request: &ApiGatewayV2httpRequest) -> Result<&str, Problem> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let id = request.path_parameters.get("id").map(String::as_str);
    id.filter(|id| (1..=64).contains(&id.len()) && id.bytes().all(allowed) && !id.starts_with('.')).ok_or_else(|| {
        Problem::invalid_request(
            "the device id must be 1 to 64 characters of `A-Z a-z 0-9 . _ -` and must not start with a dot",
        )
    })
}

fn registration(request: &ApiGatewayV2httpRequest) -> Result<DeviceRegistration, Problem> {
    let registration: DeviceRegistration = json_body(request, MAX_BODY_BYTES)?;
    if registration.language.as_deref().is_some_and(|language| !is_language_tag(language)) {
        return Err(Problem::invalid_request("`language` must be a BCP 47 tag, such as ko or en-US"));
    }
    Ok(registration)
}

fn preferences(request: &ApiGatewayV2httpRequest) -> Result<Preferences, Problem> {
    let preferences: NotificationPreferences = json_body(request, MAX_BODY_BYTES)?;
    preferences.try_into().map_err(|error| Problem::invalid_request(format!("`quietHours`: {error}")))
}

/// Whether `text` has the form of a BCP 47 tag: a language, followed by subtags.
fn is_language_tag(text: &str) -> bool {
    let mut subtags = text.split('-');
    let language = subtags.next().unwrap_or_default();
    text.len() <= MAX_LANGUAGE_CHARACTERS
        && (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use domain::push::{Category, MAX_TOKEN_BYTES, Platform, Token};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::tests::fixtures::request;

    /// Status and detail of the problem.
    fn problem(route: &str, id: &str, body: &str) -> (u16, String) {
        let request = request("mina", route, id, body);
        let problem = Request::parse(&request).expect_err("a problem");
        (problem.status, problem.detail.unwrap_or_default())
    }

    fn body(token: &str, more: Value) -> String {
        let mut body = json!({"token": token, "platform": "android"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body.to_string()
    }

    #[test]
    fn each_route_is_parsed_for_the_caller() {
        let token = || Token::try_from("t".to_owned()).expect("a token");
        let registration =
            DeviceRegistration { token: token(), platform: Platform::Android, language: Some("ko".into()) };
        let preferences = Preferences { muted: [Category::Likes].into(), ..Preferences::default() };
        for (route, body, operation) in [
            ("GET /v1/devices", "", Operation::ListDevices),
            ("GET /v1/devices/{id}", "", Operation::GetDevice("phone-1")),
            (
                "PUT /v1/devices/{id}",
                &*body("t", json!({"language": "ko"})),
                Operation::PutDevice("phone-1", registration),
            ),
            ("DELETE /v1/devices/{id}", "", Operation::DeleteDevice("phone-1")),
            ("GET /v1/notification-preferences", "", Operation::GetPreferences),
            ("PUT /v1/notification-preferences", r#"{"muted": ["likes"]}"#, Operation::PutPreferences(preferences)),
        ] {
            let request = request("mina", route, "phone-1", body);
            assert_eq!(Request::parse(&request), Ok(Request { user: "mina", operation }));
        }
    }

    #[test]
    fn missing_caller_returns_401_before_other_problems() {
        for route in ["GET /v1/devices", "PUT /v1/devices/{id}", "PUT /v1/notification-preferences", "GET /v1/x"] {
            let request = request("", route, "!", "!");
            assert_eq!(Request::parse(&request).expect_err("a problem").status, 401, "{route}");
        }
    }

    #[test]
    fn invalid_device_id_returns_400() {
        for id in ["", "a/b", "a b", "기기", "a#b", ".", "..", ".a", &"x".repeat(65)] {
            for route in ["GET /v1/devices/{id}", "PUT /v1/devices/{id}", "DELETE /v1/devices/{id}"] {
                assert_eq!(problem(route, id, "").0, 400, "{route} {id}");
            }
        }
        let longest = "x".repeat(64);
        for id in ["0b4bd6f5-93a9-4f0c-9c5f-0f4b0a5ee9a3", "A._-9", &longest] {
            assert!(Request::parse(&request("mina", "GET /v1/devices/{id}", id, "")).is_ok(), "{id}");
        }
    }

    #[test]
    fn invalid_registration_returns_problem_with_reason() {
        let long = "x".repeat(MAX_TOKEN_BYTES + 1);
        for (body, status, reason) in [
            ("", 400, "EOF"),
            ("[]", 400, "expected an object"),
            (r#"["t", "ios"]"#, 400, "expected an object"),
            (r#"{"token": null, "platform": "ios"}"#, 400, "invalid type: null"),
            (&*body("t", json!({"user": "mina"})), 400, "unknown field `user`"),
            (&*body(&long, json!({})), 400, "at most 8192 bytes"),
            (&*body(&"x".repeat(20_000), json!({})), 413, "at most 16384 bytes"),
            (&*body("", json!({})), 400, "must not be empty"),
            (&*body("a b", json!({})), 400, "printable ASCII"),
            (&*body("t", json!({"platform": "windows"})), 400, "unknown variant"),
            (&*body("t", json!({"language": "한국어"})), 400, "BCP 47"),
            (&*body("t", json!({"language": "k"})), 400, "BCP 47"),
            (&*body("t", json!({"language": "ko--KR"})), 400, "BCP 47"),
            (r#"{"token": "t"}"#, 400, "missing field `platform`"),
        ] {
            let (found, detail) = problem("PUT /v1/devices/{id}", "phone", body);
            assert_eq!(found, status, "{detail}");
            assert!(detail.contains(reason), "{detail}");
        }
        for language in ["ko", "en-US", "zh-Hant-TW", "sr-Latn-RS"] {
            assert!(is_language_tag(language), "{language}");
        }
    }

    #[test]
    fn invalid_preferences_return_problem_with_reason() {
        let hours = |zone| json!({"quietHours": {"from": "22:00", "to": "07:00", "timeZone": zone}}).to_string();
        for (body, reason) in [
            (&*hours("Asia/Busan"), "IANA name"),
            (r#"{"quietHours": {"from": "22", "to": "07:00", "timeZone": "UTC"}}"#, "`from` must be a time of day"),
            (r#"{"quietHours": {"from": "22:00", "to": "07:00", "time_zone": "UTC"}}"#, "unknown field"),
            (r#"{"quietHours": ["22:00", "07:00", "UTC"]}"#, "expected an object"),
            ("[]", "expected an object"),
            (r#"{"muted": ["everything"]}"#, "unknown variant"),
            (r#"{"mute": []}"#, "unknown field"),
            (r#"{"hideContent": "yes"}"#, "expected a boolean"),
            (r#"{"hideContent": 1}"#, "expected a boolean"),
        ] {
            let (status, detail) = problem("PUT /v1/notification-preferences", "", body);
            assert_eq!(status, 400);
            assert!(detail.contains(reason), "{detail}");
        }
    }

    #[test]
    fn null_is_read_as_absent() {
        fn parsed(route: &str, body: &str) -> Result<String, Problem> {
            Request::parse(&request("mina", route, "phone", body)).map(|request| format!("{request:?}"))
        }
        for (route, with_null, without) in [
            ("PUT /v1/devices/{id}", body("t", json!({"language": null})), body("t", json!({}))),
            (
                "PUT /v1/notification-preferences",
                r#"{"muted": null, "quietHours": null, "hideContent": null}"#.to_owned(),
                "{}".to_owned(),
            ),
        ] {
            let read = parsed(route, &with_null);
            assert!(read.is_ok(), "{read:?}");
            assert_eq!(read, parsed(route, &without));
        }
    }

    #[test]
    fn unknown_route_returns_404() {
        assert_eq!(problem("POST /v1/devices", "phone", "").0, 404);
    }

    proptest! {
        #[test]
        fn malformed_request_is_parsed_or_a_problem(
            body in malformed_inputs::documents(&[
                r#"{"token":"abc:def","platform":"android","language":"ko-KR"}"#,
                r#"{"muted":["likes"],"quietHours":{"from":"22:00","to":"07:00","timeZone":"Asia/Seoul"},"hideContent":true}"#,
            ]),
            id in prop_oneof!["[A-Za-z0-9._-]{1,70}", malformed_inputs::text()],
        ) {
            for route in ["GET /v1/devices/{id}", "PUT /v1/devices/{id}", "PUT /v1/notification-preferences"] {
                let request = request("mina", route, &id, &body);
                match Request::parse(&request).map(|request| request.operation) {
                    Ok(Operation::GetDevice(id) | Operation::PutDevice(id, _)) => {
                        prop_assert!(id.is_ascii() && !id.contains(['/', '#', '\0']) && (1..=64).contains(&id.len()));
                    }
                    Ok(_) => {}
                    Err(problem) => prop_assert!(matches!(problem.status, 400 | 413), "{:?}", problem),
                }
            }
        }
    }
}
