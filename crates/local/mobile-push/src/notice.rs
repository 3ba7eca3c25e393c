use domain::push::{Platform, texts::localise};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::{AndroidNotification, Message};

/// The part of a message that the operating system displays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Title.
    pub title: String,
    /// Body.
    pub body: String,
    /// Replaces the displayed notification with the same tag.
    pub tag: Option<String>,
    /// Whether it is silent.
    pub silent: bool,
}

impl Notice {
    /// The notice of a message. `None` if the message is for the app only.
    pub fn of(message: &Message, platform: Platform, language: &str) -> Option<Self> {
        if !message.is_displayed() {
            return None;
        }
        match platform {
            Platform::Android => Some(on_android(message, language)),
            Platform::Ios => Some(on_ios(message, language)),
        }
    }
}

/// Firebase's SDK for Android: a literal text takes precedence over a localized one.
fn on_android(message: &Message, language: &str) -> Notice {
    let none = AndroidNotification::default();
    let own = message.android.notification.as_ref().unwrap_or(&none);
    let common = message.notification.clone().unwrap_or_default();
    let text = |plain: &Option<String>, common: Option<String>, key: &Option<String>, args: &[String]| {
        let localised = || localise(language, key.as_deref()?, args);
        plain.clone().or(common).or_else(localised).unwrap_or_default()
    };
    let is_low = matches!(own.notification_priority.as_deref(), Some("PRIORITY_LOW" | "PRIORITY_MIN"));
    Notice {
        title: text(&own.title, common.title, &own.title_loc_key, &own.title_loc_args),
        body: text(&own.body, common.body, &own.body_loc_key, &own.body_loc_args),
        tag: own.tag.clone(),
        silent: is_low || (own.sound.is_none() && !own.default_sound),
    }
}

/// Apple, "Generating a remote notification": a localized text takes precedence over a literal one.
fn on_ios(message: &Message, language: &str) -> Notice {
    let aps = &message.apns.payload["aps"];
    let alert = &aps["alert"];
    let common = message.notification.clone().unwrap_or_default();
    let text = |key: &str, args: &str, plain: &Value, common: Option<String>| {
        let args: Vec<String> = texts(&alert[args]);
        let localised = alert[key].as_str().and_then(|key| localise(language, key, &args));
        localised.or_else(|| plain.as_str().map(str::to_owned)).or(common).unwrap_or_default()
    };
    let plain_body = if alert.is_string() { alert } else { &alert["body"] };
    Notice {
        title: text("title-loc-key", "title-loc-args", &alert["title"], common.title),
        body: text("loc-key", "loc-args", plain_body, common.body),
        tag: message.apns.headers.get("apns-collapse-id").cloned(),
        silent: aps["sound"].is_null(),
    }
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::message::FcmRequest;

    fn shown(message: Value, platform: Platform, language: &str) -> Option<Notice> {
        let gcm = json!({"fcmV1Message": {"message": message}}).to_string();
        let body = json!({"default": "d", "GCM": gcm}).to_string();
        let request = FcmRequest::of(&body, true, &BTreeMap::new()).unwrap();
        Notice::of(&request.message.unwrap(), platform, language)
    }

    fn like() -> Value {
        json!({
            "android": {"notification": {
                "title_loc_key": "push_like_story_title", "body_loc_key": "push_like_story_body_by_titled",
                "body_loc_args": ["미나", "첫눈"], "tag": "like:s1", "default_sound": true,
            }},
            "apns": {
                "headers": {"apns-collapse-id": "like:s1"},
                "payload": {"aps": {"sound": "default", "alert": {
                    "title-loc-key": "push_like_story_title", "loc-key": "push_like_story_body_by_titled",
                    "loc-args": ["미나", "첫눈"],
                }}},
            },
        })
    }

    #[test]
    fn notice_is_in_the_phones_language_on_both_platforms() {
        for platform in [Platform::Android, Platform::Ios] {
            let korean = shown(like(), platform, "ko-KR").unwrap();
            let english = shown(like(), platform, "en").unwrap();
            assert_eq!(korean.body, "미나님이 ‘첫눈’ 이야기를 좋아해요.");
            assert_eq!(english.body, "미나 likes your story “첫눈”.");
            assert_ne!(korean.title, english.title);
            assert_eq!((english.tag.as_deref(), english.silent), (Some("like:s1"), false));
        }
    }

    #[test]
    fn literal_text_takes_precedence_on_android_only() {
        let mut message = like();
        message["notification"] = json!({"title": "plain", "body": "plain"});
        assert_eq!(shown(message.clone(), Platform::Android, "en").unwrap().body, "plain");
        assert_eq!(shown(message, Platform::Ios, "en").unwrap().body, "미나 likes your story “첫눈”.");
    }

    #[test]
    fn low_priority_or_missing_sound_is_silent() {
        let mut message = like();
        message["android"]["notification"]["notification_priority"] = json!("PRIORITY_LOW");
        assert!(shown(message, Platform::Android, "en").unwrap().silent);
        let mut message = like();
        message["android"]["notification"]["default_sound"] = json!(false);
        message["apns"]["payload"]["aps"]["sound"] = Value::Null;
        assert!(shown(message.clone(), Platform::Android, "en").unwrap().silent);
        assert!(shown(message, Platform::Ios, "en").unwrap().silent);
    }

    #[test]
    fn data_message_is_not_displayed() {
        assert_eq!(shown(json!({"data": {"a": "b"}}), Platform::Android, "en"), None);
        let push = json!({"apns": {"payload": {"aps": {"content-available": 1}}}});
        assert_eq!(shown(push, Platform::Ios, "en"), None);
    }

    #[test]
    fn unknown_localization_key_displays_nothing() {
        let message = json!({"android": {"notification": {"title_loc_key": "no_such_key"}}});
        assert_eq!(shown(message, Platform::Android, "en").unwrap().title, "");
    }
}
