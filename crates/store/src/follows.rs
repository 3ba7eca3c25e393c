//! The table `follows`: whom each person follows, for search. Its only writer is `search-indexer`.
//!
//! ```text
//! pk                   sk         other attributes
//! following#<person>   <person>   r:edge#<edge>, r:blocks#<edge>: registers, as in the table `audience`
//! ```
//! `audience` has the same edges by the followed person, as notifications need them. A search decides in its query whose
//! stories the caller may see, so it needs them by the follower, in one read.

use aws_sdk_dynamodb::Client;
use domain::push::{Fact, follows_unblocked};
use function_kit::failure::Failure;
use jiff::Timestamp;

use crate::audience::AudienceTable;

/// The most followed persons of a caller whose stories for followers a search finds.
pub const MAX_FOLLOWED: usize = 2_000;
/// Rows per request: less than 1 MB.
const PAGE: i32 = 1_000;
/// The most requests, if many rows are of former follows.
const MAX_PAGES: usize = 4;

/// The table.
#[derive(Debug, Clone)]
pub struct FollowsTable(AudienceTable);

impl FollowsTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self(AudienceTable::new(client, name))
    }

    /// Stores that the graph is of `generation`, if that is later than the stored one: facts of earlier ones are void. One
    /// write per process and generation.
    pub async fn begin(&self, generation: u32) -> Result<(), Failure> {
        self.0.begin(generation).await
    }

    /// Writes a fact of [`following_facts`](domain::push::following_facts), unless the table has a later one.
    pub async fn apply(&self, fact: &Fact, committed_at: Timestamp) -> Result<(), Failure> {
        self.0.apply(fact, committed_at).await
    }

    /// Up to [`MAX_FOLLOWED`] persons whom `person` follows and with whom there is no block. Always the first ones by id, so
    /// that the pages of a search agree.
    pub async fn followed(&self, person: &str) -> Result<Vec<String>, Failure> {
        let (mut followed, mut after) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let page = self.0.following(person, after.as_deref(), PAGE).await?;
            let current = page.followers.into_iter().filter(|(_, registers)| follows_unblocked(registers));
            followed.extend(current.map(|(person, _)| person));
            after = page.next;
            if after.is_none() || followed.len() >= MAX_FOLLOWED {
                break;
            }
        }
        followed.truncate(MAX_FOLLOWED);
        Ok(followed)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        operation::{query::QueryOutput, update_item::UpdateItemOutput},
        types::AttributeValue,
    };
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use domain::{graph::Position, push::Register};

    use super::*;
    use crate::{
        attribute::{number, text},
        testing::{row, value},
    };

    fn edge(of: &str) -> [(&'static str, AttributeValue); 3] {
        let register = Register::new(Position::new(7, 1), "").to_string();
        [("pk", text("following#jun")), ("sk", text(of)), ("r:edge#e", text(register))]
    }

    #[tokio::test]
    async fn generation_is_stored_once_per_process_and_voids_earlier_follows() {
        let begin = mock!(Client::update_item)
            .match_requests(|request| {
                value(request.key(), "pk") == Some("generation")
                    && value(request.expression_attribute_values(), ":generation") == Some("1")
            })
            .then_output(|| UpdateItemOutput::builder().build());
        let stored = row([("pk", text("generation")), ("sk", text("facts")), ("generation", number(1))]);
        let generation = mock!(Client::batch_get_item)
            .then_http_response(move || dynamodb_responses::batch_get("follows", std::slice::from_ref(&stored), &[]));
        let query = mock!(Client::query).then_output(|| QueryOutput::builder().items(row(edge("mina"))).build());
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&begin, &generation, &query]);
        let table = FollowsTable::new(client, "follows".to_owned());
        for generation in [0, 1, 1] {
            table.begin(generation).await.expect("begun");
        }
        assert_eq!(begin.num_calls(), 1);
        assert_eq!(table.followed("jun").await.expect("persons"), Vec::<String>::new());
    }

    #[tokio::test]
    async fn followed_persons_are_read_page_by_page_without_blocked_ones() {
        let generation =
            mock!(Client::batch_get_item).then_http_response(|| dynamodb_responses::batch_get("follows", &[], &[]));
        let query = mock!(Client::query)
            .match_requests(|request| value(request.expression_attribute_values(), ":pk") == Some("following#jun"))
            .sequence()
            .output(|| {
                let mut blocked = row(edge("haneul"));
                let register = Register::new(Position::new(8, 1), "jun").to_string();
                blocked.insert("r:blocks#b".to_owned(), text(register));
                let last = row([("pk", text("following#jun")), ("sk", text("haneul"))]);
                QueryOutput::builder().items(blocked).set_last_evaluated_key(Some(last)).build()
            })
            .output(|| QueryOutput::builder().items(row(edge("mina"))).build())
            .build();
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&generation, &query]);
        let table = FollowsTable::new(client, "follows".to_owned());
        assert_eq!(table.followed("jun").await.expect("persons"), ["mina"]);
        assert_eq!((query.num_calls(), generation.num_calls()), (2, 1));
    }
}
