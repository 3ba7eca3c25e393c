//! Examples of requests and responses.

use domain::{
    media::{Kind, MediaId, Visibility},
    push::{Category, Platform},
    search,
    user_report::{ReportId, ReportReason},
};
use serde_json::{Value, json};

use crate::{
    AccountErasure, AccountExport, AccountExportState, Author, Device, DeviceList, ErasureState, HighlightPart,
    InboxNotification, LandedPart, Loudness, MediaBatch, MediaItem, MediaList, MediaState, MediaVariant,
    NotificationActor, NotificationList, Pause, Placeholder, Problem, ProblemType, Rendition, SearchResult,
    SearchResults, SignedHeaders, SignedPart, SignedParts, Silence, Suggestion, Suggestions, Tag, Upload, UploadWay,
    UserReport, Waveform, WaveformFile,
};

pub const MEDIA_ID: &str = "1BXGRWP28YE5BMJM4Y6AMW46T0";
pub const UPLOAD_ID: &str = "3ZQ1V6M0F8C5YH2N7KXR4T9WBD";
pub const DEVICE_ID: &str = "0b4bd6f5-93a9-4f0c-9c5f-0f4b0a5ee9a3";
pub const EXPORT_ID: &str = "5d0c7f3e9a1b4c2d8e6f70a1b2c3d4e5";
/// A `sub` of Cognito.
pub const OWNER: &str = "54686dbc-a0e1-70f2-9d4c-1e7b2a6c5f30";
pub const CURSOR: &str = "AX6fZ0v3mJ1w9cQ2uT8sLrYk";
pub const CHECKSUM: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

const HANDLE: &str = "AbR4yq8Zk2Vd0mXn5cPjTw";
const TIME: &str = "2026-11-22T03:04:05.678Z";

pub fn item() -> MediaItem {
    let variant = |name: &str, (width, height): (u32, u32), bytes: u64, content_type: &str| MediaVariant {
        url: derivative_url(name),
        width,
        height,
        bytes,
        content_type: content_type.to_owned(),
    };
    MediaItem {
        id: media_id(),
        kind: Kind::Photo,
        owner: OWNER.into(),
        uploaded_at: TIME.into(),
        content_type: Some("image/jpeg".into()),
        detected_type: Some("image/jpeg".into()),
        bytes: 2_408_311,
        visibility: Visibility::Public,
        post: "story-1".to_owned().try_into().ok(),
        file_name: "한강.jpg".to_owned().try_into().ok(),
        state: MediaState::Ready,
        reason: None,
        taken_down_for: None,
        width: Some(1_600),
        height: Some(1_200),
        placeholder: Some(Placeholder { thumb_hash: "1QcSHQRnh493V4dIh4eXh1h4kJUI".into(), colour: "#6a7c8e".into() }),
        variants: Some(vec![
            variant("1080x810-5d3c.webp", (1_080, 810), 98_204, "image/webp"),
            variant("1080x810-9f0a.jpg", (1_080, 810), 125_031, "image/jpeg"),
        ]),
        duration_ms: None,
        codec: None,
        sample_rate: None,
        channels: None,
        loudness: None,
        silence: None,
        waveform: None,
        renditions: None,
    }
}

pub fn recording() -> MediaItem {
    MediaItem {
        kind: Kind::Audio,
        content_type: Some("audio/mp4".into()),
        detected_type: Some("audio/mp4".into()),
        bytes: 1_474_560,
        file_name: "이야기.m4a".to_owned().try_into().ok(),
        width: None,
        height: None,
        placeholder: None,
        variants: None,
        duration_ms: Some(183_420),
        codec: Some("aac_lc".into()),
        sample_rate: Some(44_100),
        channels: Some(1),
        loudness: Some(loudness()),
        silence: Some(silence()),
        waveform: Some(waveform()),
        renditions: Some(vec![
            rendition("1b7e.m4a", 1_845_210, "audio/mp4; codecs=\"mp4a.40.2\"", 44_100),
            rendition("c3a0.ogg", 731_800, "audio/ogg; codecs=opus", 48_000),
        ]),
        ..item()
    }
}

pub fn loudness() -> Loudness {
    Loudness { integrated_lufs: Some(-26.8), range_lu: Some(6.2), true_peak_dbtp: Some(-9.8), gain_db: 7.8 }
}

