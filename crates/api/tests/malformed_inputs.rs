//! Malformed request bodies: each is rejected, or is what the OpenAPI document allows.

use api::{
    CompleteUploadRequest, DeviceRegistration, MediaBatchRequest, NotificationPreferences, Object, ReportRequest,
    SignPartsRequest, UploadRequest,
};
use domain::{push::Preferences, user_report::MAX_REPORT_CHARACTERS};
use proptest::prelude::*;
use serde::de::DeserializeOwned;

const UPLOAD: &str = r#"{"kind":"photo","contentType":"image/png","size":1,"checksum":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","fileName":"가.png","post":"story-1","visibility":"followers"}"#;
const PARTS: &str =
    r#"{"handle":"AbC_-","parts":[{"number":1,"checksum":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}]}"#;
const COMPLETE: &str = r#"{"handle":"AbC_-"}"#;
const BATCH: &str = r#"{"ids":["1BXGRWP28YE5BMJM4Y6AMW46T0"],"fields":["id","state"]}"#;
const DEVICE: &str = r#"{"token":"abc:def-123","platform":"android","language":"ko-KR"}"#;
const REPORT: &str = r#"{"mediaId":"1BXGRWP28YE5BMJM4Y6AMW46T0","reason":"spam","text":"광고"}"#;
const PREFERENCES: &str =
    r#"{"muted":["followers"],"quietHours":{"from":"22:00","to":"07:00","timeZone":"Asia/Seoul"},"hideContent":true}"#;

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice::<Object<T>>(bytes).ok().map(|Object(value)| value)
}

#[test]
fn undamaged_inputs_are_parsed() {
    assert!(parse::<UploadRequest>(UPLOAD.as_bytes()).is_some());
    assert!(parse::<SignPartsRequest>(PARTS.as_bytes()).is_some());
    assert!(parse::<CompleteUploadRequest>(COMPLETE.as_bytes()).is_some());
    assert!(parse::<MediaBatchRequest>(BATCH.as_bytes()).is_some());
    assert!(parse::<DeviceRegistration>(DEVICE.as_bytes()).is_some());
    assert!(parse::<ReportRequest>(REPORT.as_bytes()).is_some());
    assert!(parse::<NotificationPreferences>(PREFERENCES.as_bytes()).is_some());
}

proptest! {
    #[test]
    fn damaged_body_is_parsed_or_rejected(bytes in malformed_inputs::bytes(&[UPLOAD, PARTS, COMPLETE, BATCH, DEVICE, REPORT])) {
        if let Some(upload) = parse::<UploadRequest>(&bytes) {
            prop_assert!(upload.file_name.is_none_or(|name| name.as_str().len() <= 255));
        }
        if let Some(parts) = parse::<SignPartsRequest>(&bytes) {
            // The parsed request is no larger than the body.
            prop_assert!(parts.parts.len() <= bytes.len() && parts.handle.len() <= bytes.len());
        }
        let _ = (parse::<CompleteUploadRequest>(&bytes), parse::<MediaBatchRequest>(&bytes));
        if let Some(device) = parse::<DeviceRegistration>(&bytes) {
            prop_assert!(device.token.as_str().is_ascii());
        }
        if let Some(text) = parse::<ReportRequest>(&bytes).and_then(|report| report.text) {
            let is_harmless = text.as_str().chars().all(|c| c == '\n' || !c.is_control());
            prop_assert!(is_harmless && (1..=MAX_REPORT_CHARACTERS).contains(&text.as_str().chars().count()));
        }
    }

    #[test]
    fn damaged_preferences_are_parsed_or_rejected(bytes in malformed_inputs::bytes(&[PREFERENCES])) {
        if let Some(request) = parse::<NotificationPreferences>(&bytes)
            && let Ok(preferences) = Preferences::try_from(request)
        {
            let response = NotificationPreferences::from(preferences.clone());
            prop_assert_eq!(Preferences::try_from(response), Ok(preferences));
        }
    }
}
