//! Erases a person from the ledger and the inbox, page by page. `audience` follows the graph.

use domain::account::{ErasedTable, NotificationErasure};
use function_kit::failure::Failure;
use tracing::info;

use crate::{
    message::{Continuation, MAX_TURNS},
    ports::{Erasures, Runtime},
};

/// Erases one page. The next page, or the next table, follows as a message; after the last, the erasure goes back to
/// `account-api`.
///
/// # Errors
/// A bug after [`MAX_TURNS`] pages of one table, which are 40 million rows: the dead letter keeps the erasure, which is not
/// complete.
pub async fn erase(ports: &(impl Erasures + Runtime), page: NotificationErasure) -> Result<(), Failure> {
    let NotificationErasure { erasure, table, after, number } = page;
    if number > MAX_TURNS {
        return Err(Failure::bug("erase notifications", "the table has too many pages"));
    }
    let after = ports.erase_page(table, &erasure.user, after.as_deref()).await?;
    let next = match (table, after) {
        (table, Some(after)) => NotificationErasure { erasure, table, after: Some(after), number: number + 1 },
        (ErasedTable::Ledger, None) => {
            NotificationErasure { table: ErasedTable::Inbox, ..NotificationErasure::start(erasure) }
        }
        (ErasedTable::Inbox, None) => {
            info!("erased notifications");
            return ports.hand_back(&erasure.after_step()).await;
        }
    };
    ports.enqueue(&Continuation::Erasure(next)).await
}
