//! `ops smoke` on the deployed stack.

use domain::push::Platform;
use mobile_push::{Profile, Reachability};
use serde_json::{Value, json};
use test_support::wait::{TIMEOUT, wait_until};
use uuid::Uuid;

use super::{STACK, run_ops_on};
use crate::deployed::Deployed;

/// The token of a new phone.
async fn phone(deployed: &Deployed, reach: Reachability) -> String {
    let token = format!("test-{}", Uuid::new_v4());
    let phones = deployed.stack.mobile_push();
    let profile = Profile { name: "smoke".into(), language: "ko".into(), platform: Platform::Android };
    phones.register_phone(&token, &profile).await.expect("phone");
    phones.set_reachability(&token, reach).await.expect("reachability");
    token
}

/// Runs `ops smoke`. Each check may take as long as a test may wait: the stack is shared with other tests.
async fn run_smoke(deployed: &Deployed, token: &str) -> Value {
    let timeout = TIMEOUT.as_secs().to_string();
    run_ops_on(deployed, STACK, &["smoke", "--push-token", token, "--timeout", &timeout]).await
}

/// Subjects and texts of the findings of a level.
fn of_level<'a>(report: &'a Value, level: &str) -> Vec<(&'a str, &'a str)> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let findings = findings.filter(|finding| finding["level"] == level);
    findings
        .map(|finding| (finding["subject"].as_str().expect("text"), finding["text"].as_str().expect("text")))
        .collect()
}

/// Other tests cause alarms.
fn failures(report: &Value) -> Vec<(&str, &str)> {
    of_level(report, "fails").into_iter().filter(|(subject, _)| *subject != "alarms").collect()
}

#[tokio::test]
async fn smoke_finds_nothing_and_notifies_the_phone_once() {
    let deployed = Deployed::shared().await;
    let token = phone(&deployed, Reachability::Online).await;
    let report = run_smoke(&deployed, &token).await;
    assert_eq!(failures(&report), [], "{report}");
    let fine: Vec<_> = of_level(&report, "fine").into_iter().map(|(subject, _)| subject).collect();
    for subject in [
        "sign-in",
        "ID token",
        "upload",
        "picture",
        "recording",
        "originals",
        "search",
        "push",
        "recursion",
        "event source",
    ] {
        assert!(fine.contains(&subject), "{subject}: {report}");
    }
    let screen = deployed.stack.mobile_push().phone(&token).await.expect("phone").screen;
    assert_eq!(screen.len(), 1, "{screen:?}");
    // Nothing stays, of this run or of the other test's, which may not have ended yet.
    let filter = json!({"UserPoolId": deployed.output("UserPoolId"), "Filter": "email ^= \"smoke-\""});
    wait_until("the end of the accounts of smoke tests", async || {
        let found = deployed.aws.json("cognito-idp", "AWSCognitoIdentityProviderService.ListUsers", &filter).await;
        found.expect("accounts")["Users"] == json!([])
    })
    .await;
}

#[tokio::test]
async fn smoke_fails_where_a_token_is_dead_or_an_alarm_is_on() {
    let deployed = Deployed::shared().await;
    let token = phone(&deployed, Reachability::Stale).await;
    let alarm = format!("iyagi-smoke-{}", Uuid::new_v4());
    let put = [
        ("Action", "PutMetricAlarm"),
        ("Version", "2010-08-01"),
        ("AlarmName", alarm.as_str()),
        ("Namespace", "IYAGI"),
        ("MetricName", "None"),
        ("Statistic", "Sum"),
        ("Period", "60"),
        ("EvaluationPeriods", "1"),
        ("Threshold", "1"),
        ("ComparisonOperator", "GreaterThanOrEqualToThreshold"),
    ];
    deployed.aws.query("monitoring", &put).await.expect("alarm");
    let set = [
        ("Action", "SetAlarmState"),
        ("Version", "2010-08-01"),
        ("AlarmName", alarm.as_str()),
        ("StateValue", "ALARM"),
        ("StateReason", "test"),
    ];
    deployed.aws.query("monitoring", &set).await.expect("state");
    let report = run_smoke(&deployed, &token).await;
    let delete = [("Action", "DeleteAlarms"), ("Version", "2010-08-01"), ("AlarmNames.member.1", alarm.as_str())];
    deployed.aws.query("monitoring", &delete).await.expect("deleted");
    assert_eq!(failures(&report), [("push", "FCM refuses the token: the device was removed")], "{report}");
    let alarms = of_level(&report, "fails").into_iter().find(|(subject, _)| *subject == "alarms");
    assert!(alarms.is_some_and(|(_, text)| text.contains(&alarm)), "{report}");
}
