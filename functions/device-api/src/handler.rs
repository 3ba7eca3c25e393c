use api::{Device, DeviceList, NotificationPreferences, Problem};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use jiff::Timestamp;
use rest_kit::response::{failed, json, no_content, problem};

use crate::{
    devices::{self, Ports},
    error::Error,
    request::{Request, Wish},
};

/// Answers one request; a failure is an answer, too.
pub async fn handle(ports: &Ports, now: Timestamp, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    match answer(ports, now, request).await {
        Ok(answer) => answer,
        Err(Error::Refused(refusal)) => problem(&refusal),
        Err(Error::Failed(failure)) => failed(request, &failure),
    }
}

async fn answer(
    ports: &Ports,
    now: Timestamp,
    request: &ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse, Error> {
    let Request { user, wish } = Request::parse(request)?;
    Ok(match wish {
        Wish::ListDevices => {
            let devices = ports.table.list(user).await?;
            json(&DeviceList { items: devices.into_iter().map(shown).collect() })
        }
        Wish::GetDevice(id) => {
            let device = ports.table.get(user, id).await?.ok_or_else(Problem::not_found)?;
            json(&shown(device))
        }
        Wish::PutDevice(id, registration) => json(&shown(devices::sign_in(ports, now, user, id, registration).await?)),
        Wish::DeleteDevice(id) => {
            devices::sign_out(ports, user, id).await?;
            no_content()
        }
        Wish::GetPreferences => json(&NotificationPreferences::from(ports.table.preferences(user).await?)),
        Wish::PutPreferences(preferences) => {
            ports.table.put_preferences(user, &preferences).await?;
            json(&NotificationPreferences::from(preferences))
        }
    })
}

/// A device as its user sees it: without token and endpoint, which only phones and SNS need.
fn shown(device: store::devices::Device) -> Device {
    let store::devices::Device { id, platform, language, last_seen, .. } = device;
    Device { id, platform, language, last_seen: format!("{last_seen:.3}") }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::encodings::Body;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{World, request};

    /// Status and body of the answer.
    async fn ask(world: &World, user: &str, route: &str, id: &str, body: Value) -> (i64, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let now = "2026-11-22T01:02:03.004Z".parse().expect("a time");
        let answer = handle(&world.ports(), now, &request(user, route, id, &body)).await;
        let body = match answer.body {
            Some(Body::Text(text)) => serde_json::from_str(&text).expect("JSON"),
            _ => Value::Null,
        };
        (answer.status_code, body)
    }

    #[tokio::test]
    async fn a_device_comes_is_shown_and_goes() {
        let world = World::default();
        let registration = json!({"token": "secret", "platform": "android", "language": "ko"});
        let shown =
            json!({"id": "phone", "platform": "android", "language": "ko", "lastSeen": "2026-11-22T01:02:03.004Z"});
        let put = ask(&world, "mina", "PUT /v1/devices/{id}", "phone", registration).await;
        assert_eq!(put, (200, shown.clone()));
        assert_eq!(ask(&world, "mina", "GET /v1/devices/{id}", "phone", Value::Null).await, (200, shown.clone()));
        let list = ask(&world, "mina", "GET /v1/devices", "", Value::Null).await;
        assert_eq!(list, (200, json!({"items": [shown]})));
        for _ in 0..2 {
            assert_eq!(ask(&world, "mina", "DELETE /v1/devices/{id}", "phone", Value::Null).await, (204, Value::Null));
        }
        assert_eq!(ask(&world, "mina", "GET /v1/devices/{id}", "phone", Value::Null).await.0, 404);
    }

    #[tokio::test]
    async fn nobody_sees_or_removes_anothers_device() {
        let world = World::default();
        let registration = json!({"token": "secret", "platform": "ios"});
        ask(&world, "mina", "PUT /v1/devices/{id}", "phone", registration).await;
        assert_eq!(ask(&world, "jun", "GET /v1/devices/{id}", "phone", Value::Null).await.0, 404);
        assert_eq!(ask(&world, "jun", "GET /v1/devices", "", Value::Null).await.1, json!({"items": []}));
        assert_eq!(ask(&world, "jun", "DELETE /v1/devices/{id}", "phone", Value::Null).await.0, 204);
        assert_eq!(world.state().reached_at("secret"), ["mina"]);
    }

    #[tokio::test]
    async fn preferences_are_kept() {
        let world = World::default();
        let route = "GET /v1/notification-preferences";
        assert_eq!(ask(&world, "mina", route, "", Value::Null).await, (200, json!({"muted": []})));
        let chosen = json!({
            "muted": ["likes"], "quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Asia/Seoul"}
        });
        let put = ask(&world, "mina", "PUT /v1/notification-preferences", "", chosen.clone()).await;
        assert_eq!(put, (200, chosen.clone()));
        assert_eq!(ask(&world, "mina", route, "", Value::Null).await, (200, chosen));
        assert_eq!(ask(&world, "jun", route, "", Value::Null).await, (200, json!({"muted": []})));
    }

    #[tokio::test]
    async fn a_failing_table_is_no_reason_to_give_up() {
        let world = World::default();
        world.state().calls_until_failure = Some(0);
        let now = Timestamp::UNIX_EPOCH;
        let answer = handle(&world.ports(), now, &request("mina", "GET /v1/devices", "", "")).await;
        assert_eq!(answer.status_code, 503);
        assert!(answer.headers.contains_key("retry-after"));
    }

    #[tokio::test]
    async fn a_refusal_says_why_and_repeats_no_token() {
        let world = World::default();
        let long = format!("secret{}", "x".repeat(9_000));
        let (status, problem) =
            ask(&world, "mina", "PUT /v1/devices/{id}", "phone", json!({"token": long, "platform": "ios"})).await;
        assert_eq!((status, &problem["type"]), (400, &json!("urn:iyagi:problem:invalid-request")));
        assert!(!problem.to_string().contains("secret"), "{problem}");
        assert!(world.state().calls.is_empty());
    }
}
