//! The emulator as seen by the AWS SDK: the errors that functions get, and what phones display.

mod sdk;

use std::{num::NonZeroU32, time::Duration};

use aws_sdk_sns::{Client, types::MessageAttributeValue};
use domain::push::Platform;
use mobile_push::{Failure, Fault, MobilePushEmulator, Options, Profile, Reachability, UndisplayedReason};
use serde_json::{Value, json};

use sdk::{ServiceError, create_application, create_endpoint, sdk, service_error};

const TIMEOUT: Duration = Duration::from_secs(60);

/// An emulator with an application and a phone in Korean with the token `t`.
struct World {
    phones: mobile_push::Client,
    sns: Client,
    application: String,
    endpoint: String,
    _emulator: MobilePushEmulator,
}

impl World {
    async fn new(options: Options) -> Self {
        let emulator = MobilePushEmulator::start(options).expect("an emulator");
        let sns = sdk(emulator.endpoint(), "test", "test", 1);
        let application = create_application(&sns).await.expect("an application");
        let phones = emulator.client();
        let profile = Profile { name: "미나".into(), language: "ko-KR".into(), platform: Platform::Android };
        phones.register_phone("t", &profile).await.expect("a phone");
        let endpoint = create_endpoint(&sns, &application, "t").await.expect("an endpoint");
        Self { phones, sns, application, endpoint, _emulator: emulator }
    }

    async fn publish(&self, message: Value) -> Result<String, ServiceError> {
        let published = self.sns.publish().target_arn(&self.endpoint).message_structure("json");
        let published = published.message(fcm(&message)).send().await.map_err(service_error)?;
        Ok(published.message_id().expect("a message id").to_owned())
    }

    async fn undisplayed(&self) -> Vec<UndisplayedReason> {
        self.phones
            .undisplayed(0)
            .await
            .expect("undisplayed messages")
            .into_iter()
            .map(|message| message.reason)
            .collect()
    }

    async fn screen(&self) -> Vec<String> {
        let phone = self.phones.phone("t").await.expect("the phone");
        phone.screen.into_iter().map(|shown| shown.notice.title).collect()
    }
}

/// `InvalidParameter` with this message.
fn invalid(message: &str) -> ServiceError {
    (400, "InvalidParameter".to_owned(), format!("Invalid parameter: {message}"))
}

/// The parameter `Message` of `Publish` for an FCM message.
fn fcm(message: &Value) -> String {
    let gcm = json!({"fcmV1Message": {"message": message}}).to_string();
    json!({"default": "d", "GCM": gcm}).to_string()
}

fn note(title: &str, tag: &str) -> Value {
    json!({"android": {"collapse_key": tag, "notification": {"title": title, "tag": tag}}})
}

#[tokio::test]
async fn notification_is_in_the_phones_language_and_replaces_its_tag() {
    let world = World::new(Options::default()).await;
    let like = |who: &str| {
        json!({"data": {"category": "likes"}, "android": {"notification": {
            "title_loc_key": "push_like_story_title", "body_loc_key": "push_like_story_body_by_titled",
            "body_loc_args": [who, "첫눈"], "tag": "like:s1", "default_sound": true,
        }}})
    };
    let id = world.publish(like("준")).await.expect("accepted");
    let first = world.phones.wait_for_one(0, TIMEOUT, |shown| shown.message_id == id).await.expect("a notification");
    assert_eq!((first.phone.as_str(), first.notice.silent, first.replaced), ("미나", false, false));
    assert_eq!(first.notice.body, "준님이 ‘첫눈’ 이야기를 좋아해요.");
    assert_eq!(first.data.get("category").map(String::as_str), Some("likes"));
    world.publish(note("other", "x")).await.expect("accepted");
    world.publish(like("하나")).await.expect("accepted");
    let all = world.phones.wait_for_count(0, TIMEOUT, 3).await.expect("three notifications");
    assert!(all[2].replaced && all[2].received_at >= all[2].accepted_at);
    let screen = world.phones.phone("t").await.expect("the phone").screen;
    let bodies: Vec<_> = screen.iter().map(|shown| shown.notice.body.as_str()).collect();
    assert_eq!(bodies, ["하나님이 ‘첫눈’ 이야기를 좋아해요.", ""]);
}

