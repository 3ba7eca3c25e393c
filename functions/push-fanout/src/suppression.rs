use function_kit::metrics::Metrics;

/// Reason why a recipient gets no notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suppression {
    /// The event is older than the rule's lifetime.
    Expired,
    /// The edge was removed, or was added again by a later event.
    Withdrawn,
    /// The recipient is the actor.
    Own,
    /// Recipient or actor blocked the other.
    Blocked,
    /// The recipient muted the actor.
    Muted,
    /// The recipient switched the category off.
    Preference,
    /// The recipient has no device.
    NoDevice,
    /// The ledger has an outcome: the notification was sent or suppressed before.
    Settled,
    /// The audience has more pages than this function hands to itself.
    TooManyPages,
}

impl Suppression {
    /// Name in the ledger and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Withdrawn => "undone",
            Self::Own => "own",
            Self::Blocked => "blocked",
            Self::Muted => "muted",
            Self::Preference => "preference",
            Self::NoDevice => "no_device",
            Self::Settled => "settled",
            Self::TooManyPages => "too_many_pages",
        }
    }

    /// Adds one to the metric `Suppressed`.
    pub fn count(self, metrics: &Metrics) {
        metrics.count_kind("Suppressed", ("Reason", self.as_str()), 1);
    }
}
