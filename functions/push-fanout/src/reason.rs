use function_kit::metrics::Metrics;

/// Why somebody is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It was too long ago.
    Expired,
    /// It was taken back.
    Undone,
    /// It is their own doing.
    Own,
    /// One of the two blocked the other.
    Blocked,
    /// They muted whoever did it.
    Muted,
    /// They do not want to be told of such things.
    Preference,
    /// There is no phone.
    NoDevice,
    /// They were told, or it was decided before that they are not.
    Settled,
}

impl Reason {
    /// As in the ledger and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Undone => "undone",
            Self::Own => "own",
            Self::Blocked => "blocked",
            Self::Muted => "muted",
            Self::Preference => "preference",
            Self::NoDevice => "no_device",
            Self::Settled => "settled",
        }
    }

    /// One more.
    pub fn count(self, metrics: &Metrics) {
        metrics.count_kind("Suppressed", ("Reason", self.as_str()), 1);
    }
}
