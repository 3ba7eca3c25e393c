//! Notifications on people's phones: whom they reach, what they say, and how they want to be told.
//!
//! ```text
//! Change ── facts ──▶ Registers by Row (the projections: owners, followers, blocks, names)
//!    └── Event::of ──▶ Event ── Rule::resolve (with what is known) ──▶ who is told
//!                                     └── Notification::message ──▶ SNS ─▶ FCM ─▶ phone
//! ```
//! The graph's vocabulary: vertices are persons (their id is the `sub` of their account; property
//! `name`, label `person`), stories (`title`; `visibility`, which decides as in [search](crate::search)
//! who hears of them) and comments. Edges are
//! ```text
//! follows     person → person              told      person → story (its addition publishes it)
//! likes       person → story or comment    wrote     person → comment
//! replies_to  comment → story or comment   mentions  story or comment → person
//! blocks      person → person              mutes     person → person
//! ```

mod category;
#[cfg(test)]
mod check;
mod event;
mod facts;
mod payload;
mod platform;
mod preferences;
mod projection;
mod register;
pub mod rules;
mod schema;
#[cfg(test)]
pub(crate) mod testing;
pub mod texts;
mod token;
mod truncate;

pub use category::Category;
pub use event::Event;
pub use facts::{Fact, Pair, Row, facts, shows};
pub use payload::{FCM_MAX_BYTES, Notification, PayloadError};
pub use platform::Platform;
pub use preferences::{Delivery, InvalidQuietHours, Preferences, QuietHours};
pub use projection::{Owner, Registers, Relation, Vertex, VisibilityFact, followed_before, follows, still_stands};
pub use register::{InvalidRegister, Register};
pub use rules::{LocalizedText, Recipients, Resolution, TemplateArgs};
pub use schema::{Actor, Arg, Audience, EdgeOp, End, Kind, MessageTemplate, Pattern, Rule, Text, Texts};
pub use token::{InvalidToken, MAX_TOKEN_BYTES, Token};
pub(crate) use truncate::truncate;
