//! Where changes go.

use function_kit::failure::Failure;

use crate::outbox::Entry;

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishOutcome {
    /// It is on the bus, or was already.
    Accepted,
    /// It is not, and may be tried again. The bus's word for why.
    Again(String),
    /// It never will be. The bus's word for why.
    Refused(String),
}

/// The bus and its dead letters. The real one is [`SnsBus`](crate::sns::SnsBus); tests have one in
/// memory that fails on demand.
pub trait Bus {
    /// Publishes what fits in one call, and says of each entry, in order, what became of it.
    fn publish(&self, entries: &[Entry]) -> impl Future<Output = Vec<PublishOutcome>>;

    /// Puts a message that the bus refuses to the dead letters.
    ///
    /// # Errors
    /// If it is not there.
    fn bury(&self, entry: &Entry, reason: &str) -> impl Future<Output = Result<(), Failure>>;
}
