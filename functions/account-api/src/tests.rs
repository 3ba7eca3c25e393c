//! Erasures and exports with everything else in memory.

mod erasures;
mod exports;

use std::cell::{Cell, RefCell};

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
};
use domain::{
    account::{DeviceErasure, Erasure, NotificationErasure},
    export::ExportJob,
};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::{accounts::ErasureProgress, exports::StoredExport};

use crate::{
    erasure::consume,
    handler::handle,
    ports::{Exports, Link, Ports},
};

struct InMemory {
    now: Cell<Timestamp>,
    progress: RefCell<Option<ErasureProgress>>,
    /// Messages in the queue of this function.
    queue: RefCell<Vec<Erasure>>,
    calls: RefCell<Vec<&'static str>>,
    /// Pages of originals.
    originals: Cell<u32>,
    /// Pages of reports.
    reports: Cell<u32>,
    has_devices: bool,
    export: RefCell<Option<StoredExport>>,
    /// Exports that the budget of the day allows.
    budget: Cell<u32>,
    /// Messages to the function that makes exports.
    export_jobs: RefCell<Vec<ExportJob>>,
    nonces: Cell<u32>,
    /// The next call of this name fails.
    fails: Cell<Option<&'static str>>,
}

impl InMemory {
    fn new() -> Self {
        Self {
            now: Cell::new(Timestamp::from_second(1_795_305_600).expect("a time")),
            progress: RefCell::default(),
            queue: RefCell::default(),
            calls: RefCell::default(),
            originals: Cell::new(3),
            reports: Cell::new(2),
            has_devices: true,
            export: RefCell::default(),
            budget: Cell::new(2),
            export_jobs: RefCell::default(),
            nonces: Cell::new(0),
            fails: Cell::new(None),
        }
    }

    fn call(&self, name: &'static str) -> Result<(), Failure> {
        if self.fails.get() == Some(name) {
            self.fails.set(None);
            return Err(Failure::transient(name, "later"));
        }
        self.calls.borrow_mut().push(name);
        Ok(())
    }

    /// Consumes messages until the queue is empty. A failed message is delivered again.
    async fn run(&self) {
        for _ in 0..1_000 {
            let Some(erasure) = self.queue.borrow_mut().pop() else { return };
            if consume(self, &serde_json::to_string(&erasure).expect("JSON")).await.is_err() {
                self.queue.borrow_mut().push(erasure);
            }
        }
        panic!("the erasure does not end");
    }
}

impl Exports for InMemory {
    async fn export(&self, user: &str) -> Result<Option<StoredExport>, Failure> {
        Ok(self.export.borrow().clone().filter(|export| export.owner == user))
    }

    async fn create_export(&self, export: &StoredExport) -> Result<bool, Failure> {
        *self.export.borrow_mut() = Some(export.clone());
        Ok(true)
    }

    async fn count_export(&self, _: &str, _: Timestamp) -> Result<bool, Failure> {
        let left = self.budget.get().checked_sub(1);
        self.budget.set(left.unwrap_or_default());
        Ok(left.is_some())
    }

    async fn enqueue_export(&self, job: &ExportJob) -> Result<(), Failure> {
        self.export_jobs.borrow_mut().push(job.clone());
        Ok(())
    }

    async fn sign(&self, export: &StoredExport, _: Timestamp, until: Timestamp) -> Result<Link, Failure> {
        Ok(Link { url: format!("https://s3/{}", export.object), expires_at: until })
    }

    async fn erase_exports(&self, _: &str) -> Result<bool, Failure> {
        self.call("exports")?;
        Ok(self.export.borrow_mut().take().is_some())
    }

    fn nonce(&self) -> Result<String, Failure> {
        self.nonces.set(self.nonces.get() + 1);
        Ok(format!("nonce{}", self.nonces.get()))
    }
}

impl Ports for InMemory {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn wait(&self) -> SignedDuration {
        SignedDuration::from_mins(65)
    }

    async fn begin(&self, _: &str, now: Timestamp) -> Result<ErasureProgress, Failure> {
        let begun = ErasureProgress { started_at: now, done: 0, finished_at: None };
        Ok(*self.progress.borrow_mut().get_or_insert(begun))
    }

    async fn progress(&self, _: &str) -> Result<Option<ErasureProgress>, Failure> {
        Ok(*self.progress.borrow())
    }

    async fn record(&self, erasure: &Erasure) -> Result<(), Failure> {
        if let Some(progress) = self.progress.borrow_mut().as_mut() {
            progress.done = progress.done.max(erasure.done);
        }
        Ok(())
    }

    async fn finish(&self, erasure: &Erasure) -> Result<(), Failure> {
        self.record(erasure).await?;
        if let Some(progress) = self.progress.borrow_mut().as_mut() {
            progress.finished_at = Some(self.now());
        }
        Ok(())
    }

    async fn lock_user(&self, _: &str) -> Result<(), Failure> {
        self.call("lock")
    }

    async fn delete_user(&self, _: &str) -> Result<(), Failure> {
        self.call("delete user")
    }

    async fn announce(&self, _: &str) -> Result<(), Failure> {
        self.call("announce")
    }

    async fn erase_originals(&self, _: &str) -> Result<bool, Failure> {
        self.call("originals")?;
        self.originals.set(self.originals.get().saturating_sub(1));
        Ok(self.originals.get() > 0)
    }

    async fn delete_read_mark(&self, _: &str) -> Result<(), Failure> {
        self.call("read mark")
    }

    async fn delete_quotas(&self, _: &str) -> Result<(), Failure> {
        self.call("quotas")
    }

    async fn erase_reports(&self, _: &str) -> Result<bool, Failure> {
        self.call("reports")?;
        self.reports.set(self.reports.get().saturating_sub(1));
        Ok(self.reports.get() > 0)
    }

    async fn enqueue(&self, erasure: &Erasure, delay: SignedDuration) -> Result<(), Failure> {
        assert!((SignedDuration::ZERO..=SignedDuration::from_mins(15)).contains(&delay), "SQS refuses {delay}");
        self.call(if delay.is_zero() { "enqueue" } else { "enqueue later" })?;
        self.now.set(self.now.get() + delay);
        self.queue.borrow_mut().push(erasure.clone());
        Ok(())
    }

    fn has_devices(&self) -> bool {
        self.has_devices
    }

    async fn send_to_devices(&self, message: &DeviceErasure) -> Result<(), Failure> {
        self.call("devices")?;
        self.queue.borrow_mut().push(message.erasure.after_step());
        Ok(())
    }

    async fn send_to_push(&self, message: &NotificationErasure) -> Result<(), Failure> {
        self.call("push")?;
        self.queue.borrow_mut().push(message.erasure.after_step());
        Ok(())
    }
}

/// The response to a request of mina, who has just signed in.
async fn respond(ports: &InMemory, route: &str) -> ApiGatewayV2httpResponse {
    let claims = json!({"sub": "mina", "username": "m", "auth_time": ports.now().as_second().to_string()});
    let request = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": "", "headers": {},
        "isBase64Encoded": false,
        "requestContext": {"http": {"method": "GET"}, "authorizer": {"jwt": {"claims": claims, "scopes": []}}}
    });
    let request: ApiGatewayV2httpRequest = serde_json::from_value(request).expect("a request");
    handle(ports, ports.now(), &request).await
}

/// Its status and body.
async fn send(ports: &InMemory, route: &str) -> (i64, Value) {
    let response = respond(ports, route).await;
    let Some(Body::Text(body)) = response.body else { panic!("no text") };
    (response.status_code, serde_json::from_str(&body).expect("JSON"))
}
