//! Dead-letter queues: shows their messages, and redrives them.

mod description;
mod in_flight;
mod peek;
mod reason;
mod redrive;

use anyhow::Result;

pub use peek::{DeadLetter, PeekReport, peek};
pub use redrive::{RedriveReport, redrive};

use crate::Session;

/// Commands for a dead-letter queue.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show dead letters and their failures, and leave them in the queue.
    ///
    /// No text of users is shown. The messages are invisible to other consumers while they are read, and their
    /// receive counts grow by one.
    #[command(name = "look")]
    Peek(PeekOptions),
    /// Send dead letters back to their source. Without --apply, only count them.
    ///
    /// Each message is sent before it is deleted. A duplicate can occur and has no effect. Messages that fail
    /// again during the redrive stay in the queue.
    Redrive(RedriveOptions),
}

/// Selects the dead letters to show.
#[derive(Debug, Clone, clap::Args)]
pub struct PeekOptions {
    /// The queue with the dead letters.
    pub queue: Name,
    /// The maximum number of messages to show.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// Selects the dead letters to redrive.
#[derive(Debug, Clone, clap::Args)]
pub struct RedriveOptions {
    /// The queue with the dead letters.
    pub queue: Name,
    /// The maximum number of messages to send back.
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    pub limit: usize,
    /// Send the messages.
    #[arg(long)]
    pub apply: bool,
}

/// A source that has a dead-letter queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Name {
    /// Pictures to render as variants.
    Thumbnail,
    /// Recordings to encode as renditions.
    Audio,
    /// S3 events for the media table.
    Metadata,
    /// Reports of thumbnailer for the media table.
    PictureReports,
    /// Reports of audio-worker for the media table.
    SoundReports,
    /// Changes that the event bus rejected.
    GraphChanges,
    /// Changes to evaluate for push notifications.
    Push,
    /// Failed deliveries to endpoints of phones.
    PushEvents,
    /// Steps of erasures of accounts.
    Erasures,
    /// Turns of people's exports.
    Exports,
    /// Changes to index for search.
    Search,
    /// Stories, and files whose visibility is compared with their story's.
    StoryFiles,
}

/// A dead-letter queue and the source of its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeadLetterQueue<'a> {
    pub(crate) url: &'a str,
    pub(crate) source: Source<'a>,
}

/// The source of dead letters, and the destination of a redrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source<'a> {
    /// The URL of a queue.
    Queue(&'a str),
    /// The ARN of a FIFO topic.
    Topic(&'a str),
}

impl Name {
    /// The dead-letter queue in the stack of `session`.
    pub(crate) fn dead_letter_queue(self, session: &Session) -> Result<DeadLetterQueue<'_>> {
        let of_queue = |url, queue| {
            Ok(DeadLetterQueue { url: session.output(url)?, source: Source::Queue(session.output(queue)?) })
        };
        match self {
            Self::Thumbnail => of_queue("ThumbnailDeadLettersUrl", "ThumbnailQueueUrl"),
            Self::Audio => of_queue("AudioDeadLettersUrl", "AudioQueueUrl"),
            Self::Metadata => of_queue("MetadataDeadLettersUrl", "MetadataQueueUrl"),
            Self::PictureReports => of_queue("PictureReportsDeadLettersUrl", "PictureReportsQueueUrl"),
            Self::SoundReports => of_queue("SoundReportsDeadLettersUrl", "SoundReportsQueueUrl"),
            Self::Push => of_queue("PushDeadLettersUrl", "PushQueueUrl"),
            Self::PushEvents => of_queue("PushEventsDeadLettersUrl", "PushEventsQueueUrl"),
            Self::Erasures => of_queue("ErasureDeadLettersUrl", "ErasureQueueUrl"),
            Self::Exports => of_queue("ExportsDeadLettersUrl", "ExportsQueueUrl"),
            Self::Search => of_queue("SearchDeadLettersUrl", "SearchQueueUrl"),
            Self::StoryFiles => of_queue("StoryFilesDeadLettersUrl", "StoryFilesQueueUrl"),
            Self::GraphChanges => Ok(DeadLetterQueue {
                url: session.output("GraphChangesDeadLettersUrl")?,
                source: Source::Topic(session.output("GraphChangesTopicArn")?),
            }),
        }
    }
}
