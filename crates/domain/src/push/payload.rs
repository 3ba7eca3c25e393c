//! SNS messages for one phone, with a payload for FCM in the form of its HTTP v1 API.
//!
//! The payload has localization keys and arguments, and the phone looks the text up in its language. It
//! must not contain plain texts beside the keys, because Android would display those.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Event, Rule,
    template::{LocalizedText, TemplateArgs},
    truncate::truncate,
};
use crate::message::escape_noncharacters;

/// Largest payload in bytes. FCM's limit counts notification and data only; here the whole payload counts.
pub const FCM_MAX_BYTES: usize = 4_096;
/// Longest `apns-collapse-id` in bytes (Apple, "Sending notification requests to APNs").
const MAX_COLLAPSE_ID_BYTES: usize = 64;
/// Android channel without a sound.
const QUIET_CHANNEL: &str = "quiet";

/// A notification, the same for all recipients.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// The rule that sends it.
    pub rule: &'a Rule,
    /// The event it is about.
    pub event: &'a Event,
    /// Id of the person who caused the event.
    pub actor: &'a str,
    /// Arguments of the template.
    pub args: &'a TemplateArgs,
    /// Whether the text has no arguments, so that neither names nor titles reach the phone. Ids stay: the app needs them to
    /// open what the notification is about.
    pub hides_content: bool,
    /// Number of unread notifications, for the app's badge. `None`: the phone keeps its badge.
    pub badge: Option<u32>,
}

/// Why a notification has no payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is older than the rule's time to live.
    #[error("the notification has expired")]
    Expired,
    /// It exceeds FCM's limit even with empty arguments.
    #[error("the notification takes more than {FCM_MAX_BYTES} bytes without arguments")]
    TooLarge,
}

impl Notification<'_> {
    /// The `Message` of SNS's `Publish` with `MessageStructure=json`: `{"default":…,"GCM":"<JSON>"}`.
    ///
    /// If the payload is too large, all arguments are truncated to one length that fits.
    pub fn sns_message(&self, silent: bool, now: Timestamp) -> Result<String, PayloadError> {
        let time_left = self.event.time_left(self.rule, now).ok_or(PayloadError::Expired)?;
        let args = if self.hides_content { &TemplateArgs::default() } else { self.args };
        let (title, body) = args.fill_template(self.rule).ok_or(PayloadError::TooLarge)?;
        let payload = |max_arg_bytes: usize| {
            let truncated = |text: &LocalizedText| LocalizedText {
                key: text.key.clone(),
                args: text.args.iter().map(|arg| truncate(arg, max_arg_bytes)).collect(),
            };
            self.gcm(&truncated(&title), &truncated(&body), silent, now, time_left.as_secs().max(1))
        };
        let longest = title.args.iter().chain(&body.args).map(String::len).max().unwrap_or_default();
        let max_arg_bytes = largest_fitting(longest, |bytes| payload(bytes).len() <= FCM_MAX_BYTES);
        let gcm = payload(max_arg_bytes.ok_or(PayloadError::TooLarge)?);
        // SNS requires `default`, which it sends to endpoints of other services. There are none.
        Ok(escape_noncharacters(json!({"default": self.rule.id, "GCM": gcm}).to_string()))
    }

    fn gcm(
        &self,
        title: &LocalizedText,
        body: &LocalizedText,
        silent: bool,
        now: Timestamp,
        seconds_left: i64,
    ) -> String {
        let Self { rule, event, .. } = self;
        let category = rule.category.as_ref();
        let tag = format!("{}:{}", rule.id, rule.vertex(rule.replaces_by, event));
        let collapse_id =
            if tag.len() <= MAX_COLLAPSE_ID_BYTES { tag.clone() } else { format!("{:x}", Sha256::digest(&tag)) };
        let mut aps = json!({
            "alert": {
                "title-loc-key": title.key, "title-loc-args": title.args, "loc-key": body.key, "loc-args": body.args
            },
            "thread-id": format!("{category}:{}", rule.vertex(rule.groups_by, event)),
            "interruption-level": if silent { "passive" } else { "active" },
        });
        let mut android = json!({
            "title_loc_key": title.key, "title_loc_args": title.args,
            "body_loc_key": body.key, "body_loc_args": body.args,
            "tag": tag,
            "channel_id": if silent { QUIET_CHANNEL } else { category },
        });
        if silent {
            // For Android before version 8, which has no channels.
            android["notification_priority"] = json!("PRIORITY_LOW");
        } else {
            aps["sound"] = json!("default");
            android["default_sound"] = json!(true);
        }
        if let Some(badge) = self.badge {
            aps["badge"] = json!(badge);
            android["notification_count"] = json!(badge);
        }
        let message = json!({
            "data": self.data(),
            "android": {
                "priority": if silent { "normal" } else { "high" },
                "ttl": format!("{seconds_left}s"),
                "collapse_key": rule.collapse_key,
                "notification": android,
            },
            "apns": {
                "headers": {
                    "apns-collapse-id": collapse_id,
                    "apns-expiration": (now.as_second().saturating_add(seconds_left)).to_string(),
                    "apns-priority": if silent { "5" } else { "10" },
                },
                "payload": {"aps": aps},
            },
        });
        json!({"fcmV1Message": {"validate_only": false, "message": message}}).to_string()
    }

    /// Data for the app. FCM requires strings, and reserves some names.
    fn data(&self) -> Value {
        let Self { rule, event, actor, .. } = self;
        json!({
            "event": event.id,
            "rule": rule.id,
            "category": rule.category,
            "actor": actor,
            "source": event.from,
            "target": event.to,
            "committed_at": event.committed_at.to_string(),
        })
    }
}

