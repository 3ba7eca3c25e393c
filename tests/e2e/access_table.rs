//! The table of access rules in `docs/api/README.md`.

use std::fs;

/// The values of `visibility`.
pub const VISIBILITIES: [&str; 3] = ["public", "followers", "private"];

/// A row of the table: what a role may do with items of one visibility.
#[derive(Debug)]
pub struct AccessRule {
    /// `owner`, `follower`, `blocked follower` or `stranger`.
    pub role: String,
    pub visibility: String,
    /// The status of `GET /v1/media/{id}`. Where it is 200, `POST /v1/reports` has 201.
    pub get: u16,
    pub is_listed: bool,
    pub is_in_batch: bool,
    /// The status of `DELETE /v1/media/{id}` and `PUT /v1/media/{id}/visibility`.
    pub delete: u16,
}

/// All rows of the table.
pub fn access_rules() -> Vec<AccessRule> {
    let text = fs::read_to_string(stack::paths::root().join("docs/api/README.md")).expect("document");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    let rules: Vec<_> = rows
        .filter(|row| row.len() == 6 && VISIBILITIES.contains(&row[1]))
        .map(|row| AccessRule {
            role: row[0].to_owned(),
            visibility: row[1].to_owned(),
            get: row[2].parse().expect("status"),
            is_listed: match row[3] {
                "listed" => true,
                "not listed" => false,
                other => panic!("{other}"),
            },
            is_in_batch: match row[4] {
                "there" => true,
                "not there" => false,
                other => panic!("{other}"),
            },
            delete: row[5].parse().expect("status"),
        })
        .collect();
    assert_eq!(rules.len(), 12, "{rules:?}");
    rules
}
