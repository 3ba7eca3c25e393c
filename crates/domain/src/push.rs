//! Push notifications: rules, recipients, texts, payloads and preferences.
//!
//! ```text
//! Change ── facts ──▶ Registers by Row (the projections: owners, followers, blocks, names)
//!    └── Event::of ──▶ Event ── Rule::resolve (with the projections) ──▶ recipients
//!                                     └── Notification::sns_message ──▶ SNS ─▶ FCM ─▶ phone
//! ```
//! The graph's vocabulary: vertices are persons (the id is the `sub` of the account; property `name`,
//! label `person`), stories (properties `title` and `visibility`, the same as in
//! [search](crate::search)) and comments. Edges are
//! ```text
//! follows     person → person              told      person → story (its addition publishes it)
//! likes       person → story or comment    wrote     person → comment
//! replies_to  comment → story or comment   mentions  story or comment → person
//! blocks      person → person              mutes     person → person
//! ```

mod audience_register;
mod category;
mod cooldown;
mod event;
mod facts;
mod inbox;
mod payload;
mod platform;
mod preferences;
mod projection;
mod resolve;
#[cfg(test)]
mod rule_check;
pub mod rules;
mod schema;
mod template;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod texts;
mod token;
mod truncate;

pub(crate) use audience_register::GENERATION_DIGITS;
pub use audience_register::{InvalidRegister, Register};
pub use category::Category;
pub use cooldown::Cooldown;
pub use event::Event;
pub use facts::{Fact, PersonPair, Row, facts, following_facts, vertex_with_visibility};
pub use inbox::{INBOX_RETENTION, InboxEntry, InboxGroup, MAX_INBOX_ENTRIES, inbox_group_key};
pub use payload::{FCM_MAX_BYTES, Notification, PayloadError};
pub use platform::Platform;
pub use preferences::{Delivery, InvalidQuietHours, Preferences, QuietHours};
pub use projection::{
    Owner, Registers, Relation, Vertex, VisibilityFact, edge_still_exists, followed_before, follows, follows_unblocked,
    of_generation,
};
pub use resolve::{Recipients, Resolution};
pub use schema::{Actor, Arg, Audience, EdgeOp, End, Kind, MessageTemplate, Pattern, Rule, Text, Texts};
pub use template::{LocalizedText, TemplateArgs};
pub use token::{InvalidToken, MAX_TOKEN_BYTES, Token};
pub(crate) use truncate::truncate;
