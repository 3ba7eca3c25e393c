//! Sign-in and sign-out with failures and concurrent requests.

use api::DeviceRegistration;
use domain::push::Platform;
use jiff::Timestamp;
use rest_kit::response::HandlerError;
use store::devices::Device;

use super::{
    fake_aws::FakeAws,
    fixtures::{endpoint_arn, token},
};
use crate::devices::{self, MAX_DEVICES};

async fn sign_in(aws: &FakeAws, user: &str, id: &str, token_text: &str, now: i64) -> Result<Device, HandlerError> {
    let registration =
        DeviceRegistration { token: token(token_text), platform: Platform::Ios, language: Some("ko".into()) };
    let now = Timestamp::from_second(now).expect("a time");
    devices::sign_in(&aws.ports(), now, user, id, registration).await
}

async fn sign_out(aws: &FakeAws, user: &str, id: &str) -> Result<(), HandlerError> {
    devices::sign_out(&aws.ports(), user, id).await
}

/// Ids of a user's devices.
async fn device_ids(aws: &FakeAws, user: &str) -> Vec<String> {
    let devices = aws.ports().table.list(user).await.expect("devices");
    devices.into_iter().map(|device| device.id).collect()
}

#[tokio::test]
async fn sign_in_stores_row_and_endpoint_and_sign_out_deletes_them() {
    let aws = FakeAws::default();
    let device = sign_in(&aws, "mina", "phone", "t", 1).await.expect("signed in");
    assert_eq!(aws.ports().table.get("mina", "phone").await.expect("a row"), Some(device));
    assert_eq!(aws.state().users_at("t"), ["mina"]);
    for _ in 0..2 {
        sign_out(&aws, "mina", "phone").await.expect("signed out");
        let state = aws.state();
        assert!(state.rows.is_empty() && state.endpoints.is_empty());
    }
}

#[tokio::test]
async fn repeated_sign_in_updates_last_seen_only() {
    let aws = FakeAws::default();
    let first = sign_in(&aws, "mina", "phone", "t", 1).await.expect("signed in");
    aws.state().calls.clear();
    let second = sign_in(&aws, "mina", "phone", "t", 2).await.expect("signed in");
    assert_eq!(second, Device { last_seen: Timestamp::from_second(2).expect("a time"), ..first });
    assert_eq!(aws.state().calls, ["query", "query", "get endpoint", "put row"]);
}

#[tokio::test]
async fn new_token_replaces_old_token_of_endpoint() {
    let aws = FakeAws::default();
    let first = sign_in(&aws, "mina", "phone", "old", 1).await.expect("signed in");
    let second = sign_in(&aws, "mina", "phone", "new", 2).await.expect("signed in");
    assert_eq!(first.endpoint_arn, second.endpoint_arn);
    let state = aws.state();
    assert_eq!((state.users_at("old"), state.users_at("new")), (vec![], vec!["mina"]));
    assert_eq!((state.endpoints.len(), state.rows.len()), (1, 1));
}

#[tokio::test]
async fn new_token_with_existing_endpoint_deletes_old_endpoint() {
    let aws = FakeAws::default();
    sign_in(&aws, "jun", "his", "new", 1).await.expect("signed in");
    sign_in(&aws, "mina", "phone", "old", 2).await.expect("signed in");
    // Jun gave his phone to Mina without signing out.
    sign_in(&aws, "mina", "phone", "new", 3).await.expect("signed in");
    let state = aws.state();
    assert_eq!((state.users_at("old"), state.users_at("new")), (vec![], vec!["mina"]));
    assert_eq!((state.endpoints.len(), state.rows.len()), (1, 1));
}

#[tokio::test]
async fn sign_in_of_other_user_revokes_token_of_previous_user() {
    for index_is_stale in [false, true] {
        let aws = FakeAws::default();
        sign_in(&aws, "mina", "phone", "t", 1).await.expect("signed in");
        aws.state().index_is_stale = index_is_stale;
        let device = sign_in(&aws, "jun", "phone", "t", 2).await.expect("signed in");
        assert_eq!(device.endpoint_arn, endpoint_arn("e1"));
        assert_eq!(aws.state().users_at("t"), ["jun"]);
        assert!(device_ids(&aws, "mina").await.is_empty());
        // A late sign-out of the previous user does not affect the new one.
        sign_out(&aws, "mina", "phone").await.expect("signed out");
        assert_eq!(aws.state().users_at("t"), ["jun"]);
    }
}

