//! Implementation of the ports on AWS.

use std::{
    cell::Cell,
    time::{Duration, SystemTime},
};

use domain::export::{ExportJob, ExportReady};
use function_kit::{failure::Failure, nonce::nonce};
use jiff::Timestamp;
use serde_json::Value;
use store::{
    exports::{ExportTable, StoredExport},
    personal_data::{self, PageKey, PersonalPage},
};

use crate::{
    bucket::Exports,
    config::Tables,
    originals::Originals,
    ports::{Listed, NoUpload, Piece, Ports},
    profile::UserPool,
    stores::STORES,
};

/// Time before the deadline at which a turn ends: longer than the longest call, the completion of a file.
const RESERVE: Duration = Duration::from_secs(100);

/// Tables, buckets, user pool and queues.
pub struct Services {
    pub exports: ExportTable,
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub tables: Tables,
    pub originals: Originals,
    pub bucket: Exports,
    pub users: UserPool,
    pub sqs: aws_sdk_sqs::Client,
    pub queue_url: String,
    pub push_queue_url: String,
    /// When Lambda ends the invocation.
    pub deadline: Cell<SystemTime>,
}

impl Ports for Services {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn is_time_up(&self) -> bool {
        SystemTime::now() + RESERVE > self.deadline.get()
    }

    async fn export(&self, user: &str) -> Result<Option<StoredExport>, Failure> {
        self.exports.get(user).await
    }

    async fn advance(&self, export: &StoredExport, progress: &str) -> Result<bool, Failure> {
        self.exports.advance(export, progress).await
    }

    async fn finish(&self, export: &StoredExport, size: u64, files: u64) -> Result<bool, Failure> {
        self.exports.finish(export, size, files, self.now()).await
    }

    async fn fail(&self, export: &StoredExport) -> Result<(), Failure> {
        self.exports.fail(export).await
    }

    async fn mark_notified(&self, export: &StoredExport) -> Result<(), Failure> {
        self.exports.mark_notified(export).await
    }

    async fn profile(&self, username: &str) -> Result<Value, Failure> {
        self.users.profile(username).await
    }

    async fn rows(&self, store: usize, user: &str, after: Option<&PageKey>) -> Result<PersonalPage, Failure> {
        let Some(store) = STORES.get(store) else { return Ok(PersonalPage::default()) };
        match (store.table)(&self.tables) {
            Some(table) => personal_data::page(&self.dynamodb, table, &store.rows, user, after).await,
            None => Ok(PersonalPage::default()),
        }
    }

    async fn originals(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Listed>, Failure> {
        self.originals.list(prefix, after).await
    }

    async fn piece(&self, key: &str, version: Option<&str>, start: u64, length: u64) -> Result<Option<Piece>, Failure> {
        self.originals.piece(key, version, start, length).await
    }

    async fn begin_upload(&self, object: &str) -> Result<String, Failure> {
        self.bucket.begin_upload(object).await
    }

    async fn upload_part(
        &self,
        object: &str,
        upload: &str,
        number: u32,
        bytes: Vec<u8>,
    ) -> Result<Result<String, NoUpload>, Failure> {
        self.bucket.upload_part(object, upload, number, bytes).await
    }

    async fn parts(&self, object: &str, upload: &str) -> Result<Result<Vec<(u32, String)>, NoUpload>, Failure> {
        self.bucket.parts(object, upload).await
    }

    async fn complete(
        &self,
        object: &str,
        upload: &str,
        parts: Vec<(u32, String)>,
    ) -> Result<Result<(), NoUpload>, Failure> {
        self.bucket.complete(object, upload, parts).await
    }

    async fn abort(&self, object: &str, upload: &str) -> Result<(), Failure> {
        self.bucket.abort(object, upload).await
    }

    async fn size(&self, object: &str) -> Result<Option<u64>, Failure> {
        self.bucket.size(object).await
    }

    async fn store_work(&self, name: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        self.bucket.put(name, bytes).await
    }

    async fn work(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.bucket.get(name).await
    }

    async fn delete(&self, name: &str) -> Result<(), Failure> {
        self.bucket.delete(name).await
    }

    async fn enqueue(&self, job: &ExportJob) -> Result<(), Failure> {
        const DOING: &str = "continue an export";
        let body = serde_json::to_string(job).map_err(|error| Failure::bug(DOING, error))?;
        // One message of a copy at a time. Each attempt is a message of its own.
        let send = self.sqs.send_message().queue_url(&self.queue_url).message_body(body).message_group_id(&job.id);
        let send = send.message_deduplication_id(nonce()?).send().await;
        send.map(drop).map_err(|error| Failure::aws(DOING, error))
    }

    async fn notify(&self, export: &StoredExport) -> Result<(), Failure> {
        const DOING: &str = "announce an export";
        let StoredExport { owner, id, ready_at, .. } = export;
        let ready_at = ready_at.ok_or_else(|| Failure::bug(DOING, "it has no time"))?;
        let ready = ExportReady { user: owner.clone(), id: id.clone(), ready_at };
        let body = serde_json::to_string(&ready).map_err(|error| Failure::bug(DOING, error))?;
        let send = self.sqs.send_message().queue_url(&self.push_queue_url).message_body(body);
        // The delivery ledger prevents a second notification.
        let send = send.message_group_id(format!("export-{id}")).message_deduplication_id(nonce()?).send().await;
        send.map(drop).map_err(|error| Failure::aws(DOING, error))
    }
}
