//! Requests of CloudFormation, calls of SNS, and responses.

use std::collections::HashMap;

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_sdk_sns::{
    Client,
    operation::{
        create_platform_application::CreatePlatformApplicationOutput,
        delete_platform_application::DeletePlatformApplicationOutput,
        set_platform_application_attributes::SetPlatformApplicationAttributesOutput,
    },
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::body::SdkBody;
use function_kit::aws;
use serde_json::{Value, json};

use super::fake_cloudformation::{ARN, ResponseBucket, properties, request, service_account};
use crate::{
    application::Applications,
    credentials::Credentials,
    event::{Request, Response},
    handler::{Ports, handle},
    response_sender::ResponseSender,
};

const OTHER: &str = "arn:aws:sns:ap-northeast-2:123456789012:app/GCM/other-push";

fn ports(secret: String, rules: &[&Rule]) -> Ports {
    let read = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
        .match_requests(|request| request.secret_id() == Some("arn:secret"))
        .then_output(move || GetSecretValueOutput::builder().secret_string(secret.clone()).build());
    Ports {
        applications: Applications { sns: mock_client!(aws_sdk_sns, RuleMode::Sequential, rules) },
        credentials: Credentials { secrets: mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&read]) },
        responses: ResponseSender { http: aws::http_connector() },
    }
}

/// The response to a request. Calls of SNS match `rules` in this order, each once.
async fn response_to(request_type: &str, fields: Value, rules: &[&Rule]) -> Value {
    let bucket = ResponseBucket::start(0).await;
    handle(&ports(service_account(), rules), request(&bucket, request_type, fields)).await.expect("a response");
    let calls: Vec<_> = rules.iter().map(|rule| rule.num_calls()).collect();
    assert!(calls.iter().all(|calls| *calls == 1), "calls of each rule: {calls:?}");
    let [response] = <[Value; 1]>::try_from(bucket.responses()).expect("one response");
    response
}

fn success(id: &str) -> Value {
    json!({
        "Status": "SUCCESS", "Reason": "", "PhysicalResourceId": id, "LogicalResourceId": "PlatformApplication",
        "StackId": "arn:aws:cloudformation:ap-northeast-2:123456789012:stack/iyagi/0b4bd6f5",
        "RequestId": "request-1"
    })
}

fn are_expected(attributes: Option<&HashMap<String, String>>, fields: &[(&str, &str)]) -> bool {
    let mut expected = HashMap::from([("PlatformCredential".to_owned(), service_account())]);
    expected.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    attributes == Some(&expected)
}

fn creates(name: &'static str, fields: &'static [(&str, &str)], arn: &'static str) -> Rule {
    mock!(Client::create_platform_application)
        .match_requests(move |request| {
            request.name() == Some(name)
                && request.platform() == Some("GCM")
                && are_expected(request.attributes(), fields)
        })
        .then_output(move || CreatePlatformApplicationOutput::builder().platform_application_arn(arn).build())
}

fn sets(fields: &'static [(&str, &str)]) -> Rule {
    mock!(Client::set_platform_application_attributes)
        .match_requests(move |request| {
            request.platform_application_arn() == Some(ARN) && are_expected(request.attributes(), fields)
        })
        .then_output(|| SetPlatformApplicationAttributesOutput::builder().build())
}

fn sns_error(status: u16, code: &str, message: &str) -> HttpResponse {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    );
    HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body))
}

#[tokio::test]
async fn create_uses_service_account_without_principal() {
    assert_eq!(response_to("Create", json!({}), &[&creates("iyagi-push", &[], ARN)]).await, success(ARN));
}

#[tokio::test]
async fn topics_of_the_template_are_set() {
    let mut properties = properties("iyagi-push");
    properties["EventDeliveryFailure"] = json!("arn:topic-1");
    properties["EventEndpointUpdated"] = json!("arn:topic-2");
    let topics = &[("EventDeliveryFailure", "arn:topic-1"), ("EventEndpointUpdated", "arn:topic-2")];
    let rules = [&creates("iyagi-push", topics, ARN)];
    let response = response_to("Create", json!({"ResourceProperties": properties}), &rules).await;
    assert_eq!(response, success(ARN));
}

#[tokio::test]
async fn roles_for_delivery_logs_are_set() {
    let mut properties = properties("iyagi-push");
    properties["FailureFeedbackRoleArn"] = json!("arn:role");
    properties["SuccessFeedbackRoleArn"] = json!("arn:role");
    properties["SuccessFeedbackSampleRate"] = json!("1");
    let attributes = &[
        ("FailureFeedbackRoleArn", "arn:role"),
        ("SuccessFeedbackRoleArn", "arn:role"),
        ("SuccessFeedbackSampleRate", "1"),
    ];
    let rules = [&creates("iyagi-push", attributes, ARN)];
    let response = response_to("Create", json!({"ResourceProperties": properties}), &rules).await;
    assert_eq!(response, success(ARN));
}

#[tokio::test]
async fn repeated_create_updates_existing_application() {
    let exists = mock!(Client::create_platform_application).then_http_response(|| {
        sns_error(400, "InvalidParameter", "Invalid parameter: This application already exists with other attributes")
    });
    assert_eq!(response_to("Create", json!({}), &[&exists, &sets(&[])]).await, success(ARN));
}

#[tokio::test]
async fn update_with_new_credential_keeps_application() {
    let fields = json!({"PhysicalResourceId": ARN, "OldResourceProperties": properties("iyagi-push")});
    assert_eq!(response_to("Update", fields, &[&sets(&[])]).await, success(ARN));
}

