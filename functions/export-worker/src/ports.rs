//! Interface to the outside: [`Services`](crate::services::Services) in production, memory in tests.

use domain::export::ExportJob;
use function_kit::failure::Failure;
use jiff::Timestamp;
use serde_json::Value;
use store::{
    exports::StoredExport,
    personal_data::{PageKey, PersonalPage},
};

/// An original in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub size: u64,
}

/// A piece of an original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Bytes of the whole original.
    pub size: u64,
    /// Its `ETag`.
    pub version: String,
    /// When it was uploaded.
    pub modified: Timestamp,
    /// Its name, as its uploader declared it.
    pub file_name: Option<String>,
}

/// An upload that does not exist, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoUpload;

/// Tables, buckets, user pool and queues. Every call may be repeated.
pub trait Ports {
    fn now(&self) -> Timestamp;
    /// Whether the turn is to end.
    fn is_time_up(&self) -> bool;

    async fn export(&self, user: &str) -> Result<Option<StoredExport>, Failure>;
    /// Stores the progress over that of `export`. Returns whether it was stored.
    async fn advance(&self, export: &StoredExport, progress: &str) -> Result<bool, Failure>;
    /// Returns whether it was stored.
    async fn finish(&self, export: &StoredExport, size: u64, files: u64) -> Result<bool, Failure>;
    async fn fail(&self, export: &StoredExport) -> Result<(), Failure>;
    async fn mark_notified(&self, export: &StoredExport) -> Result<(), Failure>;

    /// The person in the user pool; null if there is none.
    async fn profile(&self, username: &str) -> Result<Value, Failure>;
    /// Rows about a person in a store of [`STORES`](crate::stores::STORES).
    async fn rows(&self, store: usize, user: &str, after: Option<&PageKey>) -> Result<PersonalPage, Failure>;
    /// Some originals below `prefix`, after the key `after`, by key.
    async fn originals(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Listed>, Failure>;
    /// The piece of an original from `start`, with up to `length` bytes, of this version or the current one; `None` if there is none.
    async fn piece(&self, key: &str, version: Option<&str>, start: u64, length: u64) -> Result<Option<Piece>, Failure>;

    /// Begins the upload of a file. Returns its id.
    async fn begin_upload(&self, object: &str) -> Result<String, Failure>;
    /// Uploads a part. Returns its `ETag`.
    async fn upload_part(
        &self,
        object: &str,
        upload: &str,
        number: u32,
        bytes: Vec<u8>,
    ) -> Result<Result<String, NoUpload>, Failure>;
    /// `ETag`s of all parts, by number.
    async fn parts(&self, object: &str, upload: &str) -> Result<Result<Vec<(u32, String)>, NoUpload>, Failure>;
    async fn complete(
        &self,
        object: &str,
        upload: &str,
        parts: Vec<(u32, String)>,
    ) -> Result<Result<(), NoUpload>, Failure>;
    async fn abort(&self, object: &str, upload: &str) -> Result<(), Failure>;
    /// Bytes of a complete file, if there is one.
    async fn size(&self, object: &str) -> Result<Option<u64>, Failure>;

    /// Stores what the next turn needs.
    async fn store_work(&self, name: &str, bytes: Vec<u8>) -> Result<(), Failure>;
    async fn work(&self, name: &str) -> Result<Option<Vec<u8>>, Failure>;
    /// Deletes a file or what was stored for the next turn. A missing one is no error.
    async fn delete(&self, name: &str) -> Result<(), Failure>;

    async fn enqueue(&self, job: &ExportJob) -> Result<(), Failure>;
    /// Tells the person that the copy is ready.
    async fn notify(&self, export: &StoredExport) -> Result<(), Failure>;
}
