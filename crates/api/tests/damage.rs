//! What clients send, as they should not: it is refused, or it is what the document allows.

use api::{
    CompleteUploadRequest, DeviceRegistration, MediaBatchRequest, NotificationPreferences, Object, SignPartsRequest,
    UploadRequest,
};
use domain::push::Preferences;
use proptest::prelude::*;
use serde::de::DeserializeOwned;

const UPLOAD: &str = r#"{"kind":"photo","contentType":"image/png","size":1,"checksum":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","fileName":"가.png","post":"story-1","visibility":"followers"}"#;
const PARTS: &str =
    r#"{"handle":"AbC_-","parts":[{"number":1,"checksum":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}]}"#;
const COMPLETE: &str = r#"{"handle":"AbC_-"}"#;
const BATCH: &str = r#"{"ids":["1BXGRWP28YE5BMJM4Y6AMW46T0"],"fields":["id","state"]}"#;
const DEVICE: &str = r#"{"token":"abc:def-123","platform":"android","language":"ko-KR"}"#;
const PREFERENCES: &str =
    r#"{"muted":["followers"],"quietHours":{"from":"22:00","to":"07:00","timeZone":"Asia/Seoul"}}"#;

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice::<Object<T>>(bytes).ok().map(|Object(value)| value)
}

#[test]
fn what_is_not_damaged_is_read() {
    assert!(read::<UploadRequest>(UPLOAD.as_bytes()).is_some());
    assert!(read::<SignPartsRequest>(PARTS.as_bytes()).is_some());
    assert!(read::<CompleteUploadRequest>(COMPLETE.as_bytes()).is_some());
    assert!(read::<MediaBatchRequest>(BATCH.as_bytes()).is_some());
    assert!(read::<DeviceRegistration>(DEVICE.as_bytes()).is_some());
    assert!(read::<NotificationPreferences>(PREFERENCES.as_bytes()).is_some());
}

proptest! {
    #[test]
    fn bodies_are_read_or_refused(bytes in malformed_inputs::bytes(&[UPLOAD, PARTS, COMPLETE, BATCH, DEVICE])) {
        if let Some(upload) = read::<UploadRequest>(&bytes) {
            prop_assert!(upload.file_name.is_none_or(|name| name.as_str().len() <= 255));
        }
        if let Some(parts) = read::<SignPartsRequest>(&bytes) {
            // None of them is read from another shape, and none holds more than the body did.
            prop_assert!(parts.parts.len() <= bytes.len() && parts.handle.len() <= bytes.len());
        }
        let _ = (read::<CompleteUploadRequest>(&bytes), read::<MediaBatchRequest>(&bytes));
        if let Some(device) = read::<DeviceRegistration>(&bytes) {
            prop_assert!(device.token.as_str().is_ascii());
        }
    }

    #[test]
    fn preferences_are_read_or_refused(bytes in malformed_inputs::bytes(&[PREFERENCES])) {
        if let Some(sent) = read::<NotificationPreferences>(&bytes)
            && let Ok(kept) = Preferences::try_from(sent)
        {
            let shown = NotificationPreferences::from(kept.clone());
            prop_assert_eq!(Preferences::try_from(shown), Ok(kept));
        }
    }
}