#[tokio::test]
async fn failure_at_any_call_leaks_to_no_other_user_and_retry_succeeds() {
    for index_is_stale in [false, true] {
        for calls_until_failure in 0.. {
            let aws = FakeAws::default();
            sign_in(&aws, "mina", "phone", "t", 1).await.expect("signed in");
            sign_in(&aws, "jun", "phone", "u", 1).await.expect("signed in");
            aws.state().index_is_stale = index_is_stale;
            aws.state().calls_until_failure = Some(calls_until_failure);
            let outcome = sign_in(&aws, "jun", "phone", "t", 2).await;
            aws.state().calls_until_failure = None;
            // A second user at the same token would be the wrong one.
            let reached = aws.state().users_at("t").len();
            assert!(reached <= 1, "{reached} after {calls_until_failure} calls");
            if outcome.is_ok() {
                assert!(calls_until_failure >= 6, "only {calls_until_failure} calls");
                break;
            }
            sign_in(&aws, "jun", "phone", "t", 3).await.expect("signed in");
            assert_eq!(aws.state().users_at("t"), ["jun"], "after {calls_until_failure} calls");
            assert!(aws.state().users_at("u").is_empty());
            assert!(device_ids(&aws, "mina").await.is_empty());
        }
    }
}

#[tokio::test]
async fn sign_out_failing_after_row_is_deleted_stops_notifications() {
    // The first two calls read and delete the row.
    for calls_until_failure in 2..4 {
        let aws = FakeAws::default();
        sign_in(&aws, "mina", "phone", "t", 1).await.expect("signed in");
        aws.state().calls_until_failure = Some(calls_until_failure);
        sign_out(&aws, "mina", "phone").await.expect_err("a failure");
        aws.state().calls_until_failure = None;
        assert!(aws.state().rows.is_empty());
        sign_out(&aws, "mina", "phone").await.expect("signed out");
        // The next user takes over the endpoint that is left.
        sign_in(&aws, "jun", "phone", "t", 2).await.expect("signed in");
        let state = aws.state();
        assert_eq!((state.users_at("t"), state.endpoints.len()), (vec!["jun"], 1));
    }
}

#[tokio::test]
async fn sign_in_with_concurrent_change_is_retried() {
    let aws = FakeAws::default();
    sign_in(&aws, "mina", "phone", "old", 1).await.expect("signed in");
    // The device is signed out just before the row is written.
    aws.state().before_put = Some(Box::new(|state| {
        state.rows.clear();
        state.endpoints.clear();
    }));
    sign_in(&aws, "mina", "phone", "new", 2).await.expect("signed in");
    let state = aws.state();
    assert_eq!((state.users_at("new"), state.endpoints.len()), (vec!["mina"], 1));
}

#[tokio::test]
async fn endpoint_of_former_application_is_ignored() {
    let aws = FakeAws::default();
    let device = sign_in(&aws, "mina", "phone", "t", 1).await.expect("signed in");
    let former_arn = "arn:aws:sns:ap-northeast-2:123456789012:endpoint/GCM/iyagi-push-2/e1".to_owned();
    let moved = Device { endpoint_arn: former_arn, ..device.clone() };
    aws.ports().table.put(&moved, Some(&device)).await.expect("stored");
    let again = sign_in(&aws, "mina", "phone", "t", 2).await.expect("signed in");
    assert_eq!(again.endpoint_arn, device.endpoint_arn);
    assert_eq!(aws.state().users_at("t"), ["mina"]);
}

#[tokio::test]
async fn sign_in_beyond_max_devices_removes_oldest() {
    let aws = FakeAws::default();
    for number in 0..MAX_DEVICES {
        // The second device has the oldest `last_seen`.
        let seen = if number == 1 { 0 } else { 100 + i64::try_from(number).expect("small") };
        sign_in(&aws, "mina", &format!("d{number}"), &format!("t{number}"), seen).await.expect("signed in");
    }
    assert_eq!(device_ids(&aws, "mina").await.len(), MAX_DEVICES);
    // A sign-in on a known device removes none.
    sign_in(&aws, "mina", "d0", "t0", 200).await.expect("signed in");
    assert_eq!(device_ids(&aws, "mina").await.len(), MAX_DEVICES);
    sign_in(&aws, "mina", "new", "t", 300).await.expect("signed in");
    let left = device_ids(&aws, "mina").await;
    assert_eq!(left.len(), MAX_DEVICES);
    assert!(!left.contains(&"d1".to_owned()) && left.contains(&"new".to_owned()));
    let state = aws.state();
    assert!(state.users_at("t1").is_empty() && state.endpoints.len() == MAX_DEVICES);
}
