//! The function of accounts: an erasure runs from queue to queue to its end.

use std::time::{Duration, Instant};

use aws_client::{AwsClient, REGION};
use jiff::Timestamp;
use serde_json::{Value, json};
use test_support::queues::{create_fifo_queue, create_queue, take_messages};
use tokio::time::sleep;

use crate::{
    emulated_aws::EmulatedAws,
    events::{event, without_caller},
    responses::{consume, problem, request},
};

const SUB: &str = "mina";

#[tokio::test]
async fn account_is_erased_step_by_step() {
    let emulated = EmulatedAws::start("account");
    let aws = emulated.client.clone();
    emulated.create_table("accounts", &["id"]).await;
    emulated.create_table("inbox-read", &["user"]).await;
    emulated.create_table("quotas", &["owner", "item"]).await;
    emulated.create_table("exports", &["owner"]).await;
    let by_owner = Some(("by-owner", &["owner"][..]));
    emulated.create_table_with_index("reports", &["reporter", "media_id"], by_owner).await;
    for (reporter, owner) in [(SUB, "jun"), ("jun", SUB), ("jun", "sora")] {
        let row = json!({
            "reporter": {"S": reporter}, "media_id": {"S": format!("item-of-{owner}")}, "owner": {"S": owner}
        });
        let put = json!({"TableName": "reports", "Item": row});
        aws.json("dynamodb", "DynamoDB_20120810.PutItem", &put).await.expect("stored");
    }
    let queue = create_queue(&aws, "erasure").await;
    let devices = create_queue(&aws, "push-events").await;
    let push = create_fifo_queue(&aws, "push.fifo").await;
    let dead_letters = create_queue(&aws, "erasure-dlq").await;
    let exports = create_fifo_queue(&aws, "exports.fifo").await;
    create_versioned_bucket(&aws, "originals").await;
    create_versioned_bucket(&aws, "exports-bucket").await;
    for content in ["first", "second"] {
        let key = format!("photo/{SUB}/cat");
        aws.put_object("originals", &key, "image/jpeg", content.into()).await.expect("stored");
    }
    aws.put_object("originals", "photo/jun/dog", "image/jpeg", b"kept".to_vec()).await.expect("stored");
    let pool = cognito(&aws, "CreateUserPool", json!({"PoolName": "users"})).await["UserPool"]["Id"].clone();
    let pool = pool.as_str().expect("pool");
    cognito(&aws, "AdminCreateUser", json!({"UserPoolId": pool, "Username": "m"})).await;
    let topic = aws.query("sns", &[("Action", "CreateTopic"), ("Name", "account-events")]).await.expect("topic");
    assert!(topic.contains("account-events"), "{topic}");
    let topic = format!("arn:aws:sns:{REGION}:000000000000:account-events");
    let settings = [
        ("ACCOUNTS_TABLE", "accounts"),
        ("INBOX_READ_TABLE", "inbox-read"),
        ("QUOTAS_TABLE", "quotas"),
        ("REPORTS_TABLE", "reports"),
        ("ORIGINALS_BUCKET", "originals"),
        ("USER_POOL_ID", pool),
        ("ACCOUNT_EVENTS_TOPIC_ARN", topic.as_str()),
        ("QUEUE_URL", &queue),
        ("DEAD_LETTER_QUEUE_URL", &dead_letters),
        ("PUSH_QUEUE_URL", &push),
        ("PUSH_EVENTS_QUEUE_URL", &devices),
        ("ERASURE_WAIT_SECONDS", "0"),
        ("EXPORTS_TABLE", "exports"),
        ("EXPORTS_BUCKET", "exports-bucket"),
        ("EXPORTS_QUEUE_URL", &exports),
        ("EXPORTS_PER_DAY", "2"),
    ];
    let mut function = emulated.start_function("AccountApi", &settings).await;

    let progress = event("get-erasure");
    assert_eq!(problem(&mut function, &progress).await, (404, json!("urn:iyagi:problem:not-found")));
    assert_eq!(
        problem(&mut function, &without_caller(progress.clone())).await,
        (401, json!("urn:iyagi:problem:unauthorized"))
    );
    let an_hour_ago = Timestamp::now().as_second() - 3_600;
    for old in [erase(an_hour_ago), begin_export(an_hour_ago)] {
        assert_eq!(problem(&mut function, &old).await, (403, json!("urn:iyagi:problem:recent-sign-in-required")));
    }
    let begin = begin_export(Timestamp::now().as_second());
    let (status, export) = request(&mut function, &begin).await;
    assert_eq!((status, &export["state"]), (202, &json!("pending")), "{export}");
    let jobs = take_messages(&aws, &exports, |_| true).await;
    assert!(jobs.len() == 1 && jobs[0].contains(export["id"].as_str().expect("an id")), "{jobs:?}");
    aws.put_object("exports-bucket", "zip/mina/o.zip", "application/zip", vec![1]).await.expect("stored");
    aws.put_object("exports-bucket", "zip/jun/o.zip", "application/zip", vec![1]).await.expect("stored");
    let (status, body) = request(&mut function, &erase(Timestamp::now().as_second())).await;
    assert_eq!((status, &body["state"]), (202, &json!("running")), "{body}");

    let (mut handed_on, mut last) = (0, Value::Null);
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        let messages = take_messages(&aws, &queue, |_| true).await;
        for body in messages {
            consume(&mut function, &json!({"Records": [{"messageId": "m", "body": body}]})).await;
        }
        handed_on += hand_back(&aws, &devices, &queue).await + hand_back(&aws, &push, &queue).await;
        // Perhaps 429, as polls use up the caller's rate limit.
        last = request(&mut function, &progress).await.1;
        if last["state"] == "finished" {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((&last["state"], &last["stepsDone"]), (&json!("finished"), &last["steps"]), "{last}");
    assert_eq!(handed_on, 4, "devices and notifications, twice");
    let reports = aws.json("dynamodb", "DynamoDB_20120810.Scan", &json!({"TableName": "reports"})).await.expect("rows");
    let owners: Vec<_> = reports["Items"].as_array().expect("rows").iter().map(|row| &row["owner"]["S"]).collect();
    assert_eq!(owners, ["sora"], "only the report that is neither by nor about the person");
    let exports = aws.list_objects("exports-bucket", "").await.expect("files");
    assert_eq!(exports, ["zip/jun/o.zip"]);
    let left = versions(&aws, "originals").await;
    assert!(!left.contains("photo/mina/") && left.contains("photo/jun/dog"), "{left}");
    let users = cognito(&aws, "ListUsers", json!({"UserPoolId": pool})).await;
    assert_eq!(users["Users"], json!([]));
    assert_eq!(take_messages(&aws, &dead_letters, |_| true).await, Vec::<String>::new());
}

/// A request to erase the account, by a user who signed in at this time.
fn erase(signed_in_at: i64) -> Value {
    let mut request = event("get-erasure");
    request["routeKey"] = "DELETE /v1/me".into();
    let claims = &mut request["requestContext"]["authorizer"]["jwt"]["claims"];
    assert_eq!(claims["sub"], SUB);
    claims["username"] = "m".into();
    claims["auth_time"] = signed_in_at.to_string().into();
    request
}

/// A request for a copy of everything, by a user who signed in at this time.
fn begin_export(signed_in_at: i64) -> Value {
    let mut request = erase(signed_in_at);
    request["routeKey"] = "POST /v1/me/exports".into();
    request
}

/// Plays the function of `from`: hands erasures back with one more step. Returns how many.
async fn hand_back(aws: &AwsClient, from: &str, to: &str) -> usize {
    let messages = take_messages(aws, from, |_| true).await;
    for body in &messages {
        let mut message: Value = serde_json::from_str(body).expect("JSON");
        let done = message["erasure"]["done"].as_u64().expect("a number");
        message["erasure"]["done"] = (done + 1).into();
        let input = json!({"QueueUrl": to, "MessageBody": message["erasure"].to_string()});
        aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("sent");
    }
    messages.len()
}

pub async fn create_versioned_bucket(aws: &AwsClient, name: &str) {
    let path = format!("/{name}");
    let region = format!("<LocationConstraint>{REGION}</LocationConstraint>");
    let body = format!("<CreateBucketConfiguration>{region}</CreateBucketConfiguration>").into_bytes();
    let created = aws.send("s3", http::Method::PUT, &path, &[], body).await.expect("bucket");
    assert!(created.status.is_success());
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let path = format!("/{name}?versioning");
    let response = aws.send("s3", http::Method::PUT, &path, &[], versioning.into()).await.expect("versioning");
    assert!(response.status.is_success());
}

async fn versions(aws: &AwsClient, bucket: &str) -> String {
    let path = format!("/{bucket}?versions");
    let response = aws.send("s3", http::Method::GET, &path, &[], Vec::new()).await.expect("versions");
    String::from_utf8(response.body).expect("XML")
}

pub async fn cognito(aws: &AwsClient, action: &str, input: Value) -> Value {
    aws.json("cognito-idp", &format!("AWSCognitoIdentityProviderService.{action}"), &input).await.expect(action)
}
