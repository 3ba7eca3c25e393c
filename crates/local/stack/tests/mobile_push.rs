//! The mobile push emulator in front of MiniStack, with IAM enforced.

#[path = "../../mobile-push/tests/it/sdk.rs"]
mod sdk;

use aws_client::AwsClient;
use aws_sdk_sns::Client;
use http::Method;
use mobile_push::{MobilePushEmulator, Options, Reachability};
use serde_json::{Value, json};
use stack::emulator::Emulator;

use sdk::{create_application, create_endpoint, sdk, service_error};

/// MiniStack with IAM enforced, and the mobile push emulator in front of it. Dropping the value stops both.
struct Both {
    ministack: Emulator,
    mobile_push: MobilePushEmulator,
}

impl Both {
    fn start(name: &str) -> Self {
        let ministack = Emulator::start(name, true).expect("an emulator: has `cargo xtask test` installed it?");
        let options = Options { upstream: Some(ministack.endpoint()), ..Options::default() };
        Self { mobile_push: MobilePushEmulator::start(options).expect("an emulator"), ministack }
    }

    /// The administrator, calling through the mobile push emulator.
    fn aws(&self) -> AwsClient {
        AwsClient::new(self.mobile_push.endpoint())
    }

    /// A user with this policy, calling through the mobile push emulator.
    async fn user(&self, name: &str, statements: Value) -> Client {
        let aws = self.aws();
        let iam = |action: &'static str, parameters: Vec<(&'static str, String)>| {
            let aws = aws.clone();
            let mut all = vec![("Action", action.to_owned()), ("Version", "2010-05-08".to_owned())];
            all.extend(parameters);
            async move {
                let all: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
                aws.query("iam", &all).await.expect(action)
            }
        };
        iam("CreateUser", vec![("UserName", name.into())]).await;
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let parameters = vec![("UserName", name.into()), ("PolicyName", "p".into()), ("PolicyDocument", policy)];
        iam("PutUserPolicy", parameters).await;
        let key = iam("CreateAccessKey", vec![("UserName", name.into())]).await;
        let text = |name: &str| {
            let (_, rest) = key.split_once(&format!("<{name}>")).expect("a key");
            rest.split_once("</").expect("a key").0.to_owned()
        };
        sdk(self.mobile_push.endpoint(), &text("AccessKeyId"), &text("SecretAccessKey"), 1)
    }
}

impl Drop for Both {
    fn drop(&mut self) {
        if let Err(error) = self.ministack.stop() {
            eprintln!("{error:#}");
        }
    }
}

#[tokio::test]
async fn iam_is_enforced_for_the_actual_resource() {
    let both = Both::start("phones-iam");
    let admin = sdk(both.mobile_push.endpoint(), "test", "test", 1);
    let application = create_application(&admin).await.expect("an application");
    let direct = sdk(both.ministack.endpoint(), "test", "test", 1);
    let duplicates = direct.list_platform_applications().send().await.expect("a list");
    assert!(duplicates.platform_applications().is_empty(), "the permission check leaves no application behind");

    let endpoints = application.replace(":app/", ":endpoint/") + "/*";
    let statements = json!([
        {"Effect": "Allow", "Action": "sns:CreatePlatformEndpoint", "Resource": application},
        {"Effect": "Allow", "Action": ["sns:Publish", "sns:GetEndpointAttributes"], "Resource": endpoints},
    ]);
    let user = both.user("registrar", statements).await;
    let endpoint = create_endpoint(&user, &application, "t").await.expect("allowed on this application");
    user.get_endpoint_attributes().endpoint_arn(&endpoint).send().await.expect("allowed");
    user.publish().target_arn(&endpoint).message("d").send().await.expect("allowed");

    let denied =
        user.delete_endpoint().endpoint_arn(&endpoint).send().await.map_err(service_error).expect_err("denied");
    let message = format!(
        "User: arn:aws:iam::000000000000:user/registrar is not authorized to perform: SNS:DeleteEndpoint on resource: \
         {endpoint} because no identity-based policy allows the SNS:DeleteEndpoint action"
    );
    assert_eq!(denied, (403, "AuthorizationError".to_owned(), message));
    let other = create_endpoint(&user, &application.replace("iyagi", "other"), "t").await.expect_err("denied");
    assert_eq!(other.1, "AuthorizationError");
    let elsewhere = endpoint.replace("GCM/iyagi", "GCM/other");
    let denied = user.publish().target_arn(elsewhere).message("d").send().await.map_err(service_error);
    assert_eq!(denied.expect_err("denied").1, "AuthorizationError");
    assert!(admin.get_endpoint_attributes().endpoint_arn(&endpoint).send().await.is_ok(), "the endpoint exists");

    // A policy for all resources also allows the call.
    let all = both.user("publisher", json!([{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}])).await;
    all.delete_endpoint().endpoint_arn(&endpoint).send().await.expect("allowed");
    let unrelated = both.user("unrelated", json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}])).await;
    assert_eq!(create_endpoint(&unrelated, &application, "t2").await.expect_err("denied").1, "AuthorizationError");
    assert_eq!(create_application(&unrelated).await.expect_err("denied").1, "AuthorizationError");
}

