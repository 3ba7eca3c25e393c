use domain::account::{ErasedTable, Erasure};
use function_kit::failure::Failure;

use crate::{aws::Aws, ports::Erasures};

/// Rows of a table in one page. The table returns at most 1 MB.
const ROWS_PER_PAGE: i32 = 2_000;

impl Erasures for Aws {
    async fn erase_page(
        &self,
        table: ErasedTable,
        person: &str,
        after: Option<&[String]>,
    ) -> Result<Option<Vec<String>>, Failure> {
        const UNREADABLE: &str = "the key of the page has another number of parts";
        let unreadable = || Failure::bug("erase a page", UNREADABLE);
        match table {
            ErasedTable::Ledger => {
                let after = match after {
                    None => None,
                    Some([id]) => Some(id.as_str()),
                    Some(_) => return Err(unreadable()),
                };
                Ok(self.ledger.erase_page(person, after, ROWS_PER_PAGE).await?.map(|id| vec![id]))
            }
            ErasedTable::Inbox => {
                let after = match after {
                    None => None,
                    Some([pk, sk]) => Some((pk.as_str(), sk.as_str())),
                    Some(_) => return Err(unreadable()),
                };
                Ok(self.inbox.erase_page(person, after, ROWS_PER_PAGE).await?.map(|(pk, sk)| vec![pk, sk]))
            }
        }
    }

    async fn hand_back(&self, erasure: &Erasure) -> Result<(), Failure> {
        const DOING: &str = "hand an erasure back";
        let body = serde_json::to_string(erasure).map_err(|error| Failure::bug(DOING, error))?;
        let send = self.sqs.send_message().queue_url(&self.erasure_queue_url).message_body(body).send().await;
        send.map(drop).map_err(|error| Failure::aws(DOING, error))
    }
}
