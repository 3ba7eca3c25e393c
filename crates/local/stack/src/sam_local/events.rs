//! The files of `tests/events`, their functions, and the responses on a new stack.

/// A file of `tests/events`.
#[derive(Debug, Clone, Copy)]
pub struct SampleEvent {
    /// Name of the file, without its extension.
    pub name: &'static str,
    /// Logical id of the function that receives it.
    pub function: &'static str,
    /// The response, as in the contract tests.
    pub expected: Expected,
}

/// A response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// All messages of a batch are acknowledged.
    Acknowledged,
    /// An HTTP status.
    Status(u64),
    /// An object with this field.
    Field(&'static str),
    /// The custom resource reports success to CloudFormation.
    Created,
}

/// All files.
pub const EVENTS: [SampleEvent; 17] = [
    SampleEvent { name: "batch-with-poison", function: "MetadataWriter", expected: Expected::Acknowledged },
    SampleEvent {
        name: "create-platform-application",
        function: "PlatformApplicationMaker",
        expected: Expected::Created,
    },
    SampleEvent { name: "export-account", function: "ExportWorker", expected: Expected::Acknowledged },
    SampleEvent { name: "export-graph", function: "GraphExport", expected: Expected::Field("vertices") },
    SampleEvent { name: "get-erasure", function: "AccountApi", expected: Expected::Status(404) },
    SampleEvent { name: "get-media-item", function: "MediaApi", expected: Expected::Status(404) },
    SampleEvent { name: "graph-changes", function: "PushFanout", expected: Expected::Acknowledged },
    SampleEvent { name: "list-media", function: "MediaApi", expected: Expected::Status(200) },
    SampleEvent { name: "list-notifications", function: "InboxApi", expected: Expected::Status(200) },
    SampleEvent { name: "photo-landed", function: "Thumbnailer", expected: Expected::Acknowledged },
    SampleEvent { name: "photo-removed", function: "Thumbnailer", expected: Expected::Acknowledged },
    SampleEvent { name: "put-device", function: "DeviceApi", expected: Expected::Status(200) },
    SampleEvent { name: "search", function: "SearchApi", expected: Expected::Status(200) },
    SampleEvent { name: "search-changes", function: "SearchIndexer", expected: Expected::Acknowledged },
    SampleEvent { name: "start-upload", function: "UploadApi", expected: Expected::Status(201) },
    SampleEvent { name: "story-files", function: "MediaApi", expected: Expected::Acknowledged },
    SampleEvent { name: "stream-status", function: "StreamPoller", expected: Expected::Field("head") },
];

impl Expected {
    /// Whether a function's response is this one.
    pub fn is(self, response: &serde_json::Value) -> bool {
        match self {
            Self::Acknowledged => *response == serde_json::json!({"batchItemFailures": []}),
            Self::Status(status) => response["statusCode"] == status,
            Self::Field(name) => response.get(name).is_some(),
            // What it tells CloudFormation is checked there.
            Self::Created => response.get("errorMessage").is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use serde_json::json;

    use super::*;
    use crate::paths;

    #[test]
    fn every_file_is_listed() {
        let files = fs::read_dir(paths::root().join("tests/events")).expect("a folder");
        let names = files.filter_map(|file| Some(file.ok()?.path().file_stem()?.to_str()?.to_owned()));
        assert_eq!(names.collect::<BTreeSet<_>>(), EVENTS.iter().map(|event| event.name.to_owned()).collect());
    }

    #[test]
    fn responses_are_compared() {
        assert!(Expected::Acknowledged.is(&json!({"batchItemFailures": []})));
        assert!(!Expected::Acknowledged.is(&json!({"batchItemFailures": [{"itemIdentifier": "m"}]})));
        assert!(Expected::Status(404).is(&json!({"statusCode": 404})) && !Expected::Status(404).is(&json!({})));
        assert!(Expected::Field("head").is(&json!({"head": null})) && !Expected::Field("head").is(&json!({})));
        assert!(Expected::Created.is(&json!(null)) && !Expected::Created.is(&json!({"errorMessage": "x"})));
    }
}