pub fn silence() -> Silence {
    Silence { leading_ms: 620, trailing_ms: 300, pauses: vec![pause()] }
}

pub fn pause() -> Pause {
    Pause { start_ms: 0, end_ms: 620 }
}

pub fn waveform() -> Waveform {
    let file = |name: &str, bytes: u64, content_type: &str| WaveformFile {
        url: derivative_url(name),
        bytes,
        content_type: content_type.to_owned(),
    };
    Waveform {
        preview: "AAIUNV+Fw//k".into(),
        files: vec![
            file("70d2.json", 60_112, "application/json"),
            file("e5f1.dat", 20_024, "application/octet-stream"),
        ],
    }
}

fn rendition(name: &str, bytes: u64, content_type: &str, sample_rate: u32) -> Rendition {
    Rendition { url: derivative_url(name), bytes, content_type: content_type.to_owned(), channels: 1, sample_rate }
}

/// URL of a derivative of a public item.
fn derivative_url(name: &str) -> String {
    format!("https://d111111abcdef8.cloudfront.net/{MEDIA_ID}/0055AED6DCD90281E5/open/{name}")
}

pub fn list() -> MediaList {
    MediaList { items: vec![item()], next: Some(CURSOR.into()) }
}

pub fn batch() -> MediaBatch {
    MediaBatch { items: vec![item()] }
}

pub fn report_request() -> Value {
    json!({"mediaId": MEDIA_ID, "reason": "copyright", "text": "이 사진은 제 것이에요."})
}

pub fn report() -> UserReport {
    let media_id = media_id();
    let (id, reported_at) = (ReportId::of(OWNER, media_id), TIME.into());
    UserReport { id, media_id, reason: ReportReason::Copyright, reported_at }
}

pub fn upload() -> Upload {
    Upload {
        id: UPLOAD_ID.into(),
        media_id: media_id(),
        way: UploadWay::Put,
        method: Some("PUT"),
        url: Some(upload_url("")),
        headers: Some(headers()),
        expires_at: Some("2026-11-22T03:19:05Z".into()),
        handle: None,
        part_size: None,
        parts: None,
        landed: None,
    }
}

pub fn upload_in_parts() -> Upload {
    Upload {
        way: UploadWay::Parts,
        method: None,
        url: None,
        headers: None,
        expires_at: None,
        handle: Some(HANDLE.into()),
        part_size: Some(domain::upload::PART_BYTES),
        parts: Some(7),
        landed: Some(vec![landed_part()]),
        ..upload()
    }
}

pub fn landed_part() -> LandedPart {
    LandedPart { number: 1, checksum: CHECKSUM.to_owned().try_into().ok() }
}

pub fn signed_part() -> SignedPart {
    SignedPart {
        number: 1,
        method: "PUT",
        url: upload_url("partNumber=1&"),
        headers: headers(),
        expires_at: "2026-11-22T03:19:05Z".into(),
    }
}

pub fn signed_parts() -> SignedParts {
    SignedParts { parts: vec![signed_part()] }
}

pub fn headers() -> SignedHeaders {
    let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    SignedHeaders([("content-length", "2408311"), ("x-amz-checksum-sha256", CHECKSUM)].map(header).into())
}

pub fn device() -> Device {
    Device { id: DEVICE_ID.into(), platform: Platform::Android, language: Some("ko".into()), last_seen: TIME.into() }
}

pub fn erasure() -> AccountErasure {
    AccountErasure {
        state: ErasureState::Running,
        steps_done: 6,
        steps: domain::account::ERASURE_STEPS,
        started_at: TIME.into(),
        finished_at: None,
    }
}

pub fn export() -> AccountExport {
    AccountExport {
        id: EXPORT_ID.into(),
        state: AccountExportState::Ready,
        created_at: TIME.into(),
        ready_at: Some("2026-11-22T03:06:07.890Z".into()),
        bytes: Some(734_003_200),
        files: Some(216),
        url: Some("https://exports.s3.ap-northeast-2.amazonaws.com/zip/file.zip?X-Amz-Signature=0f".into()),
        url_expires_at: Some("2026-11-23T03:06:07.890Z".into()),
    }
}

pub fn devices() -> DeviceList {
    DeviceList { items: vec![device()] }
}

