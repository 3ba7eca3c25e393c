//! Who may do what, as `docs/api/README.md` says.

use std::fs;

/// As uploads and the table name them.
pub const VISIBILITIES: [&str; 3] = ["public", "followers", "private"];

/// A row of the table of rights in `docs/api/README.md`.
#[derive(Debug)]
pub struct Right {
    pub who: String,
    pub visibility: String,
    pub get: u16,
    pub is_listed: bool,
    pub is_in_batch: bool,
    pub delete: u16,
}

/// All rows.
pub fn rights() -> Vec<Right> {
    let text = fs::read_to_string(local::paths::root().join("docs/api/README.md")).expect("the document");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    rows.filter(|row| row.len() == 6 && VISIBILITIES.contains(&row[1]))
        .map(|row| Right {
            who: row[0].to_owned(),
            visibility: row[1].to_owned(),
            get: row[2].parse().expect("a status"),
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
            delete: row[5].parse().expect("a status"),
        })
        .collect()
}
