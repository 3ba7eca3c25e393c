use aws_sdk_dynamodb::types::AttributeValue;
use function_kit::failure::Failure;

use super::LedgerTable;
use crate::attribute::{Attributes, get_text, text};

impl LedgerTable {
    /// Deletes the rows of a page of the table that are about `person`: as a recipient, or as the last follower of a page.
    /// The page has up to `limit` rows and starts after the row `after`. Returns the row after which the next page starts.
    ///
    /// Rows have no index by recipient. A person is erased once, and claims are written all the time.
    pub async fn erase_page(&self, person: &str, after: Option<&str>, limit: i32) -> Result<Option<String>, Failure> {
        let scan = self
            .client
            .scan()
            .table_name(&self.name)
            .limit(limit)
            .set_exclusive_start_key(after.map(|id| Attributes::from([("id".to_owned(), text(id))])))
            .projection_expression("id, #next")
            .filter_expression("contains(id, :person) OR #next = :person")
            .expression_attribute_names("#next", "next")
            .expression_attribute_values(":person", text(person));
        let response = scan.send().await.map_err(|error| Failure::aws("read a page of the ledger", error))?;
        for row in response.items.unwrap_or_default() {
            if let Some(id) = get_text(&row, "id").filter(|id| is_about(id, get_text(&row, "next"), person)) {
                self.delete(text(id)).await?;
            }
        }
        Ok(response.last_evaluated_key.and_then(|key| get_text(&key, "id").map(str::to_owned)))
    }

    async fn delete(&self, id: AttributeValue) -> Result<(), Failure> {
        let delete = self.client.delete_item().table_name(&self.name).key("id", id);
        delete.send().await.map(drop).map_err(|error| Failure::aws("delete a row of the ledger", error))
    }
}

/// The recipient is the last part of an id. Ids of persons contain no `#`.
fn is_about(id: &str, next: Option<&str>, person: &str) -> bool {
    next == Some(person) || id.rsplit_once('#').is_some_and(|(_, recipient)| recipient == person)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::{delete_item::DeleteItemOutput, scan::ScanOutput},
    };
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;
    use crate::testing::{row, value};

    #[tokio::test]
    async fn only_rows_about_the_person_are_deleted() {
        let scan = mock!(Client::scan)
            .match_requests(|request| value(request.exclusive_start_key(), "id") == Some("told#a"))
            .then_output(|| {
                let rows = [
                    row([("id", text("told#follow#main/7/1#mina"))]),
                    row([("id", text("told#follow#main/7/1#mina2"))]),
                    row([("id", text("told#follow#mina/7/1#jun"))]),
                    row([("id", text("bound#story#main/9/1#0")), ("next", text("mina"))]),
                ];
                ScanOutput::builder()
                    .set_items(Some(rows.into()))
                    .set_last_evaluated_key(Some(row([("id", text("told#z"))])))
                    .build()
            });
        let delete = |id: &'static str| {
            mock!(Client::delete_item)
                .match_requests(move |request| value(request.key(), "id") == Some(id))
                .then_output(|| DeleteItemOutput::builder().build())
        };
        let (told, bound) = (delete("told#follow#main/7/1#mina"), delete("bound#story#main/9/1#0"));
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&scan, &told, &bound]);
        let table = LedgerTable::new(client, "ledger".to_owned());
        assert_eq!(table.erase_page("mina", Some("told#a"), 100).await.expect("a page").as_deref(), Some("told#z"));
    }
}
