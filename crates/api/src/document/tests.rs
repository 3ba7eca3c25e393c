use std::collections::BTreeSet;

use domain::{
    media::MAX_PAUSES,
    push::{self, MAX_TOKEN_BYTES},
    upload::{Parts, max_bytes},
    user_report::MAX_REPORT_CHARACTERS,
};
use serde::de::DeserializeOwned;

use super::{
    enums::{DESCRIPTIONS, NAMED},
    *,
};
use crate::{
    CompleteUploadRequest, DeviceRegistration, MAX_ACTORS, MAX_BATCH, MAX_LANGUAGE_CHARACTERS, MAX_LIMIT,
    MAX_NOTIFICATIONS, MAX_PARTS, MAX_SEARCH_LIMIT, MAX_SUGGESTIONS, MAX_UNREAD, MediaBatchRequest,
    NotificationPreferences, Object, ProblemType, ReadNotificationsRequest, ReportRequest, SignPartsRequest,
    UploadRequest, VisibilityRequest,
};

/// Calls `visit` with each value within `value`, and its JSON pointer.
fn walk(value: &Value, pointer: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(pointer, value);
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| walk(field, &format!("{pointer}/{name}"), visit));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| walk(item, &format!("{pointer}/{index}"), visit));
        }
        _ => {}
    }
}

#[test]
fn references_and_components_match() {
    let document = value();
    let mut used = BTreeSet::new();
    walk(&document, "#", &mut |pointer, value| {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            assert!(document.pointer(&target[1..]).is_some(), "{pointer} refers to {target}");
            used.insert(target.to_owned());
        }
    });
    for kind in ["schemas", "responses", "parameters", "headers"] {
        for name in document["components"][kind].as_object().expect("components").keys() {
            let component = format!("#/components/{kind}/{name}");
            assert!(used.contains(&component), "{component} is unused");
        }
    }
}

#[test]
fn operations_have_unique_ids_and_known_tags() {
    let document = value();
    let tags: BTreeSet<_> =
        document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).map(Value::to_string).collect();
    let mut ids = BTreeSet::new();
    for operations in document["paths"].as_object().expect("paths").values() {
        for operation in operations.as_object().expect("operations").values() {
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id.to_owned()), "{id} is not unique");
            assert!(id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(char::is_alphanumeric), "{id}");
            assert!(tags.contains(&operation["tags"][0].to_string()), "{id}");
        }
    }
}

#[test]
fn objects_are_named_schemas() {
    let document = value();
    walk(&document, "#", &mut |pointer, value| {
        if value["type"] == "object" {
            let parent = pointer.rsplit_once('/').map(|(parent, _)| parent);
            assert_eq!(parent, Some("#/components/schemas"), "{pointer}");
        }
        for keyword in ["allOf", "oneOf", "anyOf"] {
            assert!(value.get(keyword).is_none(), "{pointer} has {keyword}");
        }
    });
}

/// Names that Flutter apps have already: of Dart's core libraries, and of Flutter's widgets and services.
const NAMES_OF_FLUTTER: &str = include_str!("flutter-names.txt");

#[test]
fn schemas_do_not_have_names_of_flutter() {
    let names: BTreeSet<_> = NAMES_OF_FLUTTER.split_whitespace().collect();
    assert!(names.len() > 300 && names.contains("Visibility") && names.contains("Platform"), "{}", names.len());
    let schemas = schemas::all();
    let same: Vec<_> =
        schemas.as_object().expect("schemas").keys().filter(|name| names.contains(name.as_str())).collect();
    assert!(same.is_empty(), "{same:?}");
}

#[test]
fn schemas_have_descriptions_and_objects_have_examples() {
    let document = value();
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        assert!(schema["description"].as_str().is_some_and(|text| text.len() > 10), "{name}");
        if schema["type"] == "object" {
            assert!(schema["examples"].is_array(), "{name} has no example");
            for (field, property) in schema["properties"].as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{name}.{field}");
            }
        }
    }
}

fn assert_accepted<T: DeserializeOwned>(schemas: &Value, name: &str) {
    let example = schemas[name]["examples"][0].clone();
    serde_json::from_value::<Object<T>>(example).unwrap_or_else(|error| panic!("the example of {name}: {error}"));
}

