use std::panic::AssertUnwindSafe;

use function_kit::failure::Failure;
use futures_util::FutureExt;
use serde::Deserialize;
use serde_json::Value;
use tracing::{error, info};

use crate::{
    answer::Answers,
    application::{self, Applications},
    credentials::Credentials,
    event::{Events, Properties, Request, RequestType, Response},
};

/// What the handler reads and writes.
pub struct Ports {
    pub applications: Applications,
    pub credentials: Credentials,
    pub answers: Answers,
}

/// Does what CloudFormation asks, and answers it; a failure is an answer, too.
///
/// # Errors
/// If no answer could be given: Lambda then has the function try again, and all of this may be
/// done twice.
pub async fn handle(ports: &Ports, event: Value) -> Result<(), Failure> {
    let request: Request = serde_json::from_value(event).map_err(|error| Failure::bug("read the request", error))?;
    let outcome = AssertUnwindSafe(fulfil(ports, &request)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|panic| Err(Failure::panicked("fulfil the request", &*panic)));
    let (request_type, logical_id) = (request.request_type, request.logical_resource_id.clone());
    match &outcome {
        Ok(id) => info!(?request_type, logical_id, id, "done"),
        Err(failure) => error!(?request_type, logical_id, kind = failure.kind.as_str(), %failure, "not done"),
    }
    let url = request.response_url.clone();
    let response = Response::to(request, outcome.map_err(|failure| failure.to_string()));
    ports.answers.send(&url, &response).await
}

/// Does what is asked; the resource's physical id is the application's ARN.
async fn fulfil(ports: &Ports, request: &Request) -> Result<String, Failure> {
    let known = request.physical_resource_id.as_deref();
    if request.request_type == RequestType::Delete {
        // What was never created has another id, or none.
        let known = known.unwrap_or("none");
        if application::name(known).is_some() {
            ports.applications.delete(known).await?;
        }
        return Ok(known.to_owned());
    }
    let Properties { name, credentials_secret_arn, events } = Properties::deserialize(&request.resource_properties)
        .map_err(|error| Failure::bug("read the resource's properties", error))?;
    let credential = ports.credentials.service_account(&credentials_secret_arn).await?;
    if let Some(known) = known.filter(|known| application::name(known) == Some(&name)) {
        let before = Events::deserialize(&request.old_resource_properties).unwrap_or_default();
        if ports.applications.update(known, credential.clone(), &events, &before).await? {
            return Ok(known.to_owned());
        }
    }
    // Also where the name is another: CloudFormation deletes what has the former id afterwards.
    ports.applications.create(&request.stack_id, &name, credential, &events).await
}

#[cfg(test)]
mod tests {
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
    use serde_json::json;

    use super::*;
    use crate::testing::{ARN, Bucket, properties, request, service_account};

    const OTHER: &str = "arn:aws:sns:ap-northeast-2:123456789012:app/GCM/other-push";

