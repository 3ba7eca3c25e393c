//! Schemas of all types, with examples and with descriptions of enumeration values.

use domain::{
    media::Kind,
    upload::{content_types, max_bytes},
};
use serde_json::{Map, Value, json};
use utoipa::{
    ToSchema,
    openapi::{RefOr, schema::Schema},
};

use super::{enums, examples};
use crate::{
    AccountErasure, AccountExport, CompleteUploadRequest, DeviceList, DeviceRegistration, ListOrder, MediaBatch,
    MediaBatchRequest, MediaField, MediaList, NotificationList, NotificationPreferences, Problem, ProblemType,
    ReadNotificationsRequest, ReportRequest, SearchResults, SignPartsRequest, SignedParts, Suggestions,
    UnreadNotifications, Upload, UploadRequest, UserReport, VisibilityRequest,
};

/// An OpenAPI document.
#[derive(ToSchema)]
#[allow(dead_code, reason = "used as a schema only")]
pub struct OpenApiDocument {
    /// Version of OpenAPI.
    #[schema(examples("3.1.0"))]
    openapi: String,
}

/// The components for schemas, sorted by name.
pub fn all() -> Value {
    let mut schemas = Vec::new();
    add::<MediaList>(&mut schemas);
    add::<MediaBatch>(&mut schemas);
    add::<MediaBatchRequest>(&mut schemas);
    add::<VisibilityRequest>(&mut schemas);
    add::<MediaField>(&mut schemas);
    add::<ListOrder>(&mut schemas);
    add::<UploadRequest>(&mut schemas);
    add::<Upload>(&mut schemas);
    add::<SignPartsRequest>(&mut schemas);
    add::<SignedParts>(&mut schemas);
    add::<CompleteUploadRequest>(&mut schemas);
    add::<ReportRequest>(&mut schemas);
    add::<UserReport>(&mut schemas);
    add::<SearchResults>(&mut schemas);
    add::<Suggestions>(&mut schemas);
    add::<DeviceRegistration>(&mut schemas);
    add::<DeviceList>(&mut schemas);
    add::<NotificationPreferences>(&mut schemas);
    add::<NotificationList>(&mut schemas);
    add::<ReadNotificationsRequest>(&mut schemas);
    add::<UnreadNotifications>(&mut schemas);
    add::<AccountErasure>(&mut schemas);
    add::<AccountExport>(&mut schemas);
    add::<Problem>(&mut schemas);
    add::<OpenApiDocument>(&mut schemas);
    schemas.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut all: Map<_, _> = schemas.into_iter().map(|(name, schema)| (name, json!(schema))).collect();
    all["ProblemType"]["enum"] = json!(ProblemType::ALL);
    for (name, examples) in examples_of() {
        all[name]["examples"] = examples.into();
    }
    for (name, schema) in &mut all {
        without_null(schema);
        enums::describe(name, schema);
        join_lines(schema);
    }
    describe_errors_of_the_gateway(&mut all["Problem"]);
    all["UploadRequest"]["if"] = json!({"properties": {"kind": {"const": Kind::Audio}}});
    all["UploadRequest"]["then"] = limits(Kind::Audio);
    all["UploadRequest"]["else"] = limits(Kind::Photo);
    all.into()
}

/// Lets the schema of problems describe the gateway's own errors, too, so that clients have one type of error.
fn describe_errors_of_the_gateway(problem: &mut Value) {
    problem["properties"]["message"] =
        json!({"type": "string", "description": "Error of the gateway, which has no other field."});
    if let Some(schema) = problem.as_object_mut() {
        schema.remove("required");
    }
}

fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    T::schemas(schemas);
    schemas.push((T::name().into(), T::schema()));
}

/// Accepted content types and sizes of `kind`.
fn limits(kind: Kind) -> Value {
    json!({"properties": {"contentType": {"enum": content_types(kind)}, "size": {"maximum": max_bytes(kind)}}})
}

