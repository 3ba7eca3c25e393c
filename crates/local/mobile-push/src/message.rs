use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::sns_error::SnsError;

/// Maximum size of a message in bytes. FCM does not define what counts; here, the whole value of `GCM` does.
const MAX_BYTES: usize = 4096;
/// Maximum and default time to live: four weeks, in seconds.
const MAX_TTL: i64 = 28 * 24 * 60 * 60;
/// Message attributes with the time to live in seconds. The first one takes precedence.
const TTL_ATTRIBUTES: [&str; 2] = ["AWS.SNS.MOBILE.FCM.TTL", "AWS.SNS.MOBILE.GCM.TTL"];

/// The request that `Publish` sends to FCM.
#[derive(Debug, Clone, PartialEq)]
pub struct FcmRequest {
    /// The message, or the message of FCM's `INVALID_ARGUMENT`.
    pub message: Result<Message, String>,
    /// Time to live in seconds.
    pub ttl: i64,
}

/// A message of FCM's HTTP v1 API (Firebase, "REST Resource: projects.messages"). Unused fields are listed so that
/// misspelled fields are errors.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Message {
    /// Notification for all platforms.
    pub notification: Option<Notification>,
    /// Data for the app.
    data: BTreeMap<String, Value>,
    /// Options for Android.
    pub android: Android,
    /// Options for iOS.
    pub apns: Apns,
    webpush: Value,
    fcm_options: Value,
    name: Value,
}

/// A notification for all platforms.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notification {
    /// Title.
    pub title: Option<String>,
    /// Body.
    pub body: Option<String>,
    image: Value,
}

/// Options for Android.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Android {
    /// Only the latest pending message of a key is kept.
    pub collapse_key: Option<String>,
    /// Such as `3600s`.
    ttl: Option<String>,
    /// Notification.
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
    /// Title. Takes precedence over the key.
    pub title: Option<String>,
    /// Body. Takes precedence over the key.
    pub body: Option<String>,
    /// Localization key of the title.
    pub title_loc_key: Option<String>,
    /// Arguments of the localized text.
    pub title_loc_args: Vec<String>,
    /// Localization key of the body.
    pub body_loc_key: Option<String>,
    /// Arguments of the localized text.
    pub body_loc_args: Vec<String>,
    /// Replaces the displayed notification with the same tag.
    pub tag: Option<String>,
    /// Sound.
    pub sound: Option<String>,
    /// Whether to play the default sound.
    pub default_sound: bool,
    /// Below `PRIORITY_DEFAULT`, the notification is silent.
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

/// Options for iOS, which FCM passes to APNs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Apns {
    /// Request headers.
    pub headers: BTreeMap<String, String>,
    /// The payload, which contains `aps`.
    pub payload: Value,
    fcm_options: Value,
    live_activity_token: Value,
}

/// The value of `GCM`.
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
    /// Builds the request from the parameters of `Publish`. `structured`: whether `MessageStructure` is `json`.
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
        // Values other than strings are ignored.
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
        let invalid =
            |reason: &str| SnsError::invalid("Message", &format!("Invalid notification for protocol GCM: {reason}"));
        if gcm.len() > MAX_BYTES {
            return Err(invalid("Notification data is larger than allowed limit"));
        }
        if !serde_json::from_str::<Value>(gcm).is_ok_and(|value| value.is_object()) {
            return Err(invalid("Notification is malformed"));
        }
        let message = Message::parse(gcm);
        let ttl = ttl.or_else(|| message.as_ref().ok()?.ttl()).unwrap_or(MAX_TTL);
        Ok(Self { message, ttl })
    }
}

impl Message {
    /// Parses and validates a message as FCM does.
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

    /// The data for the app.
    pub fn data(&self) -> BTreeMap<String, String> {
        let texts = self.data.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        texts.collect()
    }

    /// Whether the operating system displays the message.
    pub fn is_displayed(&self) -> bool {
        self.notification.is_some()
            || self.android.notification.is_some()
            || self.apns.payload["aps"]["alert"] != Value::Null
    }

    fn ttl(&self) -> Option<i64> {
        let seconds: f64 = self.android.ttl.as_deref()?.strip_suffix('s')?.parse().ok()?;
        // Fractions of a second are dropped.
        (0.0..=MAX_TTL as f64).contains(&seconds).then_some(seconds as i64)
    }
}

