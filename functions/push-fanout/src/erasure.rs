//! Erases a person from the ledger and the inbox, page by page. `audience` follows the graph.

use domain::account::{ErasedTable, NotificationErasure};
use function_kit::failure::Failure;
use tracing::info;

use crate::{
    message::Continuation,
    ports::{Erasures, Runtime},
};

/// Erases one page. The next page, or the next table, follows as a message; after the last, the erasure goes back to
/// `account-api`.
pub async fn erase(ports: &(impl Erasures + Runtime), page: NotificationErasure) -> Result<(), Failure> {
    let NotificationErasure { erasure, table, after } = page;
    let after = ports.erase_page(table, &erasure.user, after.as_deref()).await?;
    let next = match (table, after) {
        (table, Some(after)) => NotificationErasure { erasure, table, after: Some(after) },
        (ErasedTable::Ledger, None) => NotificationErasure { erasure, table: ErasedTable::Inbox, after: None },
        (ErasedTable::Inbox, None) => {
            info!("erased notifications");
            return ports.hand_back(&erasure.after_step()).await;
        }
    };
    ports.enqueue(&Continuation::Erasure(next)).await
}
