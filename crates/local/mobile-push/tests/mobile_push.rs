//! The stand-in for SNS mobile push and FCM, seen through AWS's own client: each sns_error as the
//! functions will meet it, and what the phones show.

use std::{num::NonZeroU32, time::Duration};

use aws_client::AwsClient;
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_sns::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    types::MessageAttributeValue,
};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use domain::push::Platform;
use http::Method;
use mobile_push::{Failure, Fault, Options, MobilePushEmulator, Profile, Reachability, UndisplayedReason};
use serde_json::{Value, json};
use stack::{emulator::Emulator, sidecar::Sidecar};

const PATIENCE: Duration = Duration::from_secs(10);

fn sdk(endpoint: String, access_key: &str, secret: &str, attempts: u32) -> Client {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("ap-northeast-2"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(access_key, secret, None)))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(
            RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(Duration::from_millis(1)),
        )
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .endpoint_url(endpoint)
        .build();
    Client::new(&config)
}

/// A stand-in with an application and a phone in Korean, whose token is `t`.
struct World {
    phones: phones::Client,
    sns: Client,
    application: String,
    endpoint: String,
    _emulator: MobilePushEmulator,
}

impl World {
    async fn new(options: Options) -> Self {
        let emulator = MobilePushEmulator::start(options).expect("a stand-in");
        let sns = sdk(emulator.endpoint(), "test", "test", 1);
        let application = create_application(&sns).await.expect("an application");
        let phones = emulator.client();
        let profile = Profile { name: "미나".into(), language: "ko-KR".into(), platform: Platform::Android };
        phones.register_phone("t", &profile).await.expect("a phone");
        let endpoint = create_endpoint(&sns, &application, "t").await.expect("an endpoint");
        Self { phones, sns, application, endpoint, _emulator: emulator }
    }

    async fn publish(&self, message: Value) -> Result<String, Refused> {
        let published = self.sns.publish().target_arn(&self.endpoint).message_structure("json");
        let published = published.message(fcm(&message)).send().await.map_err(refused)?;
        Ok(published.message_id().expect("a message id").to_owned())
    }

    async fn why_unshown(&self) -> Vec<UndisplayedReason> {
        self.phones.undisplayed(0).await.expect("what is not shown").into_iter().map(|undisplayed| undisplayed.reason).collect()
    }

    async fn screen(&self) -> Vec<String> {
        let phone = self.phones.phone("t").await.expect("the phone");
        phone.screen.into_iter().map(|shown| shown.notice.title).collect()
    }
}

/// The `Message` of `Publish` that hands `message` to FCM.
fn fcm(message: &Value) -> String {
    let gcm = json!({"fcmV1Message": {"message": message}}).to_string();
    json!({"default": "d", "GCM": gcm}).to_string()
}

fn note(title: &str, tag: &str) -> Value {
    json!({"android": {"collapse_key": tag, "notification": {"title": title, "tag": tag}}})
}

/// Status, code and message.
type Refused = (u16, String, String);

fn refused<E: ProvideErrorMetadata + std::error::Error + 'static>(error: SdkError<E>) -> Refused {
    let Some(answer) = error.raw_response() else { panic!("no answer: {}", DisplayErrorContext(&error)) };
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    (answer.status().as_u16(), text(error.code()), text(error.message()))
}

fn invalid(message: &str) -> Refused {
    (400, "InvalidParameter".to_owned(), format!("Invalid parameter: {message}"))
}

async fn create_application(sns: &Client) -> Result<String, Refused> {
    let account = json!({
        "type": "service_account", "project_id": "iyagi", "client_email": "push@iyagi.example",
        "private_key": "-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----\n",
    });
    let created = sns.create_platform_application().name("iyagi").platform("GCM");
    let created = created.attributes("PlatformCredential", account.to_string()).send().await.map_err(refused)?;
    Ok(created.platform_application_arn().expect("an ARN").to_owned())
}

