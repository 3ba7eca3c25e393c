use domain::media::{Declared, MediaId, ObjectVersion, Report};
use function_kit::failure::Failure;
use uuid::Uuid;

use crate::{
    derived_files::{DerivedFiles, File},
    originals::Originals,
    reports::Reports,
};

/// The services of a worker: [`AwsPorts`] in production, memory in tests.
pub trait Ports {
    /// What a renderer reads originals from.
    type Originals;

    /// The originals, for a renderer.
    fn originals(&self) -> &Self::Originals;

    /// The declaration of the object at `key`, if `version` is its current version; else `None`.
    fn head(&self, key: &str, version: &ObjectVersion) -> impl Future<Output = Result<Option<Declared>, Failure>>;

    /// Stores a derivative or an invalidation marker.
    fn put(&self, file: File) -> impl Future<Output = Result<(), Failure>>;

    /// The keys of an item's derivatives and invalidation markers.
    fn list(&self, id: MediaId) -> impl Future<Output = Result<Vec<String>, Failure>>;

    /// Deletes derivatives or invalidation markers. Missing ones are no error.
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

/// The services on AWS.
#[derive(Debug, Clone)]
pub struct AwsPorts {
    /// The bucket to read.
    pub originals: Originals,
    /// The bucket to write.
    pub derived: DerivedFiles,
    /// The queue of reports.
    pub reports: Reports,
}

impl Ports for AwsPorts {
    type Originals = Originals;

    fn originals(&self) -> &Originals {
        &self.originals
    }

    async fn head(&self, key: &str, version: &ObjectVersion) -> Result<Option<Declared>, Failure> {
        self.originals.head_if_current(key, version).await
    }

    async fn put(&self, file: File) -> Result<(), Failure> {
        self.derived.put(file).await
    }

    async fn list(&self, id: MediaId) -> Result<Vec<String>, Failure> {
        self.derived.list(id).await
    }

    async fn delete(&self, keys: &[&str]) -> Result<(), Failure> {
        self.derived.delete(keys).await
    }

    async fn invalidate(&self, id: MediaId, reference: &str, files: Option<&[&str]>) -> Result<(), Failure> {
        self.derived.cdn_cache.invalidate(id, reference, files).await
    }

    async fn report(&self, report: &Report) -> Result<(), Failure> {
        self.reports.send(report).await
    }
}
