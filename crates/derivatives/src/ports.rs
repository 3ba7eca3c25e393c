use domain::media::{Declared, MediaId, ObjectVersion, Report};
use function_kit::failure::Failure;
use uuid::Uuid;

use crate::file::File;

/// The services of a worker: [`AwsPorts`](crate::AwsPorts) in production, memory in tests.
pub trait Ports {
    /// What a renderer reads originals from.
    type Originals;

    /// The originals, for a renderer.
    fn originals(&self) -> &Self::Originals;

    /// The declaration of the object at `key`, if `version` is its current version; else `None`.
    fn head(&self, key: &str, version: &ObjectVersion) -> impl Future<Output = Result<Option<Declared>, Failure>>;

    /// Whether an operator took the item down.
    fn is_taken_down(&self, id: MediaId) -> impl Future<Output = Result<bool, Failure>>;

    /// Stores a derivative or an invalidation marker.
    ///
    /// # Errors
    /// If S3 fails, or the file cannot be read from disk.
    fn put(&self, file: File) -> impl Future<Output = Result<(), Failure>>;

    /// The keys of an item's derivatives and invalidation markers.
    fn list(&self, id: MediaId) -> impl Future<Output = Result<Vec<String>, Failure>>;

    /// Deletes derivatives or invalidation markers. Missing ones are no error.
    ///
    /// # Errors
    /// If S3 fails, or deletes only some of them.
    fn delete(&self, keys: &[&str]) -> impl Future<Output = Result<(), Failure>>;

    /// Invalidates all files of an item in the CDN, once per `reference`; see
    /// [`CdnCache::invalidate`](crate::CdnCache::invalidate).
    fn invalidate(
        &self,
        id: MediaId,
        reference: &str,
        files: Option<&[&str]>,
    ) -> impl Future<Output = Result<(), Failure>>;

    /// Sends a report to `metadata-writer`.
    fn report(&self, report: &Report) -> impl Future<Output = Result<(), Failure>>;

    /// A text that no other call returns.
    fn nonce(&self) -> String {
        Uuid::new_v4().simple().to_string()
    }
}