#[tokio::test]
async fn topic_removed_from_template_is_removed() {
    let mut old = properties("iyagi-push");
    old["EventDeliveryFailure"] = json!("arn:topic");
    let fields = json!({"PhysicalResourceId": ARN, "OldResourceProperties": old});
    assert_eq!(response_to("Update", fields, &[&sets(&[("EventDeliveryFailure", "")])]).await, success(ARN));
}

#[tokio::test]
async fn update_of_deleted_application_creates_it() {
    let gone = mock!(Client::set_platform_application_attributes)
        .then_http_response(|| sns_error(404, "NotFound", "PlatformApplication does not exist"));
    let rules = [&gone, &creates("iyagi-push", &[], ARN)];
    assert_eq!(response_to("Update", json!({"PhysicalResourceId": ARN}), &rules).await, success(ARN));
}

#[tokio::test]
async fn update_with_new_name_creates_new_application() {
    // CloudFormation deletes the old application afterwards, because the physical id has changed.
    let fields = json!({"PhysicalResourceId": ARN, "ResourceProperties": properties("other-push")});
    assert_eq!(response_to("Update", fields, &[&creates("other-push", &[], OTHER)]).await, success(OTHER));
}

#[tokio::test]
async fn delete_of_missing_or_never_created_application_succeeds() {
    let deletes = mock!(Client::delete_platform_application)
        .match_requests(|request| request.platform_application_arn() == Some(ARN))
        .then_output(|| DeletePlatformApplicationOutput::builder().build());
    let gone = mock!(Client::delete_platform_application)
        .then_http_response(|| sns_error(404, "NotFound", "PlatformApplication does not exist"));
    for rule in [deletes, gone] {
        assert_eq!(response_to("Delete", json!({"PhysicalResourceId": ARN}), &[&rule]).await, success(ARN));
    }
    let never = "PlatformApplication-was-not-created";
    let fields = json!({"PhysicalResourceId": never, "ResourceProperties": {}});
    assert_eq!(response_to("Delete", fields, &[]).await, success(never));
}

#[tokio::test]
async fn failed_create_returns_reason_and_id_that_can_be_deleted() {
    let rejects = mock!(Client::create_platform_application)
        .then_http_response(|| sns_error(400, "InvalidParameter", "Invalid parameter: PlatformCredential"));
    let failed = response_to("Create", json!({}), &[&rejects]).await;
    assert_eq!(failed["Status"], "FAILED");
    assert!(failed["Reason"].as_str().expect("a reason").contains("PlatformCredential"), "{failed}");
    assert!(!failed.to_string().contains("PRIVATE KEY"), "{failed}");
    let id = failed["PhysicalResourceId"].clone();
    assert_eq!(response_to("Delete", json!({"PhysicalResourceId": id}), &[]).await["Status"], "SUCCESS");
    // A failed deletion returns the same id.
    let rejects =
        mock!(Client::delete_platform_application).then_http_response(|| sns_error(403, "AuthorizationError", "no"));
    let failed = response_to("Delete", json!({"PhysicalResourceId": ARN}), &[&rejects]).await;
    assert_eq!((&failed["Status"], &failed["PhysicalResourceId"]), (&json!("FAILED"), &json!(ARN)));
}

#[tokio::test]
async fn invalid_properties_return_failed() {
    for properties in [json!({}), json!({"Name": "x"}), json!("x"), Value::Null] {
        let failed = response_to("Create", json!({"ResourceProperties": properties}), &[]).await;
        assert_eq!(failed["Status"], "FAILED");
    }
}

#[tokio::test]
async fn secret_without_service_account_returns_failed_without_its_text() {
    for secret in ["secret-text", "{}", r#"{"type": "authorized_user", "private_key": "secret-text"}"#] {
        let bucket = ResponseBucket::start(0).await;
        let ports = ports(secret.to_owned(), &[]);
        handle(&ports, request(&bucket, "Create", json!({}))).await.expect("a response");
        let responses = bucket.responses();
        assert_eq!(responses[0]["Status"], "FAILED");
        assert!(!responses[0].to_string().contains("secret-text"), "{responses:?}");
    }
}

#[tokio::test]
async fn rejected_response_is_sent_again_without_content_type() {
    let bucket = ResponseBucket::start(2).await;
    let ports = ports(service_account(), &[]);
    handle(&ports, request(&bucket, "Delete", json!({}))).await.expect("a response");
    assert_eq!(bucket.responses().len(), 1);
    // The signature of CloudFormation's URLs covers an empty content type.
    assert!(!bucket.headers().contains_key("content-type"));
    assert!(bucket.headers().contains_key("content-length"));
}

#[tokio::test]
async fn unsent_response_fails_invocation_without_url_in_failure() {
    let bucket = ResponseBucket::start(usize::MAX).await;
    let failure = handle(&ports(service_account(), &[]), request(&bucket, "Delete", json!({}))).await;
    let text = failure.expect_err("a failure").to_string();
    assert!(text.contains("503") && !text.contains("Signature"), "{text}");
    assert!(handle(&ports(service_account(), &[]), json!({"RequestType": "Create"})).await.is_err());
}

#[test]
fn long_reason_is_truncated_to_response_limit() {
    let request: Request = serde_json::from_value(json!({
        "RequestType": "Create", "ResponseURL": "u", "StackId": "s", "RequestId": "r", "LogicalResourceId": "l"
    }))
    .expect("a request");
    let response = Response::new(request, Err("가".repeat(5_000)));
    assert!(serde_json::to_string(&response).expect("JSON").len() < 4_096);
}
