/// How a failure is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is retried; after the tries of the queue the message goes to the dead-letter queue.
    Transient,
    /// A retry cannot help: the message goes to the dead-letter queue at once, and an alarm is raised.
    Bug,
}

impl Kind {
    /// The name in logs and on dead letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Bug => "bug",
        }
    }
}