/// The largest number up to `max` that fits, by bisection: if a number fits, all smaller ones do.
fn largest_fitting(max: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
    if fits(max) {
        return Some(max);
    }
    if !fits(0) {
        return None;
    }
    let (mut fitting, mut too_large) = (0, max);
    while too_large - fitting > 1 {
        let middle = fitting.midpoint(too_large);
        if fits(middle) { fitting = middle } else { too_large = middle }
    }
    Some(fitting)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        graph::ChangeKind,
        push::{
            rules,
            testing::{COMMIT_MS, edge, received},
            texts,
        },
    };

    fn event(label: &str, from: &str, to: &str) -> Event {
        let event = Event::of(&received(edge(ChangeKind::Added, 7, "e1", "likes", from, to))).expect("an event");
        Event { label: label.to_owned(), ..event }
    }

    fn now() -> Timestamp {
        Timestamp::from_millisecond(COMMIT_MS).expect("a time") + SignedDuration::from_secs(400)
    }

    fn args(name: &str, title: &str) -> TemplateArgs {
        TemplateArgs {
            actor_name: Some(name.into()),
            source_title: Some(title.into()),
            target_title: Some(title.into()),
        }
    }

    fn build(rule: &str, event: &Event, args: &TemplateArgs, silent: bool) -> Result<(String, Value), PayloadError> {
        build_from(
            Notification {
                rule: rules::by_id(rule).expect("a rule"),
                event,
                actor: "mina",
                args,
                hides_content: false,
                badge: Some(3),
            },
            silent,
        )
    }

    fn build_from(notification: Notification<'_>, silent: bool) -> Result<(String, Value), PayloadError> {
        let message = notification.sns_message(silent, now())?;
        let message: Value = serde_json::from_str(&message).expect("JSON");
        assert!(message["default"].is_string());
        let gcm = message["GCM"].as_str().expect("a string").to_owned();
        let read: Value = serde_json::from_str(&gcm).expect("JSON in JSON");
        Ok((gcm, read["fcmV1Message"]["message"].clone()))
    }

    #[test]
    fn payload_has_localization_keys_for_android_and_ios() {
        let event = event("likes", "mina", "s1");
        let (_, message) = build("like-story", &event, &args("미나", "첫눈"), false).expect("a message");
        let android = &message["android"];
        assert_eq!(android["priority"], "high");
        assert_eq!(android["ttl"], "86000s");
        assert_eq!(android["collapse_key"], "likes");
        let notification = &android["notification"];
        assert_eq!(notification["body_loc_key"], "push_like_story_body_by_titled");
        assert_eq!(notification["body_loc_args"], json!(["미나", "첫눈"]));
        assert_eq!(notification["tag"], "like-story:s1");
        assert_eq!(notification["channel_id"], "likes");
        assert_eq!(notification["notification_count"], 3);
        let apns = &message["apns"];
        assert_eq!(apns["headers"]["apns-collapse-id"], "like-story:s1");
        let expiration = now().as_second() + 86_000;
        assert_eq!(apns["headers"]["apns-expiration"], expiration.to_string());
        let aps = &apns["payload"]["aps"];
        assert_eq!(aps["alert"]["loc-key"], "push_like_story_body_by_titled");
        assert_eq!(aps["alert"]["loc-args"], json!(["미나", "첫눈"]));
        assert_eq!((&aps["sound"], &aps["thread-id"]), (&json!("default"), &json!("likes:s1")));
        assert_eq!(aps["badge"], 3);
        assert_eq!(message["data"]["rule"], "like-story");
        assert_eq!(message["data"]["event"], "main/7/1");
        assert!(message.get("notification").is_none(), "Android would display its plain text");
    }

    #[test]
    fn silent_payload_has_no_sound() {
        let event = event("likes", "mina", "s1");
        let (gcm, message) = build("like-story", &event, &args("미나", "첫눈"), true).expect("a message");
        assert!(!gcm.contains("sound"), "{gcm}");
        assert_eq!(message["android"]["notification"]["channel_id"], "quiet");
        assert_eq!(message["apns"]["headers"]["apns-priority"], "5");
        assert_eq!(message["apns"]["payload"]["aps"]["interruption-level"], "passive");
    }

    #[test]
    fn long_tag_is_hashed_for_apns() {
        let story = "s".repeat(80);
        let (_, message) =
            build("like-story", &event("likes", "mina", &story), &TemplateArgs::default(), false).expect("fits");
        let id = message["apns"]["headers"]["apns-collapse-id"].as_str().expect("a text");
        assert_eq!(id.len(), 64);
        assert_eq!(message["android"]["notification"]["tag"], format!("like-story:{story}"));
    }

    #[test]
    fn expired_or_too_large_notification_has_no_payload() {
        let mut old = event("likes", "mina", "s1");
        old.committed_at -= SignedDuration::from_hours(24);
        assert_eq!(build("like-story", &old, &TemplateArgs::default(), false), Err(PayloadError::Expired));
        let huge = event("likes", "mina", &"s".repeat(4_000));
        assert_eq!(build("like-story", &huge, &TemplateArgs::default(), false), Err(PayloadError::TooLarge));
    }

    #[test]
    fn long_korean_names_are_truncated_as_little_as_needed() {
        let long = "가".repeat(2_000);
        let (gcm, message) =
            build("like-story", &event("likes", "mina", "s1"), &args(&long, &long), false).expect("fits");
        // Two arguments, each for Android and for iOS: one more syllable each takes 12 bytes.
        assert!((FCM_MAX_BYTES - 12..=FCM_MAX_BYTES).contains(&gcm.len()), "{}", gcm.len());
        let arg = message["android"]["notification"]["body_loc_args"][0].as_str().expect("a text");
        assert!(arg.ends_with("가…") && arg.len() > 300, "{arg}");
    }

    proptest! {
        #[test]
        fn payload_with_hidden_content_is_the_same_for_all_names_and_titles(
            name in "\\PC{0,600}", title in "(?s).{0,3000}", silent: bool, rule in prop::sample::select(rules::all())
        ) {
            let (event, args) = (event(&rule.when.edge, "mina", "s1"), args(&name, &title));
            let build = |args| build_from(
                Notification { rule: &rule, event: &event, actor: "mina", args, hides_content: true, badge: Some(3) }, silent
            );
            let (gcm, message) = build(&args).expect("a message");
            prop_assert_eq!(&gcm, &build(&TemplateArgs::default()).expect("a message").0);
            let notification = &message["android"]["notification"];
            let key = |part: &str| format!("push_{}_{part}", rule.id.replace('-', "_"));
            prop_assert_eq!(&notification["title_loc_key"], &key("title"));
            prop_assert_eq!(&notification["body_loc_key"], &key("body"));
            prop_assert_eq!((&notification["title_loc_args"], &notification["body_loc_args"]), (&json!([]), &json!([])));
        }

        #[test]
        fn any_payload_fits_and_is_well_formed(
            name in "\\PC{0,600}", title in "(?s).{0,3000}", silent: bool, rule in prop::sample::select(rules::all())
        ) {
            let event = event(&rule.when.edge, "mina", "s1");
            let (gcm, message) = build(&rule.id, &event, &args(&name, &title), silent).expect("a message");
            prop_assert!(gcm.len() <= FCM_MAX_BYTES);
            for (key, value) in message["data"].as_object().expect("an object") {
                prop_assert!(value.is_string());
                prop_assert!(!["from", "gcm", "message_type"].contains(&key.as_str()) && !key.starts_with("google"));
            }
            let notification = &message["android"]["notification"];
            for part in ["title", "body"] {
                let key = notification[format!("{part}_loc_key")].as_str().expect("a key");
                let args: Vec<String> =
                    serde_json::from_value(notification[format!("{part}_loc_args")].clone()).expect("texts");
                for language in ["ko", "en"] {
                    let text = texts::localise(language, key, &args).expect("a text");
                    prop_assert!(args.iter().all(|arg| text.contains(arg)));
                }
            }
        }
    }
}
