//! What the values of enumerations mean, and how generators call them.

use serde_json::Value;

/// By schema: each value, and what it means.
const MEANINGS: [(&str, &[(&str, &str)]); 9] = [
    (
        "FailureReason",
        &[
            ("empty", "the file has no bytes"),
            ("too_large", "a picture with more than 50 MiB, a recording with more than 2 GiB"),
            ("unsupported_format", "it is none of the formats that are read"),
            ("type_mismatch", "it was declared as one type and is another"),
            ("too_many_pixels", "it has more than 64 million"),
            ("too_long", "the recording is longer than 3 hours and 5 minutes, or takes too long to prepare"),
            ("no_sound", "there is no sound in it: a video without, or a recording without a sample"),
            ("truncated", "it ends too early"),
            ("corrupt", "it breaks the rules of its own format"),
        ],
    ),
    ("ListOrder", &[("newest", "newest first"), ("oldest", "oldest first")]),
    (
        "MediaKind",
        &[
            ("avatar", "a person's picture"),
            ("photo", "a picture in a story"),
            ("audio", "a story told, or what is heard in one"),
        ],
    ),
    (
        "MediaState",
        &[
            ("processing", "it has landed and is being worked on"),
            ("ready", "it can be shown or heard: a picture has `variants`, a recording `renditions`"),
            ("failed", "it cannot be shown and never will be: `reason` says why"),
        ],
    ),
    (
        "NotificationCategory",
        &[
            ("followers", "somebody follows the user"),
            ("likes", "somebody likes what the user told or wrote"),
            ("replies", "somebody replies to what the user told or wrote"),
            ("mentions", "somebody mentions the user"),
            ("stories", "somebody whom the user follows told a story"),
        ],
    ),
    ("Platform", &[("android", "reached by FCM"), ("ios", "reached by FCM through APNs")]),
    (
        "SearchKind",
        &[("story", "a story, by its title"), ("person", "a person, by their name"), ("tag", "a tag, by its name")],
    ),
    (
        "UploadWay",
        &[
            ("put", "send the file with one request: `method`, `url`, `headers`, `expiresAt`"),
            ("parts", "have parts signed and send them: `handle`, `partSize`, `parts`"),
            ("done", "nothing is left to do"),
        ],
    ),
    (
        "Visibility",
        &[
            ("public", "everybody who is signed in"),
            ("followers", "its owner, and who follows its owner"),
            ("private", "its owner"),
        ],
    ),
];

/// Values that generators would make odd names of: `IMAGE_JPEG` for `image/jpeg`.
const NAMED: [&str; 2] = ["ContentType", "ProblemType"];

/// Adds to the schema `name`, if it is an enumeration, what its values mean and how to call them.
pub fn explain(name: &str, schema: &mut Value) {
    if let Some((_, meanings)) = MEANINGS.iter().find(|(of, _)| *of == name) {
        let list: Vec<_> = meanings.iter().map(|(value, meaning)| format!("* `{value}`: {meaning}")).collect();
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
    fn every_value_is_explained_and_nothing_else() {
        let schemas = super::super::schemas::all();
        for (name, meanings) in MEANINGS {
            let values = schemas[name]["enum"].as_array().unwrap_or_else(|| panic!("{name} is no enumeration"));
            let explained: Vec<_> = meanings.iter().map(|(value, _)| Value::from(*value)).collect();
            assert_eq!(*values, explained, "{name}");
        }
        let explained = |name: &str| MEANINGS.iter().any(|(of, _)| *of == name);
        for (name, schema) in schemas.as_object().expect("schemas") {
            // Fields explain themselves, and problems have titles.
            let fine = schema.get("enum").is_none() || explained(name) || NAMED.contains(&name.as_str());
            assert!(fine || name == "MediaField", "{name}");
        }
    }

    #[test]
    fn names_are_made_of_values() {
        assert_eq!(variable("image/jpeg"), "IMAGE_JPEG");
        assert_eq!(variable("not-found"), "NOT_FOUND");
    }
}
