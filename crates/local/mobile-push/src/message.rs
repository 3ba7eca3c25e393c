use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::sns_error::SnsError;

/// The most that FCM takes. It says of what: here, all that SNS is given for it counts.
const MAX_BYTES: usize = 4096;
/// The longest time to live, and what is taken where none is given: four weeks, in seconds.
const MAX_TTL: i64 = 28 * 24 * 60 * 60;
/// The message attributes that say how long a message lives, in seconds; the first one wins.
const TTL_ATTRIBUTES: [&str; 2] = ["AWS.SNS.MOBILE.FCM.TTL", "AWS.SNS.MOBILE.GCM.TTL"];

/// What `Publish` hands to FCM.
#[derive(Debug, Clone, PartialEq)]
pub struct FcmRequest {
    /// The message, or why FCM answers `INVALID_ARGUMENT`.
    pub message: Result<Message, String>,
    /// For how many seconds it may wait for a phone.
    pub ttl: i64,
}

/// A message of FCM's HTTP v1 API, as far as SNS lets one through (Firebase, "REST Resource:
/// projects.messages"). Fields that this does not look at are known by name, so that misspelt ones
/// are found.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Message {
    /// Shown on every platform.
    pub notification: Option<Notification>,
    /// For the app.
    data: BTreeMap<String, Value>,
    /// For Android only.
    pub android: Android,
    /// For iOS only.
    pub apns: Apns,
    webpush: Value,
    fcm_options: Value,
    name: Value,
}

/// A notification for every platform.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notification {
    /// Its title.
    pub title: Option<String>,
    /// Its text.
    pub body: Option<String>,
    image: Value,
}

/// What is for Android only.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Android {
    /// While a phone cannot be reached, only the last message of a key is kept for it.
    pub collapse_key: Option<String>,
    /// As in `3600s`.
    ttl: Option<String>,
    /// The notification.
    pub notification: Option<AndroidNotification>,
    data: BTreeMap<String, Value>,
    priority: Value,
    restricted_package_name: Value,
    fcm_options: Value,
    direct_boot_ok: Value,
    bandwidth_constrained_ok: Value,
    restricted_satellite_ok: Value,
}

/// A notification for Android.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AndroidNotification {
    /// Its title. It comes before the key.
    pub title: Option<String>,
    /// Its text. It comes before the key.
    pub body: Option<String>,
    /// The app's text to be its title.
    pub title_loc_key: Option<String>,
    /// What fills that text's places.
    pub title_loc_args: Vec<String>,
    /// The app's text to be its text.
    pub body_loc_key: Option<String>,
    /// What fills that text's places.
    pub body_loc_args: Vec<String>,
    /// It replaces what is shown with the same tag.
    pub tag: Option<String>,
    /// The sound.
    pub sound: Option<String>,
    /// Whether it sounds as the phone's owner wants.
    pub default_sound: bool,
    /// Below `PRIORITY_DEFAULT` it makes no sound.
    pub notification_priority: Option<String>,
    icon: Value,
    color: Value,
    click_action: Value,
    channel_id: Value,
    ticker: Value,
    sticky: Value,
    event_time: Value,
    local_only: Value,
    default_vibrate_timings: Value,
    default_light_settings: Value,
    vibrate_timings: Value,
    visibility: Value,
    notification_count: Value,
    light_settings: Value,
    image: Value,
    proxy: Value,
}

/// What is for iOS only: FCM hands it to APNs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Apns {
    /// Request headers; all of them are texts.
    pub headers: BTreeMap<String, String>,
    /// The payload, with `aps` in it.
    pub payload: Value,
    fcm_options: Value,
    live_activity_token: Value,
}

/// What stands in `GCM`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "fcmV1Message")]
    message: Request,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    validate_only: bool,
    message: Message,
}