pub fn notification() -> InboxNotification {
    InboxNotification {
        id: "Jk3vQ9mZb7xT2cRw5yLdHg".into(),
        rule: "like-story".into(),
        category: Category::Likes,
        actors: vec![NotificationActor { id: OWNER.into(), name: Some("준".into()) }],
        actor_count: 4,
        source: OWNER.into(),
        target: "story-1".into(),
        title: Some("서울에서 첫눈".into()),
        happened_at: TIME.into(),
        updated_at: TIME.into(),
        is_read: false,
    }
}

pub fn notifications() -> NotificationList {
    NotificationList { items: vec![notification()], next: Some(CURSOR.into()), unread: 1 }
}

pub fn read_request() -> Value {
    json!({"through": TIME})
}

pub fn story_result() -> SearchResult {
    let rest = HighlightPart { text: "에서 첫눈".into(), is_match: false };
    SearchResult {
        kind: search::Kind::Story,
        id: "story-1".into(),
        title: Some("서울에서 첫눈".into()),
        author: Some(Author { id: OWNER.into(), name: Some("미나".into()) }),
        published_at: Some(TIME.into()),
        visibility: Some(Visibility::Public),
        tags: Some(vec![tag()]),
        name: None,
        highlight: Some(vec![highlight_part(), rest]),
    }
}

pub fn person_result() -> SearchResult {
    SearchResult {
        kind: search::Kind::Person,
        id: OWNER.into(),
        title: None,
        author: None,
        published_at: None,
        visibility: None,
        tags: None,
        name: Some("미나".into()),
        highlight: Some(vec![HighlightPart { text: "미나".into(), is_match: true }]),
    }
}

pub fn tag() -> Tag {
    Tag { id: "tag-1".into(), name: Some("첫눈".into()) }
}

pub fn highlight_part() -> HighlightPart {
    HighlightPart { text: "서울".into(), is_match: true }
}

pub fn results() -> SearchResults {
    SearchResults { items: vec![story_result()], next: Some(CURSOR.into()) }
}

pub fn suggestion() -> Suggestion {
    Suggestion { kind: search::Kind::Story, id: "story-1".into(), text: "서울에서 첫눈".into() }
}

pub fn suggestions() -> Suggestions {
    Suggestions { items: vec![suggestion()] }
}

pub fn upload_request() -> Value {
    json!({
        "kind": "photo", "contentType": "image/jpeg", "size": 2_408_311, "checksum": CHECKSUM, "fileName": "한강.jpg",
        "post": "story-1", "visibility": "followers",
    })
}

pub fn part() -> Value {
    json!({"number": 1, "checksum": CHECKSUM})
}

pub fn sign_parts_request() -> Value {
    json!({"handle": HANDLE, "parts": [part()]})
}

pub fn complete_request() -> Value {
    json!({"handle": HANDLE})
}

pub fn visibility_request() -> Value {
    json!({"visibility": "private"})
}

pub fn batch_request() -> Value {
    json!({"ids": [MEDIA_ID], "fields": ["state", "variants"]})
}

pub fn registration() -> Value {
    json!({"token": "fcm:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx", "platform": "android", "language": "ko"})
}

pub fn quiet_hours() -> Value {
    json!({"from": "22:00", "to": "07:00", "timeZone": "Asia/Seoul"})
}

pub fn preferences() -> Value {
    json!({"muted": ["likes"], "quietHours": quiet_hours(), "hideContent": true})
}

/// A presigned URL of S3.
fn upload_url(parameters: &str) -> String {
    format!(
        "https://originals.s3.ap-northeast-2.amazonaws.com/photo/{OWNER}/{UPLOAD_ID}?{parameters}X-Amz-Signature=9f0a"
    )
}

/// A problem of this type.
pub fn problem(kind: ProblemType) -> Problem {
    let detail = match kind {
        ProblemType::InvalidRequest => "`limit` must be a number from 1 to 100",
        ProblemType::InvalidCursor => {
            "`cursor` must be the `next` of an earlier response to the same caller and the same query"
        }
        ProblemType::UploadIncomplete => "missing: 2, 5",
        ProblemType::TooLarge => "the body must have at most 16384 bytes",
        _ => return kind.into(),
    };
    kind.with_detail(detail)
}

fn media_id() -> MediaId {
    MediaId::of_key("photo/mina/cat.jpg")
}