#[tokio::test]
async fn endpoint_registration_behaves_as_on_aws() {
    let world = World::new(Options::default()).await;
    let same = create_endpoint(&world.sns, &world.application, "t").await;
    assert_eq!(same.as_ref(), Ok(&world.endpoint));
    let create = || world.sns.create_platform_endpoint().platform_application_arn(&world.application).token("t");
    let other = create().custom_user_data("jun").send().await.map_err(service_error).expect_err("other attributes");
    let message = format!(
        "Token Reason: Endpoint {} already exists with the same Token, but different attributes.",
        world.endpoint
    );
    assert_eq!(other, invalid(&message));

    world.phones.disable_endpoints("t").await.expect("disabled");
    let same = create_endpoint(&world.sns, &world.application, "t").await;
    assert_eq!(same.as_ref(), Ok(&world.endpoint), "the endpoint stays disabled");
    let get = || world.sns.get_endpoint_attributes().endpoint_arn(&world.endpoint);
    let attributes = get().send().await.expect("attributes").attributes.expect("attributes");
    assert_eq!((attributes["Enabled"].as_str(), attributes["Token"].as_str()), ("false", "t"));
    let set = world.sns.set_endpoint_attributes().endpoint_arn(&world.endpoint).attributes("Token", "t2");
    set.attributes("Enabled", "true").attributes("CustomUserData", "mina").send().await.expect("set");
    let attributes = get().send().await.expect("attributes").attributes.expect("attributes");
    assert_eq!((attributes["Enabled"].as_str(), attributes["CustomUserData"].as_str()), ("true", "mina"));

    let delete = || world.sns.delete_endpoint().endpoint_arn(&world.endpoint).send();
    delete().await.expect("deleted");
    delete().await.expect("deleting a missing endpoint succeeds");
    let missing = get().send().await.map_err(service_error).expect_err("deleted");
    assert_eq!(missing, (404, "NotFound".to_owned(), "Endpoint does not exist".to_owned()));
    let missing = world.publish(note("x", "x")).await.expect_err("deleted");
    assert_eq!(missing, invalid("TargetArn Reason: No endpoint found for the target arn specified"));
}

