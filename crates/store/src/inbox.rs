//! The table `inbox`: notifications that users can read later. Its only writer is `push-fanout`.
//!
//! ```text
//! pk             sk                    other attributes
//! user#<sub>     group#<key>           rule, content (a group as JSON), updated_at, revision, expires_at
//! edge#<edge>    to#<rule>#<sub>       recipient, rule, group (the key), expires_at: who has an entry of the edge; withdrawn
//!                                      (position, as in registers), if the edge was removed or a
//!                                      person at it erased
//! ```
//! The local index `by-time` has the groups of a user by `updated_at`. A row is written only over the `revision` that it was
//! made from. A group without entries has no row.
//!
//! The table `inbox-read` has how far each user has read; its only writer is `inbox-api`.

mod batch;
mod erasure;
mod read_marks;
mod row;
mod table;
#[cfg(test)]
mod tests;

pub use read_marks::ReadMarks;
pub use row::{Holder, StoredGroup};
pub use table::{InboxPage, InboxPosition, InboxTable};