#[tokio::test]
async fn other_calls_are_forwarded_with_their_signatures() {
    let both = Both::start("phones-passing");
    // MiniStack verifies signatures over the host that the client called: the mobile push emulator's.
    let user = both.user("mina", json!([{"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"}])).await;
    let topics = user.list_topics().send().await.expect("allowed");
    assert!(topics.topics().is_empty());
    let denied = user.create_topic().name("t").send().await.map_err(service_error).expect_err("denied");
    assert_eq!((denied.0, denied.1.as_str()), (403, "AuthorizationError"));
    let forged = sdk(both.mobile_push.endpoint(), "AKIAIOSFODNN7EXAMPLE", "secret", 1);
    let forwarded = forged.list_topics().send().await.map_err(service_error).expect_err("unknown");
    let emulated = forged.list_platform_applications().send().await.map_err(service_error).expect_err("unknown");
    assert_eq!((forwarded.0, forwarded.1.as_str()), (403, "InvalidClientTokenId"));
    assert_eq!(forwarded, emulated, "emulated calls also require valid credentials");

    // Other services and protocols, and a binary body.
    let aws = both.aws();
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let region = "<CreateBucketConfiguration><LocationConstraint>ap-northeast-2</LocationConstraint>\
                  </CreateBucketConfiguration>";
    let created = aws.send("s3", Method::PUT, "/bucket", &[], region.into()).await.expect("a bucket");
    assert!(created.status.is_success());
    aws.put_object("bucket", "a key/가 나+%2F.bin", "application/octet-stream", bytes.clone()).await.expect("stored");
    let direct = AwsClient::new(both.ministack.endpoint());
    assert_eq!(direct.list_objects("bucket", "").await.expect("a list").len(), 1);
    let path = "/bucket/a%20key/%EA%B0%80%20%EB%82%98%2B%252F.bin";
    let read = aws.send("s3", Method::GET, path, &[], Vec::new()).await.expect("an object");
    assert_eq!((read.status.as_u16(), read.body == bytes), (200, true));
    let tables = aws.json("dynamodb", "DynamoDB_20120810.ListTables", &json!({})).await.expect("tables");
    assert_eq!(tables, json!({"TableNames": []}));
}

#[tokio::test]
async fn delivery_failure_is_published_to_the_topic() {
    let both = Both::start("phones-topics");
    let (aws, admin) = (both.aws(), sdk(both.mobile_push.endpoint(), "test", "test", 1));
    let topic = admin.create_topic().name("failures").send().await.expect("a topic").topic_arn.expect("an ARN");
    let queue = aws.json("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": "failures"})).await.expect("a queue");
    let queue = queue["QueueUrl"].as_str().expect("a URL");
    let queue_arn = "arn:aws:sqs:ap-northeast-2:000000000000:failures";
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": queue_arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}
    }]});
    let attributes = json!({"QueueUrl": queue, "Attributes": {"Policy": policy.to_string()}});
    aws.json("sqs", "AmazonSQS.SetQueueAttributes", &attributes).await.expect("a policy");
    admin.subscribe().topic_arn(&topic).protocol("sqs").endpoint(queue_arn).send().await.expect("a subscription");

    let application = create_application(&admin).await.expect("an application");
    let set = admin.set_platform_application_attributes().platform_application_arn(&application);
    set.attributes("EventDeliveryFailure", &topic).send().await.expect("set");
    let endpoint = create_endpoint(&admin, &application, "t").await.expect("an endpoint");
    both.mobile_push.client().set_reachability("t", Reachability::Stale).await.expect("stale");
    let published = admin.publish().target_arn(&endpoint).message("d").send().await.expect("taken");

    let input = json!({"QueueUrl": queue, "WaitTimeSeconds": 10});
    let received = aws.json("sqs", "AmazonSQS.ReceiveMessage", &input).await.expect("messages");
    let envelope = received["Messages"][0]["Body"].as_str().expect("a message");
    let envelope: Value = serde_json::from_str(envelope).expect("JSON");
    assert_eq!(envelope["Subject"], "DeliveryFailure event for app iyagi (GCM)");
    let event: Value = serde_json::from_str(envelope["Message"].as_str().expect("text")).expect("JSON");
    assert_eq!(
        (&event["EventType"], &event["FailureType"], &event["EndpointArn"], &event["MessageId"]),
        (&json!("DeliveryFailure"), &json!("InvalidPlatformToken"), &json!(endpoint), &json!(published.message_id()))
    );
}
