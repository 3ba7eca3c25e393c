//! Erasures with everything else in memory.

use std::cell::{Cell, RefCell};

use aws_lambda_events::{apigw::ApiGatewayV2httpRequest, encodings::Body};
use domain::{
    account::{DeviceErasure, ERASURE_STEPS, Erasure, ErasureStep, NotificationErasure},
    export::{ExportJob, StoredState},
};
use function_kit::failure::{Failure, Kind};
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

async fn send(ports: &InMemory, route: &str) -> (i64, Value) {
    let claims = json!({"sub": "mina", "username": "m", "auth_time": ports.now().as_second().to_string()});
    let request = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": "", "headers": {},
        "isBase64Encoded": false,
        "requestContext": {"http": {"method": "GET"}, "authorizer": {"jwt": {"claims": claims, "scopes": []}}}
    });
    let request: ApiGatewayV2httpRequest = serde_json::from_value(request).expect("a request");
    let response = handle(ports, ports.now(), &request).await;
    let Some(Body::Text(body)) = response.body else { panic!("no text") };
    (response.status_code, serde_json::from_str(&body).expect("JSON"))
}

/// The calls that erase something.
fn erasing(ports: &InMemory) -> Vec<&'static str> {
    let mut calls = ports.calls.borrow().clone();
    calls.retain(|call| !call.starts_with("enqueue"));
    calls.dedup();
    calls
}

const WHOLE: [&str; 19] = [
    "lock",
    "announce",
    "originals",
    "exports",
    "devices",
    "push",
    "read mark",
    "quotas",
    "reports",
    "quotas",
    "reports",
    "originals",
    "exports",
    "devices",
    "push",
    "read mark",
    "quotas",
    "reports",
    "delete user",
];

#[tokio::test]
async fn erasure_runs_to_its_end_and_shows_its_progress() {
    let ports = InMemory::new();
    assert_eq!(send(&ports, "GET /v1/me/erasure").await.0, 404);
    let (status, body) = send(&ports, "DELETE /v1/me").await;
    assert_eq!((status, &body["state"], &body["stepsDone"]), (202, &json!("running"), &json!(0)));
    let before = ports.now();
    ports.run().await;
    assert_eq!(erasing(&ports), WHOLE);
    assert!(ports.now().duration_since(before) >= ports.wait(), "tokens have expired");
    let (status, body) = send(&ports, "GET /v1/me/erasure").await;
    assert_eq!((status, &body["state"], &body["stepsDone"]), (200, &json!("finished"), &json!(ERASURE_STEPS)));
    // Its access token may still be valid.
    assert_eq!(send(&ports, "DELETE /v1/me").await.0, 202);
    assert!(ports.queue.borrow().is_empty());
}

#[tokio::test]
async fn failed_step_is_repeated_and_none_is_left_out() {
    for step in [
        "lock",
        "announce",
        "originals",
        "exports",
        "devices",
        "push",
        "read mark",
        "quotas",
        "reports",
        "enqueue",
        "enqueue later",
        "delete user",
    ] {
        let ports = InMemory::new();
        send(&ports, "DELETE /v1/me").await;
        ports.fails.set(Some(step));
        ports.run().await;
        assert_eq!(ports.fails.get(), None, "{step} was not called");
        let calls = erasing(&ports);
        let mut rest = calls.iter();
        assert!(WHOLE.iter().all(|expected| rest.any(|call| call == expected)), "{step}: {calls:?}");
        assert_eq!(calls.last(), Some(&"delete user"));
    }
}

#[tokio::test]
async fn repeated_request_repeats_the_message_with_the_first_time() {
    let ports = InMemory::new();
    send(&ports, "DELETE /v1/me").await;
    ports.now.set(ports.now() + SignedDuration::from_mins(5));
    send(&ports, "DELETE /v1/me").await;
    let queue = ports.queue.borrow().clone();
    assert_eq!(queue.len(), 2);
    assert_eq!(queue[0], queue[1]);
}

#[tokio::test]
async fn erasure_without_push_has_no_devices_step() {
    let ports = InMemory { has_devices: false, ..InMemory::new() };
    send(&ports, "DELETE /v1/me").await;
    ports.run().await;
    assert!(!erasing(&ports).contains(&"devices"));
    assert_eq!(erasing(&ports).last(), Some(&"delete user"));
}

#[tokio::test]
async fn originals_that_do_not_become_fewer_are_a_bug() {
    let ports = InMemory::new();
    ports.originals.set(u32::MAX);
    let mut erasure = Erasure::start("mina", "m", ports.now());
    while erasure.step() != Some(ErasureStep::Originals) {
        erasure = erasure.after_step();
    }
    let mut turns = 0;
    let failure = loop {
        match consume(&ports, &serde_json::to_string(&erasure).expect("JSON")).await {
            Ok(()) => erasure = ports.queue.borrow_mut().pop().expect("the same step again"),
            Err(failure) => break failure,
        }
        turns += 1;
        assert!(turns <= 10_000, "no bound");
    };
    assert_eq!(failure.kind, Kind::Bug);
}