async fn create_endpoint(sns: &Client, application: &str, token: &str) -> Result<String, Refused> {
    let created = sns.create_platform_endpoint().platform_application_arn(application).token(token);
    Ok(created.send().await.map_err(refused)?.endpoint_arn().expect("an ARN").to_owned())
}

#[tokio::test]
async fn a_phone_shows_its_language_and_a_tag_replaces_in_place() {
    let world = World::new(Options::default()).await;
    let like = |who: &str| {
        json!({"data": {"category": "likes"}, "android": {"notification": {
            "title_loc_key": "push_like_story_title", "body_loc_key": "push_like_story_body_by_titled",
            "body_loc_args": [who, "첫눈"], "tag": "like:s1", "default_sound": true,
        }}})
    };
    let id = world.publish(like("준")).await.expect("accepted");
    let first = world.phones.wait_for_one(0, PATIENCE, |shown| shown.message_id == id).await.expect("it comes");
    assert_eq!((first.phone.as_str(), first.notice.silent, first.replaced), ("미나", false, false));
    assert_eq!(first.notice.body, "준님이 ‘첫눈’ 이야기를 좋아해요.");
    assert_eq!(first.data.get("category").map(String::as_str), Some("likes"));
    world.publish(note("other", "x")).await.expect("accepted");
    world.publish(like("하나")).await.expect("accepted");
    let all = world.phones.wait_for_count(0, PATIENCE, 3).await.expect("all three");
    assert!(all[2].replaced && all[2].received_at >= all[2].accepted_at);
    let screen = world.phones.phone("t").await.expect("the phone").screen;
    let bodies: Vec<_> = screen.iter().map(|shown| shown.notice.body.as_str()).collect();
    assert_eq!(bodies, ["하나님이 ‘첫눈’ 이야기를 좋아해요.", ""]);
}

#[tokio::test]
async fn registration_follows_awss_algorithm() {
    let world = World::new(Options::default()).await;
    let same = create_endpoint(&world.sns, &world.application, "t").await;
    assert_eq!(same.as_ref(), Ok(&world.endpoint));
    let create = || world.sns.create_platform_endpoint().platform_application_arn(&world.application).token("t");
    let other = create().custom_user_data("jun").send().await.map_err(refused).expect_err("other attributes");
    let message = format!(
        "Token Reason: Endpoint {} already exists with the same Token, but different attributes.",
        world.endpoint
    );
    assert_eq!(other, invalid(&message));

    world.phones.disable("t").await.expect("disabled");
    let again = create_endpoint(&world.sns, &world.application, "t").await;
    assert_eq!(again.as_ref(), Ok(&world.endpoint), "it succeeds, and leaves it disabled");
    let get = || world.sns.get_endpoint_attributes().endpoint_arn(&world.endpoint);
    let attributes = get().send().await.expect("attributes").attributes.expect("attributes");
    assert_eq!((attributes["Enabled"].as_str(), attributes["Token"].as_str()), ("false", "t"));
    let set = world.sns.set_endpoint_attributes().endpoint_arn(&world.endpoint).attributes("Token", "t2");
    set.attributes("Enabled", "true").attributes("CustomUserData", "mina").send().await.expect("set");
    let attributes = get().send().await.expect("attributes").attributes.expect("attributes");
    assert_eq!((attributes["Enabled"].as_str(), attributes["CustomUserData"].as_str()), ("true", "mina"));

    let delete = || world.sns.delete_endpoint().endpoint_arn(&world.endpoint).send();
    delete().await.expect("deleted");
    delete().await.expect("deleted again");
    let gone = get().send().await.map_err(refused).expect_err("gone");
    assert_eq!(gone, (404, "NotFound".to_owned(), "Endpoint does not exist".to_owned()));
    let gone = world.publish(note("x", "x")).await.expect_err("gone");
    assert_eq!(gone, invalid("TargetArn Reason: No endpoint found for the target arn specified"));
}

