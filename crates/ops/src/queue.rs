//! Dead-letter queues: what lies in them, and sending it back.

mod held;
mod kind;
mod look;
mod reason;
mod redrive;

use anyhow::Result;

pub use look::{Letter, Looked, look};
pub use redrive::{Redriven, redrive};

use crate::Session;

/// About a dead-letter queue.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show what lies there and why, and leave it there.
    ///
    /// Nothing of what users wrote is shown. For the moment of looking, other consumers do not see the messages; the
    /// count of how often each was received grows by one.
    Look(Look),
    /// Send what lies there back to where it came from. Without --apply, only count it.
    ///
    /// Each message is sent before it is deleted, so one may come twice, which changes nothing. What fails
    /// again meanwhile stays where it is.
    Redrive(Redrive),
}

/// Which queue to look into.
#[derive(Debug, Clone, clap::Args)]
pub struct Look {
    /// Whose dead letters.
    pub queue: Name,
    /// How many messages to show.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// Which queue's messages to send back.
#[derive(Debug, Clone, clap::Args)]
pub struct Redrive {
    /// Whose dead letters.
    pub queue: Name,
    /// How many messages to send back.
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    pub limit: usize,
    /// Do it.
    #[arg(long)]
    pub apply: bool,
}

/// A queue with dead letters, by the work that is done from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Name {
    /// Pictures to make variants of.
    Thumbnail,
    /// Recordings to make renditions of.
    Audio,
    /// What is to be known of media items.
    Metadata,
    /// Changes that the bus refused.
    GraphChanges,
    /// Changes for push-fanout.
    Push,
    /// Changes for the index.
    Search,
}

/// Where dead letters lie, and where they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) dead_letters: &'a str,
    pub(crate) home: Home<'a>,
}

/// Where messages came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home<'a> {
    /// A queue's URL.
    Queue(&'a str),
    /// A FIFO topic's ARN.
    Topic(&'a str),
}

impl Name {
    /// The queue of this stack.
    pub(crate) fn place(self, session: &Session) -> Result<Place<'_>> {
        let queue = |dead_letters, queue| {
            Ok(Place { dead_letters: session.output(dead_letters)?, home: Home::Queue(session.output(queue)?) })
        };
        match self {
            Self::Thumbnail => queue("ThumbnailDeadLettersUrl", "ThumbnailQueueUrl"),
            Self::Audio => queue("AudioDeadLettersUrl", "AudioQueueUrl"),
            Self::Metadata => queue("MetadataDeadLettersUrl", "MetadataQueueUrl"),
            Self::Push => queue("PushDeadLettersUrl", "PushQueueUrl"),
            Self::Search => queue("SearchDeadLettersUrl", "SearchQueueUrl"),
            Self::GraphChanges => Ok(Place {
                dead_letters: session.output("GraphChangesDeadLettersUrl")?,
                home: Home::Topic(session.output("GraphChangesTopicArn")?),
            }),
        }
    }
}