/// UndisplayedReason a message that is only to be checked is not sent.
pub const VALIDATE_ONLY: &str = "validate_only";

/// Whether FCM reserves the key of `data`.
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

    /// The request for FCM with this message.
    fn sent(message: Value) -> FcmRequest {
        let gcm = json!({"fcmV1Message": {"message": message}}).to_string();
        publish(&json!({"default": "d", "GCM": gcm})).unwrap()
    }

    fn fcm_error(message: Value) -> String {
        sent(message).message.expect_err("an error of FCM")
    }

    #[test]
    fn gcm_value_other_than_a_string_is_ignored() {
        let data = |message: Value| publish(&message).unwrap().message.unwrap().data();
        let fallen_back = BTreeMap::from([("default".to_owned(), "d".to_owned())]);
        assert_eq!(data(json!({"default": "d", "GCM": {"fcmV1Message": {"message": {}}}})), fallen_back);
        assert_eq!(data(json!({"default": "d"})), fallen_back);
        let unstructured = FcmRequest::of("d", false, &BTreeMap::new()).unwrap();
        assert_eq!(unstructured.message.unwrap().data(), fallen_back);
    }

    #[test]
    fn missing_default_is_an_error() {
        let message = |bodies| publish(&bodies).unwrap_err().message;
        let missing = "Invalid parameter: Message Structure - No default entry in JSON message body";
        assert_eq!(message(json!({"GCM": "{}"})), missing);
        let no_entry = "Invalid parameter: JSON must contain an entry for 'default' or 'GCM'.";
        assert_eq!(message(json!({"GCM": {}})), no_entry);
        assert_eq!(message(json!({"gcm": "{}"})), no_entry);
        let error = FcmRequest::of("no json", true, &BTreeMap::new()).unwrap_err();
        assert_eq!(error.message, "Invalid parameter: Message Structure Reason: JSON message body failed to parse");
    }

    #[test]
    fn message_larger_than_4096_bytes_is_rejected() {
        let gcm = |bytes: usize| {
            let empty = json!({"fcmV1Message": {"message": {"data": {"x": ""}}}}).to_string();
            // The first character has three bytes, the others one.
            let text = "가".to_owned() + &"y".repeat(bytes - empty.len() - 3);
            json!({"fcmV1Message": {"message": {"data": {"x": text}}}}).to_string()
        };
        assert_eq!(gcm(4096).len(), 4096);
        assert!(publish(&json!({"default": "d", "GCM": gcm(4096)})).unwrap().message.is_ok());
        let error = publish(&json!({"default": "d", "GCM": gcm(4097)})).unwrap_err();
        let message = "Invalid parameter: Message Reason: Invalid notification for protocol GCM: Notification data is \
                       larger than allowed limit";
        assert_eq!((error.code, error.message.as_str()), ("InvalidParameter", message));
        publish(&json!({"default": "d", "GCM": "no json"})).expect_err("malformed");
    }

    #[test]
    fn invalid_message_is_rejected_by_fcm() {
        assert!(fcm_error(json!({"data": {"n": 5}})).contains("(TYPE_STRING), 5"));
        assert!(fcm_error(json!({"android": {"data": {"n": 5}}})).contains("TYPE_STRING"));
        for key in ["from", "gcm", "google", "google.c.a", "googlex", "message_type"] {
            assert_eq!(fcm_error(json!({"data": {key: "x"}})), format!("Invalid data payload key: {key}"));
        }
        assert!(fcm_error(json!({"notificaton": {"title": "t"}})).contains("unknown field `notificaton`"));
        assert!(fcm_error(json!({"android": {"notification": {"title_loc_arg": []}}})).contains("unknown field"));
        for ttl in ["3600", "1h", "-1s", "2419201s"] {
            assert!(fcm_error(json!({"android": {"ttl": ttl}})).contains("ttl"), "{ttl}");
        }
        let legacy = publish(&json!({"default": "d", "GCM": r#"{"data":{"a":"b"}}"#})).unwrap();
        assert!(legacy.message.is_err(), "the legacy API");
        let gcm = json!({"fcmV1Message": {"validate_only": true, "message": {}}}).to_string();
        assert_eq!(publish(&json!({"default": "d", "GCM": gcm})).unwrap().message, Err(VALIDATE_ONLY.to_owned()));
    }

    #[test]
    fn time_to_live_comes_from_the_attribute_then_the_message_then_the_default() {
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