#[tokio::test]
async fn bounds_are_refused_word_for_word() {
    let world = World::new(Options::default()).await;
    let create = || world.sns.create_platform_endpoint().platform_application_arn(&world.application);
    let long = create().token("x".repeat(8193)).send().await.map_err(refused).expect_err("too long");
    assert_eq!(long, invalid("Token Reason: must be at most 8192 bytes long in UTF-8 encoding"));
    let data = create().token("y").custom_user_data("x".repeat(2049)).send().await.map_err(refused);
    let message = "Attributes Reason: Invalid value for attribute: CustomUserData: must be at most 2048 bytes long in \
                   UTF-8 encoding";
    assert_eq!(data.expect_err("too long"), invalid(message));
    let large = world.publish(json!({"data": {"x": "가".repeat(1400)}})).await.expect_err("too large");
    let message =
        "Message Reason: Invalid notification for protocol GCM: Notification data is larger than allowed limit";
    assert_eq!(large, invalid(message));
    let send =
        |body: &str| world.sns.publish().target_arn(&world.endpoint).message_structure("json").message(body).send();
    let bare = send(r#"{"GCM":"{}"}"#).await.map_err(refused).expect_err("no default");
    assert_eq!(bare, invalid("Message Structure - No default entry in JSON message body"));
    // No text: ignored without an error, and nothing is shown.
    send(r#"{"default":"d","GCM":{"fcmV1Message":{"message":{"notification":{"title":"t"}}}}}"#).await.expect("taken");
    assert_eq!(world.why_unshown().await, [UndisplayedReason::DataOnly]);
}

#[tokio::test]
async fn what_fcm_refuses_sns_has_taken() {
    let world = World::new(Options::default()).await;
    for message in [json!({"data": {"n": 1}}), json!({"data": {"from": "x"}}), json!({"android": {"tll": "1s"}})] {
        world.publish(message).await.expect("taken");
    }
    let why = world.why_unshown().await;
    assert!(why.len() == 3 && why.iter().all(|why| matches!(reason, UndisplayedReason::Invalid(_))), "{reason:?}");
    world.publish(note("fine", "x")).await.expect("the endpoint is as it was");
    assert_eq!(world.screen().await, ["fine"]);
}

#[tokio::test]
async fn a_stale_token_is_taken_once_and_then_its_endpoint_is_disabled() {
    let world = World::new(Options::default()).await;
    world.phones.set_reachability("t", Reachability::Stale).await.expect("stale");
    world.publish(note("x", "x")).await.expect("SNS does not know yet");
    assert_eq!(world.why_unshown().await, [UndisplayedReason::Stale]);
    let disabled = world.publish(note("x", "x")).await.expect_err("now it does");
    assert_eq!(disabled, (400, "EndpointDisabled".to_owned(), "Endpoint is disabled".to_owned()));
    let set = world.sns.set_platform_application_attributes().platform_application_arn(&world.application);
    set.attributes("Enabled", "false").send().await.expect("set");
    let disabled = world.publish(note("x", "x")).await.expect_err("all of it");
    assert_eq!(disabled.1, "PlatformApplicationDisabled");
}

#[tokio::test]
async fn a_phone_that_was_off_gets_what_is_still_worth_it() {
    let world = World::new(Options::default()).await;
    world.phones.set_reachability("t", Reachability::Offline).await.expect("offline");
    for (title, key) in [("a1", "a"), ("b1", "b"), ("a2", "a")] {
        world.publish(note(title, key)).await.expect("taken");
    }
    let ttl = MessageAttributeValue::builder().data_type("Number").string_value("0").build().expect("a value");
    let publish = world.sns.publish().target_arn(&world.endpoint).message_structure("json");
    let publish = publish.message(fcm(&note("now or never", "n"))).message_attributes("AWS.SNS.MOBILE.FCM.TTL", ttl);
    publish.send().await.expect("taken");
    assert!(world.screen().await.is_empty());
    world.phones.set_reachability("t", Reachability::Online).await.expect("online");
    assert_eq!(world.screen().await, ["b1", "a2"]);
    assert_eq!(world.why_unshown().await, [UndisplayedReason::Collapsed, UndisplayedReason::Expired]);
}

#[tokio::test]
async fn faults_strike_as_often_as_ordered() {
    let world = World::new(Options::default()).await;
    let twice = NonZeroU32::new(2);
    for (failure, status, code) in [
        (Failure::Throttled, 400, "Throttling"),
        (Failure::InternalError, 500, "InternalError"),
        (Failure::NotAuthorised, 403, "AuthorizationError"),
        (Failure::NotFound, 404, "NotFound"),
    ] {
        world.phones.inject_fault(Fault::new(failure).for_token("t"), twice).await.expect("ordered");
        for _ in 0..2 {
            let (got_status, got_code, _) = world.publish(note("x", "x")).await.expect_err("a fault");
            assert_eq!((got_status, got_code.as_str()), (status, code));
        }
    }
    world.publish(note("through", "x")).await.expect("no more faults");
    assert_eq!(world.screen().await, ["through"]);
    assert!(world.phones.faults().await.expect("faults").iter().all(|standing| standing.hits == 2));

    // The SDK tries again by itself.
    let patient = sdk(world.phones.endpoint().to_owned(), "test", "test", 3);
    world.phones.inject_fault(Fault::new(Failure::Throttled), twice).await.expect("ordered");
    let publish = patient.publish().target_arn(&world.endpoint).message_structure("json");
    publish.message(fcm(&note("third time", "y"))).send().await.expect("the third attempt");
    assert_eq!(world.screen().await, ["through", "third time"]);
}

#[tokio::test]
async fn a_lost_answer_means_done_twice_when_tried_again() {
    let world = World::new(Options::default()).await;
    world.phones.inject_fault(Fault::new(Failure::LostAnswer), NonZeroU32::new(1)).await.expect("ordered");
    let publish = || world.sns.publish().target_arn(&world.endpoint).message_structure("json");
    let error = publish().message(fcm(&note("once", "x"))).send().await.expect_err("no answer");
    assert!(error.raw_response().is_none(), "{error:?}");
    assert_eq!(world.screen().await, ["once"], "it was done all the same");
    let patient = sdk(world.phones.endpoint().to_owned(), "test", "test", 2);
    world.phones.inject_fault(Fault::new(Failure::LostAnswer), NonZeroU32::new(1)).await.expect("ordered");
    let publish = patient.publish().target_arn(&world.endpoint).message_structure("json");
    publish.message(fcm(&note("twice", "x"))).send().await.expect("the second attempt");
    let shown = world.phones.notifications(0).await.expect("notifications");
    assert_eq!(shown.iter().filter(|shown| shown.notice.title == "twice").count(), 2);
    assert_eq!(world.screen().await, ["twice"], "the tag makes one of them");
}

#[tokio::test]
async fn look_ups_can_be_late() {
    let world = World::new(Options { lookup_lag: Duration::from_secs(3600), ..Options::default() }).await;
    let get = world.sns.get_endpoint_attributes().endpoint_arn(&world.endpoint);
    assert_eq!(get.send().await.map_err(refused).expect_err("not yet").1, "NotFound");
    world.publish(note("x", "x")).await.expect("SNS itself knows");

    let world = World::new(Options::default()).await;
    let fault = Fault::new(Failure::NotFound).of("GetEndpointAttributes");
    world.phones.inject_fault(fault, NonZeroU32::new(1)).await.expect("ordered");
    let get = || world.sns.get_endpoint_attributes().endpoint_arn(&world.endpoint).send();
    assert_eq!(get().await.map_err(refused).expect_err("not yet").1, "NotFound");
    get().await.expect("now it is there");
}

#[tokio::test]
async fn lists_come_in_pages_and_name_no_secret() {
    let world = World::new(Options::default()).await;
    for index in 0..120 {
        create_endpoint(&world.sns, &world.application, &index.to_string()).await.expect("an endpoint");
    }
    let list = world.sns.list_endpoints_by_platform_application().platform_application_arn(&world.application);
    let listed = list.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.expect("a list");
    assert_eq!(listed.len(), 121);
    let applications = world.sns.list_platform_applications().send().await.expect("a list");
    let attributes = applications.platform_applications()[0].attributes().expect("attributes");
    assert!(attributes.contains_key("Enabled") && !attributes.contains_key("PlatformCredential"));
}

/// Without anything behind it, what is not played is not answered.
#[tokio::test]
async fn what_is_not_played_needs_an_upstream() {
    let world = World::new(Options::default()).await;
    let topics = world.sns.list_topics().send().await;
    assert_eq!(refused(topics.expect_err("nobody")).0, 501);
}

/// MiniStack with IAM enforced, and the stand-in in front of it; both end with this value.
struct Both {
    emulator: Emulator,
    emulator: MobilePushEmulator,
}

impl Both {
    fn start(name: &str) -> Self {
        let emulator = Emulator::start(name, true).expect("an emulator: has `cargo xtask test` installed it?");
        let options = Options { upstream: Some(emulator.endpoint()), ..Options::default() };
        Self { emulator: MobilePushEmulator::start(options).expect("a stand-in"), emulator }
    }

    /// Calls of the administrator, through the stand-in.
    fn aws(&self) -> AwsClient {
        AwsClient::new(self.emulator.endpoint())
    }

    /// A user with this policy, through the stand-in.
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
        sdk(self.emulator.endpoint(), &text("AccessKeyId"), &text("SecretAccessKey"), 1)
    }
}

impl Drop for Both {
    fn drop(&mut self) {
        if let Err(error) = self.emulator.stop() {
            eprintln!("{error:#}");
        }
    }
}

#[tokio::test]
async fn iam_is_asked_about_the_very_resource() {
    let both = Both::start("phones-iam");
    let admin = sdk(both.emulator.endpoint(), "test", "test", 1);
    let application = create_application(&admin).await.expect("an application");
    let direct = sdk(both.emulator.endpoint(), "test", "test", 1);
    let shadows = direct.list_platform_applications().send().await.expect("a list");
    assert!(shadows.platform_applications().is_empty(), "asking for permission leaves nothing behind");

    let endpoints = application.replace(":app/", ":endpoint/") + "/*";
    let statements = json!([
        {"Effect": "Allow", "Action": "sns:CreatePlatformEndpoint", "Resource": application},
        {"Effect": "Allow", "Action": ["sns:Publish", "sns:GetEndpointAttributes"], "Resource": endpoints},
    ]);
    let user = both.user("registrar", statements).await;
    let endpoint = create_endpoint(&user, &application, "t").await.expect("allowed on this application");
    user.get_endpoint_attributes().endpoint_arn(&endpoint).send().await.expect("allowed");
    user.publish().target_arn(&endpoint).message("d").send().await.expect("allowed");

    let denied = user.delete_endpoint().endpoint_arn(&endpoint).send().await.map_err(refused).expect_err("denied");
    let message = format!(
        "User: arn:aws:iam::000000000000:user/registrar is not authorized to perform: SNS:DeleteEndpoint on resource: \
         {endpoint} because no identity-based policy allows the SNS:DeleteEndpoint action"
    );
    assert_eq!(denied, (403, "AuthorizationError".to_owned(), message));
    let other = create_endpoint(&user, &application.replace("iyagi", "other"), "t").await.expect_err("denied");
    assert_eq!(other.1, "AuthorizationError");
    let elsewhere = endpoint.replace("GCM/iyagi", "GCM/other");
    let denied = user.publish().target_arn(elsewhere).message("d").send().await.map_err(refused);
    assert_eq!(denied.expect_err("denied").1, "AuthorizationError");
    assert!(admin.get_endpoint_attributes().endpoint_arn(&endpoint).send().await.is_ok(), "it is still there");

    // Whoever may do it on everything may do it here.
    let all = both.user("publisher", json!([{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}])).await;
    all.delete_endpoint().endpoint_arn(&endpoint).send().await.expect("allowed");
    let nobody = both.user("nobody", json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}])).await;
    assert_eq!(create_endpoint(&nobody, &application, "t2").await.expect_err("denied").1, "AuthorizationError");
    assert_eq!(create_application(&nobody).await.expect_err("denied").1, "AuthorizationError");
}