#[tokio::test]
async fn length_limits_return_the_errors_of_aws() {
    let world = World::new(Options::default()).await;
    let create = || world.sns.create_platform_endpoint().platform_application_arn(&world.application);
    let long = create().token("x".repeat(8193)).send().await.map_err(service_error).expect_err("too long");
    assert_eq!(long, invalid("Token Reason: must be at most 8192 bytes long in UTF-8 encoding"));
    let data = create().token("y").custom_user_data("x".repeat(2049)).send().await.map_err(service_error);
    let message = "Attributes Reason: Invalid value for attribute: CustomUserData: must be at most 2048 bytes long in \
                   UTF-8 encoding";
    assert_eq!(data.expect_err("too long"), invalid(message));
    let large = world.publish(json!({"data": {"x": "가".repeat(1400)}})).await.expect_err("too large");
    let message =
        "Message Reason: Invalid notification for protocol GCM: Notification data is larger than allowed limit";
    assert_eq!(large, invalid(message));
    let send =
        |body: &str| world.sns.publish().target_arn(&world.endpoint).message_structure("json").message(body).send();
    let bare = send(r#"{"GCM":"{}"}"#).await.map_err(service_error).expect_err("no default");
    assert_eq!(bare, invalid("Message Structure - No default entry in JSON message body"));
    // `GCM` is not a string: it is ignored without an error, and the default is a data message.
    send(r#"{"default":"d","GCM":{"fcmV1Message":{"message":{"notification":{"title":"t"}}}}}"#)
        .await
        .expect("accepted");
    assert_eq!(world.undisplayed().await, [UndisplayedReason::DataOnly]);
}

#[tokio::test]
async fn message_that_fcm_rejects_is_accepted_by_sns() {
    let world = World::new(Options::default()).await;
    for message in [json!({"data": {"n": 1}}), json!({"data": {"from": "x"}}), json!({"android": {"tll": "1s"}})] {
        world.publish(message).await.expect("accepted");
    }
    let reasons = world.undisplayed().await;
    assert!(
        reasons.len() == 3 && reasons.iter().all(|reason| matches!(reason, UndisplayedReason::Invalid(_))),
        "{reasons:?}"
    );
    world.publish(note("fine", "x")).await.expect("the endpoint is still enabled");
    assert_eq!(world.screen().await, ["fine"]);
}

#[tokio::test]
async fn stale_token_is_accepted_once_and_disables_the_endpoint() {
    let world = World::new(Options::default()).await;
    world.phones.set_reachability("t", Reachability::Stale).await.expect("stale");
    world.publish(note("x", "x")).await.expect("the endpoint is still enabled");
    assert_eq!(world.undisplayed().await, [UndisplayedReason::Stale]);
    let disabled = world.publish(note("x", "x")).await.expect_err("the endpoint is disabled");
    assert_eq!(disabled, (400, "EndpointDisabled".to_owned(), "Endpoint is disabled".to_owned()));
    let set = world.sns.set_platform_application_attributes().platform_application_arn(&world.application);
    set.attributes("Enabled", "false").send().await.expect("set");
    let disabled = world.publish(note("x", "x")).await.expect_err("the application is disabled");
    assert_eq!(disabled.1, "PlatformApplicationDisabled");
}

#[tokio::test]
async fn phone_online_again_receives_unexpired_messages() {
    let world = World::new(Options::default()).await;
    world.phones.set_reachability("t", Reachability::Offline).await.expect("offline");
    for (title, key) in [("a1", "a"), ("b1", "b"), ("a2", "a")] {
        world.publish(note(title, key)).await.expect("accepted");
    }
    let ttl = MessageAttributeValue::builder().data_type("Number").string_value("0").build().expect("a value");
    let publish = world.sns.publish().target_arn(&world.endpoint).message_structure("json");
    let publish = publish.message(fcm(&note("immediate", "n"))).message_attributes("AWS.SNS.MOBILE.FCM.TTL", ttl);
    publish.send().await.expect("accepted");
    assert!(world.screen().await.is_empty());
    world.phones.set_reachability("t", Reachability::Online).await.expect("online");
    assert_eq!(world.screen().await, ["b1", "a2"]);
    assert_eq!(world.undisplayed().await, [UndisplayedReason::Collapsed, UndisplayedReason::Expired]);
}

#[tokio::test]
async fn injected_fault_affects_the_given_number_of_calls() {
    let world = World::new(Options::default()).await;
    let twice = NonZeroU32::new(2);
    for (failure, status, code) in [
        (Failure::Throttled, 400, "Throttling"),
        (Failure::InternalError, 500, "InternalError"),
        (Failure::NotAuthorised, 403, "AuthorizationError"),
        (Failure::NotFound, 404, "NotFound"),
    ] {
        world.phones.inject_fault(Fault::new(failure).for_token("t"), twice).await.expect("injected");
        for _ in 0..2 {
            let (actual_status, actual_code, _) = world.publish(note("x", "x")).await.expect_err("a fault");
            assert_eq!((actual_status, actual_code.as_str()), (status, code));
        }
    }
    world.publish(note("through", "x")).await.expect("no more faults");
    assert_eq!(world.screen().await, ["through"]);
    assert!(world.phones.faults().await.expect("faults").iter().all(|fault| fault.hits == 2));

    // The SDK retries by itself.
    let retrying = sdk(world.phones.endpoint().to_owned(), "test", "test", 3);
    world.phones.inject_fault(Fault::new(Failure::Throttled), twice).await.expect("injected");
    let publish = retrying.publish().target_arn(&world.endpoint).message_structure("json");
    publish.message(fcm(&note("third time", "y"))).send().await.expect("the third attempt");
    assert_eq!(world.screen().await, ["through", "third time"]);
}

#[tokio::test]
async fn lost_response_with_retry_publishes_twice() {
    let world = World::new(Options::default()).await;
    world.phones.inject_fault(Fault::new(Failure::LostAnswer), NonZeroU32::new(1)).await.expect("injected");
    let publish = || world.sns.publish().target_arn(&world.endpoint).message_structure("json");
    let error = publish().message(fcm(&note("once", "x"))).send().await.expect_err("no response");
    assert!(error.raw_response().is_none(), "{error:?}");
    assert_eq!(world.screen().await, ["once"], "the message was accepted");
    let retrying = sdk(world.phones.endpoint().to_owned(), "test", "test", 2);
    world.phones.inject_fault(Fault::new(Failure::LostAnswer), NonZeroU32::new(1)).await.expect("injected");
    let publish = retrying.publish().target_arn(&world.endpoint).message_structure("json");
    publish.message(fcm(&note("twice", "x"))).send().await.expect("the second attempt");
    let shown = world.phones.notifications(0).await.expect("notifications");
    assert_eq!(shown.iter().filter(|shown| shown.notice.title == "twice").count(), 2);
    assert_eq!(world.screen().await, ["twice"], "the tag replaces the first one");
}

#[tokio::test]
async fn lookup_of_a_new_endpoint_can_fail() {
    let world = World::new(Options { lookup_lag: Duration::from_secs(3600), ..Options::default() }).await;
    let get = world.sns.get_endpoint_attributes().endpoint_arn(&world.endpoint);
    assert_eq!(get.send().await.map_err(service_error).expect_err("not found yet").1, "NotFound");
    world.publish(note("x", "x")).await.expect("SNS finds the endpoint");

    let world = World::new(Options::default()).await;
    let fault = Fault::new(Failure::NotFound).for_action("GetEndpointAttributes");
    world.phones.inject_fault(fault, NonZeroU32::new(1)).await.expect("injected");
    let get = || world.sns.get_endpoint_attributes().endpoint_arn(&world.endpoint).send();
    assert_eq!(get().await.map_err(service_error).expect_err("not found yet").1, "NotFound");
    get().await.expect("found");
}

#[tokio::test]
async fn lists_are_paged_and_contain_no_credentials() {
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

#[tokio::test]
async fn other_call_without_upstream_returns_501() {
    let world = World::new(Options::default()).await;
    let topics = world.sns.list_topics().send().await;
    assert_eq!(service_error(topics.expect_err("an error")).0, 501);
}
