//! The request for an export, and its response.

use domain::graph::Position;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A request for an export, or for the rest of one. `{}` starts an export.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ExportRequest {
    /// Only counts.
    pub dry_run: bool,
    /// The visibility of a vertex with a title and without `visibility`. Without this setting its title is not
    /// exported, because the graph does not show whether it never had a visibility or lost it.
    pub without_visibility: Option<DefaultVisibility>,
    /// The time of an edge without a date in the graph.
    pub undated_at: Timestamp,
    /// The last position of a range that was lost. Vertices are exported at this position, so they win over facts from
    /// before the loss and lose to later ones. Without it, and for edges, all facts of the stream win.
    pub lost_until: Option<Position>,
    /// The part that is being read.
    pub part: Part,
    /// The id after which reading continues.
    pub after: Option<String>,
    /// The stream's generation at the start of the export.
    pub generation: Option<u64>,
}

impl Default for ExportRequest {
    fn default() -> Self {
        Self {
            dry_run: false,
            without_visibility: None,
            undated_at: Timestamp::UNIX_EPOCH,
            lost_until: None,
            part: Part::Vertices,
            after: None,
            generation: None,
        }
    }
}

/// The assumed visibility of a vertex with a title and without `visibility`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefaultVisibility {
    /// Public: the vertex never had a visibility.
    Public,
    /// Private: the vertex may have lost its visibility.
    Private,
}

/// A part of the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The first part: names, titles, visibilities, and labels of people and tags.
    Vertices,
    /// The second part: edges `told`, `tagged`, `follows` and `blocks`.
    Edges,
}

/// The progress of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportResponse {
    /// The reason for the end: `exported` or `deadline`.
    pub ended: &'static str,
    /// The number of rows sent, or counted in a dry run.
    #[serde(flatten)]
    pub counts: Counts,
    /// The next request; `None` if the export is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<ExportRequest>,
}

/// The counts of one invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Exported vertices.
    pub vertices: u64,
    /// Exported edges.
    pub edges: u64,
    /// Titles that are not exported for lack of a visibility: see [`ExportRequest::without_visibility`].
    pub undecided: u64,
    /// Edges exported with the time [`ExportRequest::undated_at`].
    pub undated: u64,
    /// Rows with an id of more than 2,048 bytes, which no consumer can store.
    pub skipped: u64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn returned_request_parses_to_itself_and_misspelt_one_is_rejected() {
        let request = |json| serde_json::from_value::<ExportRequest>(json);
        assert_eq!(request(json!({})).expect("a request"), ExportRequest::default());
        let rest = ExportRequest {
            without_visibility: Some(DefaultVisibility::Private),
            undated_at: "2024-01-01T00:00:00Z".parse().expect("a time"),
            lost_until: Some(Position::new(12, 3)),
            part: Part::Edges,
            after: Some("told:s1".to_owned()),
            generation: Some(2),
            ..ExportRequest::default()
        };
        let json = serde_json::to_value(&rest).expect("JSON");
        assert_eq!((&json["withoutVisibility"], &json["part"]), (&json!("private"), &json!("edges")));
        assert_eq!(json["lostUntil"], "12/3");
        assert_eq!(request(json).expect("a request"), rest);
        for misspelt in
            [json!({"dryrun": true}), json!({"withoutVisibility": "followers"}), json!({"undatedAt": "then"})]
        {
            assert!(request(misspelt).is_err());
        }
    }
}