impl FcmRequest {
    /// What SNS makes of the parameters of `Publish`: `structured` if `MessageStructure` is `json`.
    pub fn of(message: &str, structured: bool, attributes: &BTreeMap<String, String>) -> Result<Self, SnsError> {
        let ttl = ttl_of(attributes)?;
        if message.is_empty() {
            return Err(SnsError::invalid("Message", "Empty message"));
        }
        let plain = |text: &str| Message {
            data: BTreeMap::from([("default".to_owned(), Value::String(text.to_owned()))]),
            ..Message::default()
        };
        if !structured {
            return Ok(Self { message: Ok(plain(message)), ttl: ttl.unwrap_or(MAX_TTL) });
        }
        let Ok(Value::Object(bodies)) = serde_json::from_str(message) else {
            return Err(SnsError::invalid("Message Structure", "JSON message body failed to parse"));
        };
        // Anything but a text is as good as nothing.
        let body = |platform: &str| bodies.get(platform).and_then(Value::as_str);
        let (default, gcm) = match (body("default"), body("GCM")) {
            (Some(default), gcm) => (default, gcm),
            (None, Some(_)) => {
                let message = "Invalid parameter: Message Structure - No default entry in JSON message body";
                return Err(SnsError::invalid_message(message));
            }
            (None, None) => {
                let message = "Invalid parameter: JSON must contain an entry for 'default' or 'GCM'.";
                return Err(SnsError::invalid_message(message));
            }
        };
        let Some(gcm) = gcm else { return Ok(Self { message: Ok(plain(default)), ttl: ttl.unwrap_or(MAX_TTL) }) };
        let refused =
            |reason: &str| SnsError::invalid("Message", &format!("Invalid notification for protocol GCM: {reason}"));
        if gcm.len() > MAX_BYTES {
            return Err(refused("Notification data is larger than allowed limit"));
        }
        if !serde_json::from_str::<Value>(gcm).is_ok_and(|value| value.is_object()) {
            return Err(refused("Notification is malformed"));
        }
        let message = Message::parse(gcm);
        let ttl = ttl.or_else(|| message.as_ref().ok()?.ttl()).unwrap_or(MAX_TTL);
        Ok(Self { message, ttl })
    }
}

impl Message {
    /// Reads and checks a message as FCM does.
    fn parse(gcm: &str) -> Result<Self, String> {
        let Envelope { message: Request { validate_only, message } } =
            serde_json::from_str(gcm).map_err(|error| error.to_string())?;
        for (index, (key, value)) in message.data.iter().chain(&message.android.data).enumerate() {
            if !value.is_string() {
                return Err(format!("Invalid value at 'message.data[{index}].value' (TYPE_STRING), {value}"));
            }
            if is_reserved(key) {
                return Err(format!("Invalid data payload key: {key}"));
            }
        }
        if message.android.ttl.is_some() && message.ttl().is_none() {
            return Err(
                "Invalid value at 'message.android.ttl' (type.googleapis.com/google.protobuf.Duration)".to_owned()
            );
        }
        if validate_only { Err(VALIDATE_ONLY.to_owned()) } else { Ok(message) }
    }

    /// What the app is given.
    pub fn data(&self) -> BTreeMap<String, String> {
        let texts = self.data.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        texts.collect()
    }

    /// Whether an operating system shows anything of it.
    pub fn is_shown(&self) -> bool {
        self.notification.is_some()
            || self.android.notification.is_some()
            || self.apns.payload["aps"]["alert"] != Value::Null
    }

    fn ttl(&self) -> Option<i64> {
        let seconds: f64 = self.android.ttl.as_deref()?.strip_suffix('s')?.parse().ok()?;
        // Fractions of a second are none for a phone.
        (0.0..=MAX_TTL as f64).contains(&seconds).then_some(seconds as i64)
    }
}

/// UndisplayedReason a message that is only to be checked is not sent.
pub const VALIDATE_ONLY: &str = "validate_only";

/// Keys of `data` that FCM keeps for itself.
fn is_reserved(key: &str) -> bool {
    matches!(key, "from" | "gcm" | "message_type") || key.starts_with("google") || key.starts_with("gcm.")
}