#[tokio::test]
async fn unreadable_message_is_a_bug() {
    let ports = InMemory::new();
    for body in ["", "{}", r#"{"type":"app.iyagi.account.erasure"}"#] {
        assert_eq!(consume(&ports, body).await.expect_err("a failure").kind, Kind::Bug, "{body}");
    }
}

/// Asks for the export `id`.
async fn get_export(ports: &InMemory, sub: &str, id: &str) -> (i64, Value) {
    let request = json!({
        "version": "2.0", "routeKey": "GET /v1/me/exports/{id}", "rawPath": "/", "rawQueryString": "", "headers": {},
        "isBase64Encoded": false, "pathParameters": {"id": id},
        "requestContext": {"http": {"method": "GET"}, "authorizer": {"jwt": {"claims": {"sub": sub}, "scopes": []}}}
    });
    let request: ApiGatewayV2httpRequest = serde_json::from_value(request).expect("a request");
    let response = handle(ports, ports.now(), &request).await;
    assert_eq!(response.headers["cache-control"], "no-store");
    let Some(Body::Text(body)) = response.body else { panic!("no text") };
    (response.status_code, serde_json::from_str(&body).expect("JSON"))
}

fn make_ready(ports: &InMemory) {
    let mut export = ports.export.borrow_mut();
    let export = export.as_mut().expect("an export");
    (export.state, export.ready_at, export.size, export.files) =
        (StoredState::Ready, Some(ports.now()), Some(7), Some(1));
}

#[tokio::test]
async fn export_is_shown_to_its_owner_only_and_has_a_link_while_it_is_ready() {
    let ports = InMemory::new();
    let (status, body) = send(&ports, "POST /v1/me/exports").await;
    assert_eq!((status, &body["state"], &body["url"]), (202, &json!("pending"), &Value::Null));
    let id = body["id"].as_str().expect("an id");
    assert_eq!(
        ports.export_jobs.borrow()[0],
        ExportJob { user: "mina".into(), username: "m".into(), id: id.into(), turn: 0 }
    );
    assert_eq!(get_export(&ports, "mina", id).await.1["state"], "pending");
    make_ready(&ports);
    let (status, body) = get_export(&ports, "mina", id).await;
    assert_eq!((status, &body["state"], &body["bytes"], &body["files"]), (200, &json!("ready"), &json!(7), &json!(1)));
    assert_eq!(
        (&body["url"], &body["urlExpiresAt"]),
        (&json!("https://s3/nonce2"), &json!("2026-11-23T00:00:00.000Z"))
    );
    for (sub, id) in [("jun", id), ("mina", "other"), ("mina", "")] {
        assert_eq!(get_export(&ports, sub, id).await.0, 404, "{sub} {id}");
    }
    ports.now.set(ports.now() + SignedDuration::from_hours(24));
    let (_, body) = get_export(&ports, "mina", id).await;
    assert_eq!((&body["state"], &body["url"]), (&json!("expired"), &Value::Null));
}

#[tokio::test]
async fn request_while_an_export_is_pending_returns_it_and_sends_its_message_again() {
    let ports = InMemory::new();
    let first = send(&ports, "POST /v1/me/exports").await;
    assert_eq!(send(&ports, "POST /v1/me/exports").await, first);
    let jobs = ports.export_jobs.borrow();
    assert_eq!((jobs.len(), &jobs[0]), (2, &jobs[1]));
    assert_eq!(ports.budget.get(), 1, "it counts once");
}

#[tokio::test]
async fn exports_beyond_the_budget_of_a_day_are_refused_until_the_next() {
    let ports = InMemory::new();
    ports.now.set(ports.now() + SignedDuration::from_hours(20));
    for _ in 0..2 {
        assert_eq!(send(&ports, "POST /v1/me/exports").await.0, 202);
        make_ready(&ports);
    }
    let claims = json!({"sub": "mina", "username": "m"});
    let request = json!({
        "version": "2.0", "routeKey": "POST /v1/me/exports", "rawPath": "/", "rawQueryString": "", "headers": {},
        "isBase64Encoded": false,
        "requestContext": {"http": {"method": "POST"}, "authorizer": {"jwt": {"claims": claims, "scopes": []}}}
    });
    let request: ApiGatewayV2httpRequest = serde_json::from_value(request).expect("a request");
    let refused = handle(&ports, ports.now(), &request).await;
    assert_eq!((refused.status_code, refused.headers["retry-after"].to_str().expect("text")), (429, "14400"));
    assert_eq!(ports.export_jobs.borrow().len(), 2);
}

#[tokio::test]
async fn account_that_is_being_erased_has_no_export_and_gets_none() {
    let ports = InMemory::new();
    send(&ports, "POST /v1/me/exports").await;
    send(&ports, "DELETE /v1/me").await;
    assert_eq!(send(&ports, "POST /v1/me/exports").await.0, 409);
    ports.run().await;
    assert!(ports.export.borrow().is_none());
}
