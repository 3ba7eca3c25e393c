//! Keys of the table's rows.

use domain::push::Row;

use crate::attribute::{Attributes, text};

/// The sort key of rows that are alone in their partition, or beside pending events.
const FACTS: &str = "facts";

/// The partition key of a person's followers.
pub fn followers_partition(person: &str) -> String {
    format!("followers#{person}")
}

/// The partition key of the persons whom a person follows.
pub fn following_partition(person: &str) -> String {
    format!("following#{person}")
}

/// The partition key of a vertex and of the events that wait for it.
pub fn vertex_partition(id: &str) -> String {
    format!("vertex#{id}")
}

/// Partition and sort key of a row.
pub fn key_texts(row: &Row) -> (String, String) {
    match row {
        Row::Vertex(id) => (vertex_partition(id), FACTS.to_owned()),
        Row::Follower { of, follower } => (followers_partition(of), follower.clone()),
        Row::Following { by, of } => (following_partition(by), of.clone()),
        Row::PersonPair(pair) => {
            let (a, b) = pair.persons();
            // The length makes the key unique even if ids contain a #.
            (format!("pair#{}#{a}#{b}", a.len()), FACTS.to_owned())
        }
        Row::Edge(id) => (format!("edge#{id}"), FACTS.to_owned()),
    }
}

/// The key of a row.
pub fn key(row: &Row) -> Attributes {
    let (pk, sk) = key_texts(row);
    key_of(pk, sk)
}

/// The key with these texts.
pub fn key_of(pk: String, sk: String) -> Attributes {
    Attributes::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}
