use domain::graph::Position;

/// The start of a read: an iterator type of the Streams API with its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At this position, with the record there.
    AtSequenceNumber(Position),
    /// After this position, for example a checkpoint.
    AfterSequenceNumber(Position),
    /// At the oldest record that has not expired.
    TrimHorizon,
    /// At the most recent record. Neptune returns only this record.
    Latest,
}