fn ttl_of(attributes: &BTreeMap<String, String>) -> Result<Option<i64>, SnsError> {
    let Some(text) = TTL_ATTRIBUTES.iter().find_map(|name| attributes.get(*name)) else { return Ok(None) };
    match text.parse() {
        Ok(ttl) if (0..=MAX_TTL).contains(&ttl) => Ok(Some(ttl)),
        _ => Err(SnsError::invalid("MessageAttributes", "Invalid value for the time to live of protocol GCM")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn publish(message: &Value) -> Result<FcmRequest, SnsError> {
        FcmRequest::of(&message.to_string(), true, &BTreeMap::new())
    }

    /// What is handed to FCM if `message` is FCM's.
    fn sent(message: Value) -> FcmRequest {
        let gcm = json!({"fcmV1Message": {"message": message}}).to_string();
        publish(&json!({"default": "d", "GCM": gcm})).unwrap()
    }

    fn why(message: Value) -> String {
        sent(message).message.expect_err("FCM refuses it")
    }

    #[test]
    fn gcm_is_a_text_or_nothing() {
        let data = |message: Value| publish(&message).unwrap().message.unwrap().data();
        let fallen_back = BTreeMap::from([("default".to_owned(), "d".to_owned())]);
        assert_eq!(data(json!({"default": "d", "GCM": {"fcmV1Message": {"message": {}}}})), fallen_back);
        assert_eq!(data(json!({"default": "d"})), fallen_back);
        let unstructured = FcmRequest::of("d", false, &BTreeMap::new()).unwrap();
        assert_eq!(unstructured.message.unwrap().data(), fallen_back);
    }

    #[test]
    fn there_must_be_a_default() {
        let message = |bodies| publish(&bodies).unwrap_err().message;
        let missing = "Invalid parameter: Message Structure - No default entry in JSON message body";
        assert_eq!(message(json!({"GCM": "{}"})), missing);
        let nothing = "Invalid parameter: JSON must contain an entry for 'default' or 'GCM'.";
        assert_eq!(message(json!({"GCM": {}})), nothing);
        assert_eq!(message(json!({"gcm": "{}"})), nothing);
        let refused = FcmRequest::of("no json", true, &BTreeMap::new()).unwrap_err();
        assert_eq!(refused.message, "Invalid parameter: Message Structure Reason: JSON message body failed to parse");
    }

    #[test]
    fn four_kilobytes_and_no_more() {
        let gcm = |bytes: usize| {
            let empty = json!({"fcmV1Message": {"message": {"data": {"x": ""}}}}).to_string();
            // Three bytes, and the rest of one each.
            let text = "가".to_owned() + &"y".repeat(bytes - empty.len() - 3);
            json!({"fcmV1Message": {"message": {"data": {"x": text}}}}).to_string()
        };
        assert_eq!(gcm(4096).len(), 4096);
        assert!(publish(&json!({"default": "d", "GCM": gcm(4096)})).unwrap().message.is_ok());
        let refused = publish(&json!({"default": "d", "GCM": gcm(4097)})).unwrap_err();
        let message = "Invalid parameter: Message Reason: Invalid notification for protocol GCM: Notification data is \
                       larger than allowed limit";
        assert_eq!((refused.code, refused.message.as_str()), ("InvalidParameter", message));
        publish(&json!({"default": "d", "GCM": "no json"})).expect_err("malformed");
    }

    #[test]
    fn fcm_checks_what_sns_lets_through() {
        assert!(why(json!({"data": {"n": 5}})).contains("(TYPE_STRING), 5"));
        assert!(why(json!({"android": {"data": {"n": 5}}})).contains("TYPE_STRING"));
        for key in ["from", "gcm", "google", "google.c.a", "googlex", "message_type"] {
            assert_eq!(why(json!({"data": {key: "x"}})), format!("Invalid data payload key: {key}"));
        }
        assert!(why(json!({"notificaton": {"title": "t"}})).contains("unknown field `notificaton`"));
        assert!(why(json!({"android": {"notification": {"title_loc_arg": []}}})).contains("unknown field"));
        for ttl in ["3600", "1h", "-1s", "2419201s"] {
            assert!(why(json!({"android": {"ttl": ttl}})).contains("ttl"), "{ttl}");
        }
        let legacy = publish(&json!({"default": "d", "GCM": r#"{"data":{"a":"b"}}"#})).unwrap();
        assert!(legacy.message.is_err(), "the API that FCM has switched off");
        let gcm = json!({"fcmV1Message": {"validate_only": true, "message": {}}}).to_string();
        assert_eq!(publish(&json!({"default": "d", "GCM": gcm})).unwrap().message, Err(VALIDATE_ONLY.to_owned()));
    }

    #[test]
    fn the_time_to_live_is_the_attributes_or_the_messages_or_four_weeks() {
        let gcm = json!({"fcmV1Message": {"message": {"android": {"ttl": "60s"}}}}).to_string();
        let message = json!({"default": "d", "GCM": gcm}).to_string();
        let ttl = |message: &str, attributes: &[(&str, &str)]| {
            let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            FcmRequest::of(message, true, &attributes).map(|request| request.ttl)
        };
        assert_eq!(ttl(&message, &[]), Ok(60));
        assert_eq!(ttl(&message, &[("AWS.SNS.MOBILE.FCM.TTL", "5")]), Ok(5));
        assert_eq!(ttl(&message, &[("AWS.SNS.MOBILE.GCM.TTL", "0")]), Ok(0));
        assert_eq!(ttl(&message, &[("AWS.SNS.MOBILE.GCM.TTL", "7"), ("AWS.SNS.MOBILE.FCM.TTL", "5")]), Ok(5));
        assert_eq!(ttl(r#"{"default":"d"}"#, &[]), Ok(2_419_200));
        assert!(ttl(&message, &[("AWS.SNS.MOBILE.FCM.TTL", "soon")]).is_err());
    }
}