fn examples_of() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("AccountErasure", vec![json!(examples::erasure())]),
        ("AccountExport", vec![json!(examples::export())]),
        ("Author", vec![json!(examples::story_result().author)]),
        ("CompleteUploadRequest", vec![examples::complete_request()]),
        ("Device", vec![json!(examples::device())]),
        ("DeviceList", vec![json!(examples::devices())]),
        ("DeviceRegistration", vec![examples::registration()]),
        ("HighlightPart", vec![json!(examples::highlight_part())]),
        ("InboxNotification", vec![json!(examples::notification())]),
        ("LandedPart", vec![json!(examples::landed_part())]),
        ("Loudness", vec![json!(examples::loudness())]),
        ("MediaBatch", vec![json!(examples::batch())]),
        ("MediaBatchRequest", vec![examples::batch_request()]),
        ("MediaItem", vec![json!(examples::item()), json!(examples::recording())]),
        ("MediaList", vec![json!(examples::list())]),
        ("MediaVariant", vec![json!(examples::item().variants.and_then(|mut variants| variants.pop()))]),
        ("NotificationActor", vec![json!(examples::notification().actors.first())]),
        ("NotificationList", vec![json!(examples::notifications())]),
        ("NotificationPreferences", vec![examples::preferences()]),
        ("OpenApiDocument", vec![json!({"openapi": "3.1.0", "info": {"title": "IYAGI", "version": "1.0.0"}})]),
        ("Pause", vec![json!(examples::pause())]),
        ("PicturePlaceholder", vec![json!(examples::item().placeholder)]),
        ("Problem", vec![json!(examples::problem(ProblemType::InvalidRequest)), json!({"message": "Unauthorized"})]),
        ("QuietHours", vec![examples::quiet_hours()]),
        ("ReadNotificationsRequest", vec![examples::read_request()]),
        ("Rendition", vec![json!(examples::recording().renditions.and_then(|mut renditions| renditions.pop()))]),
        ("ReportRequest", vec![examples::report_request()]),
        ("SearchResult", vec![json!(examples::story_result()), json!(examples::person_result())]),
        ("SearchResults", vec![json!(examples::results())]),
        ("SignPartsRequest", vec![examples::sign_parts_request()]),
        ("SignedHeaders", vec![json!(examples::headers())]),
        ("SignedPart", vec![json!(examples::signed_part())]),
        ("SignedParts", vec![json!(examples::signed_parts())]),
        ("Silence", vec![json!(examples::silence())]),
        ("Suggestion", vec![json!(examples::suggestion())]),
        ("Suggestions", vec![json!(examples::suggestions())]),
        ("Tag", vec![json!(examples::tag())]),
        ("UnreadNotifications", vec![json!({"unread": 2})]),
        ("Upload", vec![json!(examples::upload()), json!(examples::upload_in_parts())]),
        ("UploadPart", vec![examples::part()]),
        ("UploadRequest", vec![examples::upload_request()]),
        ("UserReport", vec![json!(examples::report())]),
        ("VisibilityRequest", vec![examples::visibility_request()]),
        ("Waveform", vec![json!(examples::waveform())]),
        ("WaveformFile", vec![json!(examples::waveform().files.pop())]),
    ]
}

/// Removes null from the types of optional fields: absent fields are left out, in requests and responses.
fn without_null(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        if let Some([kind, Value::String(null)]) = property["type"].as_array().map(Vec::as_slice)
            && null == "null"
        {
            property["type"] = kind.clone();
        }
        if let Some([reference, _null]) = property["oneOf"].as_array().map(Vec::as_slice) {
            *property = reference.clone();
        }
    }
}

/// Joins the lines of each paragraph in descriptions, because doc comments are wrapped.
fn join_lines(schema: &mut Value) {
    if let Some(fields) = schema.as_object_mut() {
        if let Some(Value::String(description)) = fields.get_mut("description") {
            *description = description.split("\n\n").map(joined).collect::<Vec<_>>().join("\n\n");
        }
        if let Some(Value::Object(properties)) = fields.get_mut("properties") {
            properties.values_mut().for_each(join_lines);
        }
    }
}

/// The paragraph as one line, unless it is a list.
fn joined(paragraph: &str) -> String {
    if paragraph.starts_with("* ") { paragraph.to_owned() } else { paragraph.replace('\n', " ") }
}
