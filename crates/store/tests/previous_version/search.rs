use store::{
    mirror::MirrorTable,
    search::SearchTable,
    versioned::{Row, VersionedTable},
};

use super::{batch_gets, client, puts, row, text};

/// Reads the row `name` and writes it again.
async fn round_trip<R: Row>(name: &str) {
    let stored = row(name);
    let put = puts(&stored);
    let table = VersionedTable::<R>::new(client(&[&batch_gets("table", &stored), &put]), "table".to_owned());
    let id = text(&stored, "id");
    let read = table.get([id]).await.expect("a result").remove(id).expect("a row");
    assert_eq!(read.version().to_string(), text(&stored, "version"));
    table.put(id, &read).await.expect("the same row");
    assert_eq!(put.num_calls(), 1, "{name}");
}

/// The type of the rows of a table.
trait Rows {
    type Row: Row;
}

impl<R: Row> Rows for VersionedTable<R> {
    type Row = R;
}

#[tokio::test]
async fn search_entry_of_previous_version_is_read_and_written_unchanged() {
    round_trip::<<SearchTable as Rows>::Row>("search/story").await;
}

#[tokio::test]
async fn full_text_element_of_previous_version_is_read_and_written_unchanged() {
    for name in ["mirror/vertex", "mirror/edge"] {
        round_trip::<<MirrorTable as Rows>::Row>(name).await;
    }
}
