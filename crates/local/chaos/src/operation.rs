use std::fmt;

use serde::Serialize;

/// What somebody does, or what befalls the stack. Persons, phones, stories and files go by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// A photograph is declared, and sent as it was signed, to a place of its own.
    Upload { person: usize, file: usize, photograph: usize },
    /// A photograph is put into the bucket, where there may be one already.
    Put { person: usize, place: usize, photograph: usize },
    /// What is no photograph is put there.
    PutBroken { person: usize, place: usize },
    /// A recording is declared, and sent as it was signed, to a place of its own.
    UploadSound { person: usize, file: usize, sound: usize },
    /// A recording is put into the bucket, where there may be one already.
    PutSound { person: usize, place: usize, sound: usize },
    /// What is no recording is put there.
    PutNoSound { person: usize, place: usize },
    /// What is there is deleted in the bucket.
    DeleteInBucket { person: usize, place: usize },
    /// What was uploaded is deleted by the API.
    DeleteByApi { file: usize },
    /// One person follows another.
    Follow { from: usize, to: usize },
    /// And no longer.
    Unfollow { from: usize, to: usize },
    /// Somebody tells a story.
    Tell { author: usize, story: usize },
    /// And no longer: it stays in the graph, and is nobody's.
    Untell { author: usize, story: usize },
    /// A story goes from the graph, with all edges from and to it.
    RemoveStory { story: usize },
    /// A story is given another title, or none.
    Retitle { story: usize, title: Option<usize> },
    /// It is said who may see a story, or not any more.
    SetVisibility { story: usize, visibility: Option<&'static str> },
    /// A story is tagged.
    Tag { story: usize, tag: usize },
    /// And no longer.
    Untag { story: usize, tag: usize },
    /// A person is given another name.
    Rename { person: usize, name: usize },
    /// Somebody likes a story.
    Like { from: usize, story: usize },
    /// And no longer.
    Unlike { from: usize, story: usize },
    /// Somebody replies to a story.
    Reply { from: usize, story: usize, comment: usize },
    /// One person blocks another.
    Block { from: usize, to: usize },
    /// And no longer.
    Unblock { from: usize, to: usize },
    /// One person mutes another.
    Mute { from: usize, to: usize },
    /// And no longer.
    Unmute { from: usize, to: usize },
    /// Somebody signs in on a phone, which may be another's until then.
    SignIn { person: usize, phone: usize },
    /// Somebody signs out.
    SignOut { person: usize },
    /// Somebody says of which sorts of news they want to hear nothing.
    Prefer { person: usize, muted: Vec<&'static str> },
    /// Two operations are done at the same moment.
    Together { one: Box<Operation>, other: Box<Operation> },
    /// Nothing is done until all changes so far have been worked off, or for a while.
    Settle,
    /// A function's process is killed, whatever it is doing: of those that run, the one with this
    /// number, modulo their number.
    Kill { which: u64 },
    /// The emulator is ended and started again.
    Restart,
    /// Events of S3 that were delivered come again, in another order.
    RepeatEvents { order: u64 },
    /// The poller publishes all changes since the beginning once more.
    Replay,
    /// What no function understands comes into a queue.
    Poison { queue: Queue, number: usize },
}

/// A queue that functions work off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Queue {
    /// Of thumbnailer.
    Thumbnail,
    /// Of audio-worker.
    Audio,
    /// Of metadata-writer.
    Metadata,
    /// Of push-fanout.
    Push,
    /// Of search-indexer.
    Search,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Thumbnail, Self::Audio, Self::Metadata, Self::Push, Self::Search];

    /// Whether it keeps an order.
    pub fn is_fifo(self) -> bool {
        matches!(self, Self::Push | Self::Search)
    }

    /// The template's output with its URL.
    pub fn output(self) -> String {
        format!("{self:?}QueueUrl")
    }

    /// The template's output with the URL of its dead letters.
    pub fn dead_letters(self) -> String {
        format!("{self:?}DeadLettersUrl")
    }
}

impl Operation {
    /// It, or the two that it is, in one of the orders in which they can be done.
    #[cfg(test)]
    pub fn apart(self) -> Vec<Self> {
        match self {
            Self::Together { one, other } => vec![*one, *other],
            single => vec![single],
        }
    }

    /// Its name in counts.
    pub fn name(&self) -> String {
        let text = format!("{self:?}");
        text.split([' ', '{']).next().unwrap_or_default().to_owned()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
