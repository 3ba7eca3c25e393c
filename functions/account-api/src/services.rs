//! Implementation of the ports on AWS.

use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
use domain::{
    account::{DeviceErasure, Erasure, NotificationErasure},
    export::ExportJob,
};
use function_kit::{failure::Failure, nonce::nonce};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use store::{
    accounts::{AccountTable, ErasureProgress},
    exports::{ExportTable, StoredExport},
    inbox::ReadMarks,
    quotas::QuotasTable,
    reports::ReportTable,
};

use crate::{
    export_files::ExportFiles,
    originals::Originals,
    ports::{Exports, Link, Ports},
    users::UserPool,
};

/// Tables, buckets, user pool, topic and queues.
pub struct Services {
    pub accounts: AccountTable,
    pub read_marks: ReadMarks,
    pub quotas: QuotasTable,
    pub reports: ReportTable,
    pub exports: ExportTable,
    pub originals: Originals,
    pub export_files: ExportFiles,
    pub exports_queue_url: String,
    pub exports_per_day: u64,
    pub users: UserPool,
    pub sns: aws_sdk_sns::Client,
    pub account_events_topic_arn: String,
    pub sqs: aws_sdk_sqs::Client,
    pub queue_url: String,
    pub push_queue_url: String,
    pub push_events_queue_url: Option<String>,
    pub wait: SignedDuration,
}

impl Services {
    fn message(&self, queue_url: &str, message: &impl Serialize) -> Result<SendMessageFluentBuilder, Failure> {
        let body = serde_json::to_string(message).map_err(|error| Failure::bug("write a message", error))?;
        Ok(self.sqs.send_message().queue_url(queue_url).message_body(body))
    }
}

async fn send(message: SendMessageFluentBuilder) -> Result<(), Failure> {
    message.send().await.map(drop).map_err(|error| Failure::aws("send a message", error))
}

impl Exports for Services {
    async fn export(&self, user: &str) -> Result<Option<StoredExport>, Failure> {
        self.exports.get(user).await
    }

    async fn create_export(&self, export: &StoredExport) -> Result<bool, Failure> {
        self.exports.create(export).await
    }

    async fn count_export(&self, user: &str, now: Timestamp) -> Result<bool, Failure> {
        self.quotas.count_export(user, self.exports_per_day, now).await
    }

    async fn enqueue_export(&self, job: &ExportJob) -> Result<(), Failure> {
        // One message of an export at a time. Each attempt is a message of its own.
        let message = self.message(&self.exports_queue_url, job)?;
        send(message.message_group_id(&job.id).message_deduplication_id(nonce()?)).await
    }

    async fn sign(&self, export: &StoredExport, now: Timestamp, until: Timestamp) -> Result<Link, Failure> {
        self.export_files.sign(export, now, until).await
    }

    async fn erase_exports(&self, user: &str) -> Result<bool, Failure> {
        self.exports.delete(user).await?;
        self.export_files.erase(user).await
    }

    fn nonce(&self) -> Result<String, Failure> {
        nonce()
    }
}

impl Ports for Services {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn wait(&self) -> SignedDuration {
        self.wait
    }

    async fn begin(&self, user: &str, now: Timestamp) -> Result<ErasureProgress, Failure> {
        self.accounts.begin_erasure(user, now).await
    }

    async fn progress(&self, user: &str) -> Result<Option<ErasureProgress>, Failure> {
        self.accounts.erasure(user).await
    }

    async fn record(&self, erasure: &Erasure) -> Result<(), Failure> {
        self.accounts.advance_erasure(&erasure.user, erasure.done).await
    }

    async fn finish(&self, erasure: &Erasure) -> Result<(), Failure> {
        self.accounts.finish_erasure(&erasure.user, erasure.done, self.now()).await
    }

    async fn lock_user(&self, username: &str) -> Result<(), Failure> {
        self.users.lock(username).await
    }

    async fn delete_user(&self, username: &str) -> Result<(), Failure> {
        self.users.delete(username).await
    }

    async fn announce(&self, user: &str) -> Result<(), Failure> {
        let event = json!({"type": "app.iyagi.account.erase", "specversion": "1.0", "source": "/accounts",
            "id": nonce()?, "time": self.now().to_string(), "subject": user});
        let publish = self.sns.publish().topic_arn(&self.account_events_topic_arn).message(event.to_string());
        publish.send().await.map(drop).map_err(|error| Failure::aws("announce an erasure", error))
    }

    async fn erase_originals(&self, user: &str) -> Result<bool, Failure> {
        self.originals.erase(user).await
    }

    async fn delete_read_mark(&self, user: &str) -> Result<(), Failure> {
        self.read_marks.delete(user).await
    }

    async fn delete_quotas(&self, user: &str) -> Result<(), Failure> {
        self.quotas.erase(user).await
    }

    async fn erase_reports(&self, user: &str) -> Result<bool, Failure> {
        self.reports.erase(user).await
    }

    async fn enqueue(&self, erasure: &Erasure, delay: SignedDuration) -> Result<(), Failure> {
        let seconds = i32::try_from(delay.as_secs()).map_err(|error| Failure::bug("delay an erasure", error))?;
        send(self.message(&self.queue_url, erasure)?.delay_seconds(seconds)).await
    }

    fn has_devices(&self) -> bool {
        self.push_events_queue_url.is_some()
    }

    async fn send_to_devices(&self, message: &DeviceErasure) -> Result<(), Failure> {
        let queue_url = self.push_events_queue_url.as_deref().unwrap_or_default();
        send(self.message(queue_url, message)?).await
    }

    async fn send_to_push(&self, message: &NotificationErasure) -> Result<(), Failure> {
        // Each attempt is a message of its own.
        let id = nonce()?;
        send(self.message(&self.push_queue_url, message)?.message_group_id(&id).message_deduplication_id(&id)).await
    }
}
