use function_kit::metrics::Metrics;

/// Reason why a recipient gets no notification, by its name in the ledger and in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(const_into_str, serialize_all = "snake_case")]
pub enum Suppression {
    /// The event is older than the rule's lifetime.
    Expired,
    /// The edge was removed, or was added again by a later event.
    #[strum(serialize = "undone")]
    Withdrawn,
    /// The recipient is the actor.
    Own,
    /// Recipient or actor blocked the other.
    Blocked,
    /// The recipient muted the actor.
    Muted,
    /// The recipient switched the category off.
    Preference,
    /// The recipient's account is being erased.
    Erased,
    /// The recipient has no device.
    NoDevice,
    /// An edge between the same vertices was pushed shortly before. The notification is in the inbox only.
    Cooldown,
    /// The ledger has an outcome: the notification was sent or suppressed before.
    Settled,
    /// The audience has more pages than this function hands to itself.
    TooManyPages,
}

impl Suppression {
    /// Adds one to the metric `Suppressed`.
    pub fn count(self, metrics: &Metrics) {
        metrics.count_kind("Suppressed", ("Reason", self.into_str()), 1);
    }
}