#[tokio::test]
async fn all_else_passes_with_its_signature() {
    let both = Both::start("phones-passing");
    // MiniStack verifies the signatures of users, over the host that they services: the stand-in's.
    let user = both.user("mina", json!([{"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"}])).await;
    let topics = user.list_topics().send().await.expect("allowed");
    assert!(topics.topics().is_empty());
    let denied = user.create_topic().name("t").send().await.map_err(refused).expect_err("denied");
    assert_eq!((denied.0, denied.1.as_str()), (403, "AuthorizationError"));
    let forged = sdk(both.emulator.endpoint(), "AKIAIOSFODNN7EXAMPLE", "secret", 1);
    let through = forged.list_topics().send().await.map_err(refused).expect_err("unknown");
    let played = forged.list_platform_applications().send().await.map_err(refused).expect_err("unknown");
    assert_eq!((through.0, through.1.as_str()), (403, "InvalidClientTokenId"));
    assert_eq!(through, played, "what is played here is not open to strangers");

    // Another service, other protocols, a body that is no text.
    let aws = both.aws();
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let region = "<CreateBucketConfiguration><LocationConstraint>ap-northeast-2</LocationConstraint>\
                  </CreateBucketConfiguration>";
    let created = aws.send("s3", Method::PUT, "/bucket", &[], region.into()).await.expect("a bucket");
    assert!(created.status.is_success());
    aws.put_object("bucket", "a key/가 나+%2F.bin", "application/octet-stream", bytes.clone()).await.expect("stored");
    let straight = AwsClient::new(both.emulator.endpoint());
    assert_eq!(straight.list_objects("bucket", "").await.expect("a list").len(), 1);
    let path = "/bucket/a%20key/%EA%B0%80%20%EB%82%98%2B%252F.bin";
    let read = aws.send("s3", Method::GET, path, &[], Vec::new()).await.expect("an object");
    assert_eq!((read.status.as_u16(), read.body == bytes), (200, true));
    let tables = aws.json("dynamodb", "DynamoDB_20120810.ListTables", &json!({})).await.expect("tables");
    assert_eq!(tables, json!({"TableNames": []}));
}

