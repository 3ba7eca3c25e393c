//! What SNS is handed for one phone: a message for FCM, in the form of its HTTP v1 API.
//!
//! It holds no text, only localisation keys and what fills their places: phones speak the language
//! of their owners. Plain texts must not stand beside the keys: Android would show those.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Event, Rule, cut::cut,
    rules::{Said, Words},
};

/// The most that FCM takes. It counts notification and data only; here, all that is sent counts.
pub const FCM_MAX_BYTES: usize = 4_096;
/// The longest `apns-collapse-id` (Apple, "Sending notification requests to APNs").
const MAX_COLLAPSE_ID_BYTES: usize = 64;
/// The Android channel without a sound.
const QUIET_CHANNEL: &str = "quiet";

/// A notification, the same for all who get it.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// By which it is sent.
    pub rule: &'a Rule,
    /// What happened.
    pub event: &'a Event,
    /// The person whose doing it was.
    pub actor: &'a str,
    /// What can be said.
    pub words: &'a Words,
}

/// Why there is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMessage {
    /// It is older than the rule lets it be.
    #[error("the notification has expired")]
    Expired,
    /// The ids alone take more than FCM allows.
    #[error("the notification takes more than {FCM_MAX_BYTES} bytes without any name")]
    TooLarge,
}

impl Notification<'_> {
    /// The `Message` of `Publish` with `MessageStructure=json`: `{"default":…,"GCM":"<JSON>"}`.
    ///
    /// What fills places in texts is cut until all fits in, each argument to the same length.
    pub fn message(&self, silent: bool, now: Timestamp) -> Result<String, NoMessage> {
        let left = self.event.time_left(self.rule, now).ok_or(NoMessage::Expired)?;
        let (title, body) = self.words.say(self.rule).ok_or(NoMessage::TooLarge)?;
        let whole = |max_arg_bytes: usize| {
            let shorter = |said: &Said| Said {
                key: said.key.clone(),
                args: said.args.iter().map(|arg| cut(arg, max_arg_bytes)).collect(),
            };
            self.gcm(&shorter(&title), &shorter(&body), silent, now, left.as_secs().max(1))
        };
        let longest = title.args.iter().chain(&body.args).map(String::len).max().unwrap_or_default();
        let max_arg_bytes = largest_fitting(longest, |bytes| whole(bytes).len() <= FCM_MAX_BYTES);
        let gcm = whole(max_arg_bytes.ok_or(NoMessage::TooLarge)?);
        // `default` must be there, and is for endpoints of other services: there are none.
        Ok(json!({"default": self.rule.id, "GCM": gcm}).to_string())
    }

    fn gcm(&self, title: &Said, body: &Said, silent: bool, now: Timestamp, seconds_left: i64) -> String {
        let Self { rule, event, .. } = self;
        let category = rule.category.as_str();
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
            // For Android before 8, which knows no channels.
            android["notification_priority"] = json!("PRIORITY_LOW");
        } else {
            aps["sound"] = json!("default");
            android["default_sound"] = json!(true);
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

    /// For the app: all of them texts, none with a name that FCM keeps for itself.
    fn data(&self) -> Value {
        let Self { rule, event, actor, .. } = self;
        json!({
            "event": event.id,
            "rule": rule.id,
            "category": rule.category.as_str(),
            "actor": actor,
            "source": event.from,
            "target": event.to,
            "committed_at": event.committed_at.to_string(),
        })
    }
}

/// The largest number up to `most` that fits, if what fits goes on to fit when it is made smaller.
fn largest_fitting(most: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
    if fits(most) {
        return Some(most);
    }
    if !fits(0) {
        return None;
    }
    let (mut fitting, mut too_large) = (0, most);
    while too_large - fitting > 1 {
        let middle = fitting.midpoint(too_large);
        if fits(middle) { fitting = middle } else { too_large = middle }
    }
    Some(fitting)
}
