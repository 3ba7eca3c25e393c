//! Dead-letter queues: shows and redrives their messages.

mod in_flight;
mod kind;
mod peek;
mod redaction;
mod redrive;
mod sent_at;

use anyhow::Result;

use crate::Session;

pub use peek::{DeadLetter, PeekReport, peek};
pub use redrive::{RedriveReport, redrive};

/// Commands for dead-letter queues.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show dead letters and why they failed, without consuming them.
    ///
    /// Text of users is not shown. The messages are invisible to other receivers for a moment, and their receive counts
    /// grow by one.
    #[command(name = "look")]
    Peek(PeekArguments),
    /// Send dead letters back to their source. Without --apply, only count them.
    ///
    /// Each message is sent before it is deleted. A duplicate is possible and has no effect. Messages that fail again
    /// meanwhile stay in the dead-letter queue.
    Redrive(RedriveArguments),
}

/// Options of `look`.
#[derive(Debug, Clone, clap::Args)]
pub struct PeekArguments {
    /// The queue whose dead letters are meant.
    pub queue: Name,
    /// Maximum number of messages to show.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// Options of `redrive`.
#[derive(Debug, Clone, clap::Args)]
pub struct RedriveArguments {
    /// The queue whose dead letters are meant.
    pub queue: Name,
    /// Maximum number of messages to send.
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    pub limit: usize,
    /// Send the messages.
    #[arg(long)]
    pub apply: bool,
}

/// A queue or topic with a dead-letter queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Name {
    /// Uploaded pictures.
    Thumbnail,
    /// Uploaded recordings.
    Audio,
    /// Events and reports about media items.
    Metadata,
    /// Graph changes that the topic rejected.
    GraphChanges,
    /// Graph changes for push notifications.
    Push,
    /// Graph changes for the search index.
    Search,
}

/// A dead-letter queue with its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeadLetterQueue<'a> {
    pub(crate) url: &'a str,
    pub(crate) source: Source<'a>,
}

/// The source of dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source<'a> {
    /// URL of a queue.
    Queue(&'a str),
    /// ARN of a FIFO topic.
    Topic(&'a str),
}

impl Name {
    /// The dead-letter queue in a stack.
    pub(crate) fn dead_letters(self, session: &Session) -> Result<DeadLetterQueue<'_>> {
        let queue = |dead_letters, queue| {
            Ok(DeadLetterQueue { url: session.output(dead_letters)?, source: Source::Queue(session.output(queue)?) })
        };
        match self {
            Self::Thumbnail => queue("ThumbnailDeadLettersUrl", "ThumbnailQueueUrl"),
            Self::Audio => queue("AudioDeadLettersUrl", "AudioQueueUrl"),
            Self::Metadata => queue("MetadataDeadLettersUrl", "MetadataQueueUrl"),
            Self::Push => queue("PushDeadLettersUrl", "PushQueueUrl"),
            Self::Search => queue("SearchDeadLettersUrl", "SearchQueueUrl"),
            Self::GraphChanges => Ok(DeadLetterQueue {
                url: session.output("GraphChangesDeadLettersUrl")?,
                source: Source::Topic(session.output("GraphChangesTopicArn")?),
            }),
        }
    }
}