#[test]
fn examples_of_requests_are_accepted() {
    let schemas = schemas::all();
    assert_accepted::<MediaBatchRequest>(&schemas, "MediaBatchRequest");
    assert_accepted::<VisibilityRequest>(&schemas, "VisibilityRequest");
    assert_accepted::<ReportRequest>(&schemas, "ReportRequest");
    assert_accepted::<UploadRequest>(&schemas, "UploadRequest");
    assert_accepted::<SignPartsRequest>(&schemas, "SignPartsRequest");
    assert_accepted::<CompleteUploadRequest>(&schemas, "CompleteUploadRequest");
    assert_accepted::<DeviceRegistration>(&schemas, "DeviceRegistration");
    assert_accepted::<ReadNotificationsRequest>(&schemas, "ReadNotificationsRequest");
    assert_accepted::<NotificationPreferences>(&schemas, "NotificationPreferences");
    let preferences: NotificationPreferences = serde_json::from_value(examples::preferences()).expect("preferences");
    let rules = push::Preferences::try_from(preferences.clone()).expect("preferences");
    assert_eq!(NotificationPreferences::from(rules), preferences);
}

#[test]
fn problem_types_are_documented_at_their_status() {
    let document = value();
    let types: Vec<_> = ProblemType::ALL.map(|kind| json!(kind)).into();
    assert_eq!(document["components"]["schemas"]["ProblemType"]["enum"], json!(types));
    let mut documented = BTreeSet::new();
    for response in document["components"]["responses"].as_object().expect("responses").values() {
        let examples = &response["content"]["application/problem+json"]["examples"];
        for (name, example) in examples.as_object().into_iter().flatten() {
            let kind = example["value"]["type"].as_str().expect("a type");
            assert_eq!(kind, format!("urn:iyagi:problem:{name}"));
            documented.insert(Value::from(kind).to_string());
        }
    }
    assert_eq!(documented, types.iter().map(Value::to_string).collect());
}

#[test]
fn limits_are_those_of_the_constants() {
    let schemas = schemas::all();
    let at = |pointer: &str| schemas.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).clone();
    assert_eq!(at("/MediaBatchRequest/properties/ids/maxItems"), json!(MAX_BATCH));
    assert_eq!(at("/MediaList/properties/items/maxItems"), json!(MAX_LIMIT));
    assert_eq!(at("/SearchResults/properties/items/maxItems"), json!(MAX_SEARCH_LIMIT));
    assert_eq!(at("/Suggestions/properties/items/maxItems"), json!(MAX_SUGGESTIONS));
    assert_eq!(at("/NotificationList/properties/items/maxItems"), json!(MAX_NOTIFICATIONS));
    assert_eq!(at("/InboxNotification/properties/actors/maxItems"), json!(MAX_ACTORS));
    assert_eq!(at("/UnreadNotifications/properties/unread/maximum"), json!(MAX_UNREAD));
    assert_eq!(at("/Silence/properties/pauses/maxItems"), json!(MAX_PAUSES));
    assert_eq!(at("/DeviceToken/maxLength"), json!(MAX_TOKEN_BYTES));
    assert_eq!(at("/DeviceRegistration/properties/language/maxLength"), json!(MAX_LANGUAGE_CHARACTERS));
    assert_eq!(at("/ReportText/maxLength"), json!(MAX_REPORT_CHARACTERS));
    assert_eq!(at("/SignPartsRequest/properties/parts/maxItems"), json!(MAX_PARTS));
    let largest = max_bytes(domain::media::Kind::Audio);
    assert_eq!(at("/UploadRequest/properties/size/maximum"), json!(largest));
    assert_eq!(Parts::of(largest).count(), MAX_PARTS as u64);
    for (schema, field) in [("UploadPart", "number"), ("SignedPart", "number"), ("Upload", "parts")] {
        assert_eq!(at(&format!("/{schema}/properties/{field}/maximum")), json!(MAX_PARTS));
    }
}

#[test]
fn enumerations_have_descriptions_of_all_values() {
    let schemas = schemas::all();
    for (name, descriptions) in DESCRIPTIONS {
        let values = schemas[name]["enum"].as_array().unwrap_or_else(|| panic!("{name} is no enumeration"));
        let described: Vec<_> = descriptions.iter().map(|(value, _)| Value::from(*value)).collect();
        assert_eq!(*values, described, "{name}");
    }
    let is_described = |name: &str| DESCRIPTIONS.iter().any(|(of, _)| *of == name);
    for (name, schema) in schemas.as_object().expect("schemas") {
        // Fields are described in their schemas, and problems have titles.
        let is_fine = schema.get("enum").is_none() || is_described(name) || NAMED.contains(&name.as_str());
        assert!(is_fine || name == "MediaField", "{name}");
    }
}