    fn ports(secret: String, rules: &[&Rule]) -> Ports {
        let read = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
            .match_requests(|request| request.secret_id() == Some("arn:secret"))
            .then_output(move || GetSecretValueOutput::builder().secret_string(secret.clone()).build());
        Ports {
            applications: Applications { sns: mock_client!(aws_sdk_sns, RuleMode::Sequential, rules) },
            credentials: Credentials { secrets: mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&read]) },
            answers: Answers { http: aws::http_connector() },
        }
    }

    /// The one answer to a request; SNS is asked as `rules` expect it, in their order and all of them.
    async fn answer(request_type: &str, more: Value, rules: &[&Rule]) -> Value {
        let bucket = Bucket::start(0).await;
        handle(&ports(service_account(), rules), request(&bucket, request_type, more)).await.expect("an answer");
        let calls: Vec<_> = rules.iter().map(|rule| rule.num_calls()).collect();
        assert!(calls.iter().all(|calls| *calls == 1), "calls of each rule: {calls:?}");
        let [answer] = <[Value; 1]>::try_from(bucket.answers()).expect("one answer");
        answer
    }

    fn success(id: &str) -> Value {
        json!({
            "Status": "SUCCESS", "Reason": "", "PhysicalResourceId": id, "LogicalResourceId": "PlatformApplication",
            "StackId": "arn:aws:cloudformation:ap-northeast-2:123456789012:stack/iyagi/0b4bd6f5",
            "RequestId": "request-1"
        })
    }

    fn is(attributes: Option<&HashMap<String, String>>, more: &[(&str, &str)]) -> bool {
        let mut wanted = HashMap::from([("PlatformCredential".to_owned(), service_account())]);
        wanted.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        attributes == Some(&wanted)
    }

    fn creates(name: &'static str, more: &'static [(&str, &str)], arn: &'static str) -> Rule {
        mock!(Client::create_platform_application)
            .match_requests(move |request| {
                request.name() == Some(name) && request.platform() == Some("GCM") && is(request.attributes(), more)
            })
            .then_output(move || CreatePlatformApplicationOutput::builder().platform_application_arn(arn).build())
    }

    fn sets(more: &'static [(&str, &str)]) -> Rule {
        mock!(Client::set_platform_application_attributes)
            .match_requests(move |request| {
                request.platform_application_arn() == Some(ARN) && is(request.attributes(), more)
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
    async fn creates_with_the_service_account_and_no_principal() {
        assert_eq!(answer("Create", json!({}), &[&creates("iyagi-push", &[], ARN)]).await, success(ARN));
    }

    #[tokio::test]
    async fn topics_are_told_of_what_the_template_says() {
        let mut properties = properties("iyagi-push");
        properties["EventDeliveryFailure"] = json!("arn:topic-1");
        properties["EventEndpointUpdated"] = json!("arn:topic-2");
        let topics = &[("EventDeliveryFailure", "arn:topic-1"), ("EventEndpointUpdated", "arn:topic-2")];
        let rules = [&creates("iyagi-push", topics, ARN)];
        let answer = answer("Create", json!({"ResourceProperties": properties}), &rules).await;
        assert_eq!(answer, success(ARN));
    }

    #[tokio::test]
    async fn a_creation_that_is_asked_for_twice_is_one() {
        let exists = mock!(Client::create_platform_application).then_http_response(|| {
            sns_error(
                400,
                "InvalidParameter",
                "Invalid parameter: This application already exists with other attributes",
            )
        });
        assert_eq!(answer("Create", json!({}), &[&exists, &sets(&[])]).await, success(ARN));
    }

    #[tokio::test]
    async fn a_new_credential_is_set_in_place() {
        let more = json!({"PhysicalResourceId": ARN, "OldResourceProperties": properties("iyagi-push")});
        assert_eq!(answer("Update", more, &[&sets(&[])]).await, success(ARN));
    }

    #[tokio::test]
    async fn a_topic_that_is_no_longer_in_the_template_is_taken_away() {
        let mut old = properties("iyagi-push");
        old["EventDeliveryFailure"] = json!("arn:topic");
        let more = json!({"PhysicalResourceId": ARN, "OldResourceProperties": old});
        assert_eq!(answer("Update", more, &[&sets(&[("EventDeliveryFailure", "")])]).await, success(ARN));
    }

    #[tokio::test]
    async fn an_application_that_somebody_deleted_is_created_again() {
        let gone = mock!(Client::set_platform_application_attributes)
            .then_http_response(|| sns_error(404, "NotFound", "PlatformApplication does not exist"));
        let rules = [&gone, &creates("iyagi-push", &[], ARN)];
        assert_eq!(answer("Update", json!({"PhysicalResourceId": ARN}), &rules).await, success(ARN));
    }

    #[tokio::test]
    async fn another_name_is_another_application() {
        // CloudFormation sees another physical id, and has the former deleted.
        let more = json!({"PhysicalResourceId": ARN, "ResourceProperties": properties("other-push")});
        assert_eq!(answer("Update", more, &[&creates("other-push", &[], OTHER)]).await, success(OTHER));
    }

    #[tokio::test]
    async fn deletes_also_what_is_gone_or_never_was() {
        let deletes = mock!(Client::delete_platform_application)
            .match_requests(|request| request.platform_application_arn() == Some(ARN))
            .then_output(|| DeletePlatformApplicationOutput::builder().build());
        let gone = mock!(Client::delete_platform_application)
            .then_http_response(|| sns_error(404, "NotFound", "PlatformApplication does not exist"));
        for rule in [deletes, gone] {
            assert_eq!(answer("Delete", json!({"PhysicalResourceId": ARN}), &[&rule]).await, success(ARN));
        }
        let never = "PlatformApplication-was-not-created";
        let more = json!({"PhysicalResourceId": never, "ResourceProperties": {}});
        assert_eq!(answer("Delete", more, &[]).await, success(never));
    }

    #[tokio::test]
    async fn a_failure_is_an_answer_too_and_what_follows_it_can_be_deleted() {
        let refuses = mock!(Client::create_platform_application)
            .then_http_response(|| sns_error(400, "InvalidParameter", "Invalid parameter: PlatformCredential"));
        let failed = answer("Create", json!({}), &[&refuses]).await;
        assert_eq!(failed["Status"], "FAILED");
        assert!(failed["Reason"].as_str().expect("a reason").contains("PlatformCredential"), "{failed}");
        assert!(!failed.to_string().contains("PRIVATE KEY"), "{failed}");
        let id = failed["PhysicalResourceId"].clone();
        assert_eq!(answer("Delete", json!({"PhysicalResourceId": id}), &[]).await["Status"], "SUCCESS");
        // A failed deletion keeps its id.
        let refuses = mock!(Client::delete_platform_application)
            .then_http_response(|| sns_error(403, "AuthorizationError", "no"));
        let failed = answer("Delete", json!({"PhysicalResourceId": ARN}), &[&refuses]).await;
        assert_eq!((&failed["Status"], &failed["PhysicalResourceId"]), (&json!("FAILED"), &json!(ARN)));
    }

    #[tokio::test]
    async fn wrong_properties_are_answered() {
        for properties in [json!({}), json!({"Name": "x"}), json!("x"), Value::Null] {
            let failed = answer("Create", json!({"ResourceProperties": properties}), &[]).await;
            assert_eq!(failed["Status"], "FAILED");
        }
    }

    #[tokio::test]
    async fn a_secret_that_is_no_service_account_is_refused_and_never_repeated() {
        for secret in ["secret-text", "{}", r#"{"type": "authorized_user", "private_key": "secret-text"}"#] {
            let bucket = Bucket::start(0).await;
            let ports = ports(secret.to_owned(), &[]);
            handle(&ports, request(&bucket, "Create", json!({}))).await.expect("an answer");
            let answers = bucket.answers();
            assert_eq!(answers[0]["Status"], "FAILED");
            assert!(!answers[0].to_string().contains("secret-text"), "{answers:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_is_sent_until_it_is_taken_and_without_a_content_type() {
        let bucket = Bucket::start(2).await;
        let ports = ports(service_account(), &[]);
        handle(&ports, request(&bucket, "Delete", json!({}))).await.expect("an answer");
        assert_eq!(bucket.answers().len(), 1);
        // The signature of CloudFormation's URLs covers that there is none.
        assert!(!bucket.headers().contains_key("content-type"));
        assert!(bucket.headers().contains_key("content-length"));
    }

    #[tokio::test]
    async fn without_an_answer_the_invocation_fails_and_names_no_url() {
        let bucket = Bucket::start(usize::MAX).await;
        let failure = handle(&ports(service_account(), &[]), request(&bucket, "Delete", json!({}))).await;
        let text = failure.expect_err("a failure").to_string();
        assert!(text.contains("503") && !text.contains("Signature"), "{text}");
        assert!(handle(&ports(service_account(), &[]), json!({"RequestType": "Create"})).await.is_err());
    }

    #[test]
    fn a_long_reason_is_cut_to_what_cloudformation_takes() {
        let request: Request = serde_json::from_value(json!({
            "RequestType": "Create", "ResponseURL": "u", "StackId": "s", "RequestId": "r", "LogicalResourceId": "l"
        }))
        .expect("a request");
        let response = Response::to(request, Err("가".repeat(5_000)));
        assert!(serde_json::to_string(&response).expect("JSON").len() < 4_096);
    }
}
