use std::fmt;

use serde::Serialize;

/// An action of a person, or a disruption of the stack. Persons, phones, stories and files are numbered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Uploads a photograph by the API, perhaps for a story, perhaps one of another author.
    UploadPhotograph { person: usize, file: usize, photograph: usize, story: Option<usize>, visibility: &'static str },
    /// Stores a photograph at a place in the bucket, which may overwrite another.
    PutPhotograph { person: usize, place: usize, photograph: usize },
    /// Stores an invalid photograph at a place.
    PutInvalidPhotograph { person: usize, place: usize },
    /// Uploads a recording by the API.
    UploadSound { person: usize, file: usize, sound: usize },
    /// Stores a recording at a place in the bucket, which may overwrite another.
    PutSound { person: usize, place: usize, sound: usize },
    /// Stores an invalid recording at a place.
    PutInvalidSound { person: usize, place: usize },
    /// Deletes the object at a place.
    DeleteInBucket { person: usize, place: usize },
    /// Deletes an upload by the API.
    DeleteByApi { file: usize },
    /// Sets the visibility of an upload by the API.
    SetFileVisibility { file: usize, visibility: &'static str },
    /// Adds a follow.
    Follow { from: usize, to: usize },
    /// Removes a follow.
    Unfollow { from: usize, to: usize },
    /// Publishes a story.
    PublishStory { author: usize, story: usize },
    /// Removes the edge from the author to a story.
    UnpublishStory { author: usize, story: usize },
    /// Removes a story and its incident edges.
    RemoveStory { story: usize },
    /// Changes or removes the title of a story.
    SetTitle { story: usize, title: Option<usize> },
    /// Changes or removes the visibility of a story.
    SetVisibility { story: usize, visibility: Option<&'static str> },
    /// Adds a tag to a story.
    Tag { story: usize, tag: usize },
    /// Removes a tag from a story.
    Untag { story: usize, tag: usize },
    /// Changes the name of a person.
    Rename { person: usize, name: usize },
    /// Adds a like.
    Like { from: usize, story: usize },
    /// Removes a like.
    Unlike { from: usize, story: usize },
    /// Adds a reply to a story.
    Reply { from: usize, story: usize, comment: usize },
    /// Adds a block.
    Block { from: usize, to: usize },
    /// Removes a block.
    Unblock { from: usize, to: usize },
    /// Adds a mute.
    Mute { from: usize, to: usize },
    /// Removes a mute.
    Unmute { from: usize, to: usize },
    /// Signs in on a phone, which may belong to another person until then.
    SignIn { person: usize, phone: usize },
    /// Signs out.
    SignOut { person: usize },
    /// Sets the muted categories of a person.
    SetPreferences { person: usize, muted: Vec<&'static str> },
    /// Requests a copy of everything that is stored about a person.
    Export { person: usize },
    /// Waits until all work is done, then erases a person's account. The owner of the graph removes the person with these
    /// stories and comments.
    Erase { person: usize, stories: Vec<usize>, comments: Vec<usize> },
    /// Marks all notifications in the inbox of a person as read.
    ReadInbox { person: usize },
    /// Executes two operations concurrently.
    Concurrent { one: Box<Operation>, other: Box<Operation> },
    /// Waits until all work is done, or for a limited time.
    Settle,
    /// Kills a running function process, selected by this number modulo their count.
    Kill { which: u64 },
    /// Restarts the emulator.
    Restart,
    /// Kills the search engine and starts it again with its data.
    RestartSearch,
    /// Delivers S3 events again in another order.
    RepeatEvents { order: u64 },
    /// Makes the poller publish all changes again.
    Replay,
    /// Waits until all work is done, then deletes the graph and its stream. Persons and tags are added again.
    Reset,
    /// Sends a message that no function can parse to a queue.
    Poison { queue: Queue, number: usize },
}

/// A queue of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Queue {
    /// Queue of thumbnailer.
    Thumbnail,
    /// Queue of audio-worker.
    Audio,
    /// Queue of metadata-writer for S3 events.
    Metadata,
    /// Queue of metadata-writer for reports of thumbnailer.
    PictureReports,
    /// Queue of metadata-writer for reports of audio-worker.
    SoundReports,
    /// Queue of push-fanout.
    Push,
    /// Queue of search-indexer.
    Search,
    /// Queue of media-api for files of stories.
    StoryFiles,
    /// Queue of account-api for the steps of erasures.
    Erasure,
    /// Queue of device-api for erasures and events of endpoints.
    PushEvents,
    /// Queue of export-worker.
    Exports,
}

impl Queue {
    /// All queues.
    pub const ALL: [Self; 11] = [
        Self::Thumbnail,
        Self::Audio,
        Self::Metadata,
        Self::PictureReports,
        Self::SoundReports,
        Self::Push,
        Self::Search,
        Self::StoryFiles,
        Self::Erasure,
        Self::PushEvents,
        Self::Exports,
    ];

    /// Whether it is a FIFO queue.
    pub fn is_fifo(self) -> bool {
        matches!(self, Self::Push | Self::Search | Self::Exports)
    }

    /// The template output with the URL.
    pub fn output(self) -> String {
        format!("{self:?}QueueUrl")
    }

    /// The template output with the URL of the dead-letter queue.
    pub fn dead_letters(self) -> String {
        format!("{self:?}DeadLettersUrl")
    }
}

impl Operation {
    /// The operation, or the two operations of a concurrent pair.
    #[cfg(test)]
    pub fn into_single(self) -> Vec<Self> {
        match self {
            Self::Concurrent { one, other } => vec![*one, *other],
            single => vec![single],
        }
    }

    /// The name in counters.
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