#[tokio::test]
async fn topics_hear_of_failed_deliveries() {
    let both = Both::start("phones-topics");
    let (aws, admin) = (both.aws(), sdk(both.emulator.endpoint(), "test", "test", 1));
    let topic = admin.create_topic().name("failures").send().await.expect("a topic").topic_arn.expect("an ARN");
    let queue = aws.json("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": "failures"})).await.expect("a queue");
    let queue = queue["QueueUrl"].as_str().expect("an address");
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
    both.emulator.client().set_reachability("t", Reachability::Stale).await.expect("stale");
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

#[tokio::test]
async fn it_runs_beside_a_stack_and_ends_by_its_own_pid() {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_xtask"));
    let sidecar = Sidecar::start("phones-sidecar", program, "phones", &[]).expect("a sidecar");
    let phones = phones::Client::new(sidecar.endpoint());
    assert_eq!(phones.head().await.expect("it answers"), 0);
    assert_eq!(Sidecar::recorded("phones-sidecar", "phones").as_ref(), Some(&sidecar));
    sidecar.stop().expect("it ends");
    assert_eq!(Sidecar::recorded("phones-sidecar", "phones"), None);
    phones.head().await.expect_err("nobody answers");
    Sidecar::start("phones-sidecar", program, "phones", &["--upstream", "nowhere at all"]).expect_err("no start");
}
