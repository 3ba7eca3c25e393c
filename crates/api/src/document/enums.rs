//! Descriptions of enumeration values, and their names in generated code.

use serde_json::Value;

/// Values and their descriptions by schema.
pub const DESCRIPTIONS: [(&str, &[(&str, &str)]); 12] = [
    (
        "AccountExportState",
        &[
            ("pending", "it is being made"),
            ("ready", "it can be downloaded"),
            ("failed", "it could not be made: ask again"),
            ("expired", "it can no longer be downloaded"),
        ],
    ),
    ("ErasureState", &[("running", "steps are left"), ("finished", "all is erased")]),
    (
        "FailureReason",
        &[
            ("empty", "the file is empty"),
            ("too_large", "a picture with more than 96 MiB, a recording with more than 2 GiB"),
            ("unsupported_format", "the format is not supported"),
            ("type_mismatch", "an earlier version refused content of another type than declared"),
            (
                "too_many_pixels",
                "the picture has more than 64 million pixels, or as a baseline JPEG more than 210 million",
            ),
            ("too_long", "the recording is longer than 3 hours and 5 minutes, or takes too long to process"),
            ("no_sound", "a video without an audio track, or a recording without samples"),
            ("truncated", "the file ends too early"),
            ("corrupt", "the file is invalid in its format"),
        ],
    ),
    ("ListOrder", &[("newest", "newest first"), ("oldest", "oldest first")]),
    (
        "MediaKind",
        &[("avatar", "a picture of a person"), ("photo", "a picture in a story"), ("audio", "a recording in a story")],
    ),
    (
        "MediaState",
        &[
            ("processing", "uploaded and being processed"),
            ("ready", "processed: a picture has `variants`, a recording `renditions`"),
            ("failed", "cannot be processed, permanently: see `reason`"),
            ("taken_down", "taken down by operators, for `takenDownFor`: only the owner sees the item, without files"),
        ],
    ),
    (
        "NotificationCategory",
        &[
            ("followers", "a person follows the user"),
            ("likes", "a person likes a story or comment of the user"),
            ("replies", "a person replies to a story or comment of the user"),
            ("mentions", "a person mentions the user"),
            ("stories", "a person whom the user follows publishes a story"),
            ("account", "something about the user's account, such as an export that is ready"),
        ],
    ),
    ("DevicePlatform", &[("android", "reached by FCM"), ("ios", "reached by FCM through APNs")]),
    (
        "ReportReason",
        &[
            ("spam", "unwanted advertising, or fraud"),
            ("harassment", "an attack on a person"),
            ("hate", "hatred of a group of people"),
            ("violence", "violence, or a threat of it"),
            ("sexual", "sexual content"),
            ("copyright", "a work of another person without consent"),
            ("other", "anything else: say what in `text`"),
        ],
    ),
    (
        "SearchKind",
        &[
            ("story", "a story, found by its title"),
            ("person", "a person, found by their name"),
            ("tag", "a tag, found by its name"),
        ],
    ),
    (
        "UploadWay",
        &[
            ("put", "send the file in one request: `method`, `url`, `headers`, `expiresAt`"),
            ("parts", "request signed parts and send them: `handle`, `partSize`, `parts`"),
            ("done", "the file has been uploaded"),
        ],
    ),
    (
        "ContentVisibility",
        &[
            ("public", "every signed-in user"),
            ("followers", "the owner and the owner's followers"),
            ("private", "the owner only"),
        ],
    ),
];

/// Schemas whose values need names in generated code, such as `IMAGE_JPEG` for `image/jpeg`.
pub const NAMED: [&str; 2] = ["ContentType", "ProblemType"];

/// Adds descriptions and names of the values to the schema `name`, if it is an enumeration.
pub fn describe(name: &str, schema: &mut Value) {
    if let Some((_, values)) = DESCRIPTIONS.iter().find(|(of, _)| *of == name) {
        let list: Vec<_> = values.iter().map(|(value, description)| format!("* `{value}`: {description}")).collect();
        let before = schema["description"].as_str().unwrap_or_default();
        schema["description"] = format!("{before}\n\n{}", list.join("\n")).into();
    }
    if NAMED.contains(&name) {
        let values = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let names: Vec<_> = values.map(|value| variable(value.rsplit(':').next().unwrap_or(value))).collect();
        schema["x-enum-varnames"] = names.into();
    }
}

fn variable(value: &str) -> String {
    value.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_name_is_made_of_the_value() {
        assert_eq!(variable("image/jpeg"), "IMAGE_JPEG");
        assert_eq!(variable("not-found"), "NOT_FOUND");
    }
}
