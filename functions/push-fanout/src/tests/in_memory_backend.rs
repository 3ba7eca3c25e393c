//! Tables, SNS and queue in memory.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
};

use domain::{
    graph::{Change, GenerationPosition},
    media::Post,
    push::{Cooldown, Event, Fact, Platform, Preferences, Registers, Row, Vertex, edge_still_exists, of_generation},
};
use function_kit::{
    failure::{Failure, Kind},
    metrics::Metrics,
};
use interleavings::Gate;
use jiff::{SignedDuration, Timestamp};
use store::{
    audience::{Followers, PendingEvent, PendingKey, PendingPage},
    devices::{DeliveryTargets, Device, RemovalOutcome},
    ledger::{Claim, ClaimRequest, ClaimResult, CooldownClaim, Entry, PageBound},
};

use super::{changes::COMMITTED, in_memory_inbox::InMemoryInbox};
use crate::{
    message::{Continuation, Message},
    notify::Notifier,
    ports::{Ledger, MobilePush, Projections, Runtime, Stories},
    publish_error::PublishError,
    update_projections::project,
};

/// Published message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    pub endpoint: String,
    /// FCM's message.
    pub message: serde_json::Value,
}

impl Push {
    /// Recipient and rule.
    pub fn user_and_rule(&self) -> (String, String) {
        let user = self.endpoint.split('/').next().unwrap_or_default();
        (user.to_owned(), self.message["data"]["rule"].as_str().unwrap_or_default().to_owned())
    }
}

#[derive(Default)]
struct LedgerRow {
    claimed_by: String,
    claimed_until: Timestamp,
    sent: BTreeSet<String>,
    outcome: Option<String>,
}

type ErrorFactory = Box<dyn Fn() -> PublishError>;

/// All state outside the function, and faults to inject. Each call passes the gate first and is atomic then.
pub struct InMemoryBackend {
    gate: Gate,
    gated: Vec<&'static str>,
    rows: RefCell<BTreeMap<Row, Registers>>,
    pending: RefCell<BTreeMap<(PendingKey, String), PendingEvent>>,
    ledger: RefCell<HashMap<String, LedgerRow>>,
    page_bounds: RefCell<HashMap<String, PageBound>>,
    /// By generation, rule, source and target.
    cooldowns: RefCell<HashMap<(u32, [String; 3]), Cooldown>>,
    targets: RefCell<HashMap<String, DeliveryTargets>>,
    /// Errors of the next publications, by endpoint.
    publish_errors: RefCell<HashMap<String, VecDeque<ErrorFactory>>>,
    queue: RefCell<VecDeque<Continuation>>,
    /// Deduplication ids of the queue.
    enqueued_ids: RefCell<HashSet<String>>,
    nonces: Cell<u32>,
    pub pushes: RefCell<Vec<Push>>,
    pub inbox: InMemoryInbox,
    /// Pages of erasures, and erasures that were handed back.
    pub erasures: RefCell<Vec<String>>,
    /// Stories whose files are to be looked at, as the projections had them then.
    pub checked_stories: RefCell<Vec<(String, Vertex)>>,
    /// The next story cannot be sent.
    pub story_queue_is_down: Cell<bool>,
    pub now: Cell<Timestamp>,
    pub page_size: Cell<usize>,
    pub cooldown: Cell<SignedDuration>,
    /// The next write of a send's result fails.
    pub crash_before_mark: Cell<bool>,
    /// Change that another invocation projects just before the next pending event is stored.
    pub concurrent_change: RefCell<Option<Change>>,
    /// Devices register again, with the same token, just before they are removed.
    pub device_reregisters: Cell<bool>,
    /// As many devices were removed in this hour as are allowed.
    pub removal_limit_is_reached: Cell<bool>,
    /// The response of the next claim is lost, and the call is repeated.
    pub claim_response_is_lost: Cell<bool>,
    /// The same for the next claim of a cooldown.
    pub cooldown_response_is_lost: Cell<bool>,
    /// A defect: entries are claimed also if another process holds them.
    pub claims_ignore_others: Cell<bool>,
    /// A defect: each delivery of a page decides again where it ends.
    pub page_ends_move: Cell<bool>,
    /// A defect: pending events are dropped also if they were stored again.
    pub drops_ignore_nonces: Cell<bool>,
}

impl InMemoryBackend {
    pub fn new() -> Self {
        Self::behind(Gate::default(), &[])
    }

    /// A backend whose calls with these names pass `gate`.
    pub fn behind(gate: Gate, gated: &[&'static str]) -> Self {
        Self {
            gate,
            gated: gated.to_vec(),
            rows: RefCell::default(),
            pending: RefCell::default(),
            ledger: RefCell::default(),
            page_bounds: RefCell::default(),
            cooldowns: RefCell::default(),
            targets: RefCell::default(),
            publish_errors: RefCell::default(),
            queue: RefCell::default(),
            enqueued_ids: RefCell::default(),
            nonces: Cell::new(0),
            pushes: RefCell::default(),
            inbox: InMemoryInbox::default(),
            erasures: RefCell::default(),
            checked_stories: RefCell::default(),
            story_queue_is_down: Cell::new(false),
            now: Cell::new(COMMITTED + SignedDuration::from_millis(300)),
            page_size: Cell::new(500),
            cooldown: Cell::new(SignedDuration::from_hours(1)),
            crash_before_mark: Cell::new(false),
            concurrent_change: RefCell::default(),
            device_reregisters: Cell::new(false),
            removal_limit_is_reached: Cell::new(false),
            claim_response_is_lost: Cell::new(false),
            cooldown_response_is_lost: Cell::new(false),
            claims_ignore_others: Cell::new(false),
            page_ends_move: Cell::new(false),
            drops_ignore_nonces: Cell::new(false),
        }
    }

    /// A backend where each user has one device.
    pub fn with_users(users: &[&str]) -> Self {
        let backend = Self::new();
        users.iter().for_each(|user| backend.add_device(user, "phone"));
        backend
    }

    pub fn add_device(&self, user: &str, id: &str) {
        let device = Device {
            user: user.to_owned(),
            id: id.to_owned(),
            endpoint_arn: format!("{user}/{id}"),
            token: format!("token-of-{user}-{id}").try_into().expect("a token"),
            platform: Platform::Android,
            language: None,
            last_seen: COMMITTED,
            registration: None,
        };
        self.targets.borrow_mut().entry(user.to_owned()).or_default().devices.push(device);
    }

    pub fn set_preferences(&self, user: &str, preferences: Preferences) {
        self.targets.borrow_mut().entry(user.to_owned()).or_default().preferences = preferences;
    }

    pub fn set_erased(&self, user: &str) {
        self.targets.borrow_mut().entry(user.to_owned()).or_default().is_erased = true;
    }

    pub fn device_count(&self, user: &str) -> usize {
        self.targets.borrow().get(user).map_or(0, |targets| targets.devices.len())
    }

    /// Makes one publication to `endpoint` fail.
    pub fn fail_publish(&self, endpoint: &str, error: impl Fn() -> PublishError + 'static) {
        self.publish_errors.borrow_mut().entry(endpoint.to_owned()).or_default().push_back(Box::new(error));
    }

    /// Whether the projections have the edge by this addition.
    pub fn edge_still_exists(&self, event: &Event) -> bool {
        let rows = self.rows.borrow();
        rows.get(&Row::Edge(event.edge.clone())).is_some_and(|edge| edge_still_exists(edge, event.position))
    }

    pub fn ledger_count(&self) -> usize {
        self.ledger.borrow().len()
    }

    pub fn pending_count(&self) -> usize {
        self.pending.borrow().len()
    }

    pub fn advance_clock(&self, duration: SignedDuration) {
        self.now.set(self.now.get() + duration);
    }

    /// Delivers changes as one batch, then all continuations. Returns the kinds of failures.
    pub async fn deliver(&self, changes: &[Change]) -> Vec<Kind> {
        let mut failures = self.deliver_changes(changes).await;
        while let Some(continuation) = self.dequeue() {
            failures.extend(self.deliver_continuation(&continuation).await);
        }
        failures
    }

    /// Delivers changes as one batch, and no continuation.
    pub async fn deliver_changes(&self, changes: &[Change]) -> Vec<Kind> {
        self.invoke(changes.iter().map(|change| change.to_cloud_event("main")).collect()).await
    }

    pub async fn deliver_continuation(&self, continuation: &Continuation) -> Vec<Kind> {
        self.invoke(vec![serde_json::to_string(continuation).expect("JSON")]).await
    }

    pub fn dequeue(&self) -> Option<Continuation> {
        self.queue.borrow_mut().pop_front()
    }

    /// One invocation: projects all messages, then notifies.
    pub async fn invoke(&self, bodies: Vec<String>) -> Vec<Kind> {
        let mut projected: Vec<Message> = Vec::new();
        for body in &bodies {
            projected.push(project(self, body).await.expect("projected"));
        }
        let metrics = Metrics::of("push-fanout");
        let notifier = Notifier { ports: self, metrics: &metrics, cooldown: self.cooldown.get() };
        let mut failures = Vec::new();
        for message in projected {
            failures.extend(notifier.handle(message).await.err().map(|failure| failure.kind));
        }
        failures
    }

    /// Notifications so far as (recipient, rule), sorted.
    pub fn sent(&self) -> Vec<(String, String)> {
        let mut sent: Vec<_> = self.pushes.borrow().iter().map(Push::user_and_rule).collect();
        sent.sort();
        sent
    }

    /// Waits for the turn of a call.
    pub async fn call(&self, name: &'static str) {
        if self.gated.contains(&name) {
            self.gate.pass(name).await;
        }
    }

    /// The latest generation of any register.
    fn generation(&self) -> u32 {
        let rows = self.rows.borrow();
        rows.values().flat_map(Registers::values).map(|register| register.position.generation).max().unwrap_or(0)
    }
}

impl Projections for InMemoryBackend {
    async fn apply(&self, fact: &Fact, _: Timestamp) -> Result<(), Failure> {
        self.call("apply").await;
        let mut rows = self.rows.borrow_mut();
        let row = rows.entry(fact.row.clone()).or_default();
        // The table's condition, which compares texts.
        if row.get(&fact.name).is_none_or(|known| known.to_string() <= fact.register.to_string()) {
            row.insert(fact.name.clone(), fact.register.clone());
        }
        Ok(())
    }

    async fn look_up(&self, rows: &[Row]) -> Result<HashMap<Row, Registers>, Failure> {
        self.call("look up").await;
        let (known, generation) = (self.rows.borrow(), self.generation());
        let found = |row: &Row| Some((row.clone(), of_generation(known.get(row)?.clone(), generation)));
        Ok(rows.iter().filter_map(found).collect())
    }

    async fn followers(&self, person: &str, after: Option<&str>) -> Result<Followers, Failure> {
        self.call("followers").await;
        let (rows, generation) = (self.rows.borrow(), self.generation());
        let all = rows.iter().filter_map(|(row, registers)| match row {
            Row::Follower { of, follower } if of == person => {
                Some((follower.clone(), of_generation(registers.clone(), generation)))
            }
            _ => None,
        });
        let mut followers: Vec<_> =
            all.filter(|(follower, _)| after.is_none_or(|after| follower.as_str() > after)).collect();
        let has_more = followers.len() > self.page_size.get();
        followers.truncate(self.page_size.get());
        let next = followers.last().filter(|_| has_more).map(|(follower, _)| follower.clone());
        Ok(Followers { followers, next })
    }

    async fn add_pending(&self, key: &PendingKey, event: &Event, nonce: &str) -> Result<(), Failure> {
        self.call("add pending").await;
        if let Some(change) = self.concurrent_change.take() {
            project(self, &change.to_cloud_event("main")).await?;
        }
        let key = (key.clone(), event.edge.clone());
        let mut pending = self.pending.borrow_mut();
        if pending.get(&key).is_none_or(|known| known.event.position <= event.position) {
            pending.insert(key, PendingEvent { event: event.clone(), nonce: Some(nonce.to_owned()) });
        }
        Ok(())
    }

    async fn pending_page(&self, key: &PendingKey, after: Option<&str>) -> Result<PendingPage, Failure> {
        self.call("pending page").await;
        let pending = self.pending.borrow();
        let all = pending.iter().filter(|((at, edge), _)| at == key && after.is_none_or(|after| edge.as_str() > after));
        let mut events: Vec<_> = all.map(|(_, pending)| pending.clone()).collect();
        let has_more = events.len() > self.page_size.get();
        events.truncate(self.page_size.get());
        let next = events.last().filter(|_| has_more).map(|pending| pending.event.edge.clone());
        Ok(PendingPage { events, next })
    }

    async fn remove_pending(&self, key: &PendingKey, edge: &str, position: GenerationPosition) -> Result<(), Failure> {
        self.call("remove pending").await;
        let mut pending = self.pending.borrow_mut();
        let key = (key.clone(), edge.to_owned());
        if pending.get(&key).is_some_and(|known| known.event.position <= position) {
            pending.remove(&key);
        }
        Ok(())
    }

    async fn drop_pending(&self, key: &PendingKey, pending: &PendingEvent) -> Result<(), Failure> {
        self.call("drop pending").await;
        let mut stored = self.pending.borrow_mut();
        let key = (key.clone(), pending.event.edge.clone());
        if stored.get(&key).is_some_and(|known| known.nonce == pending.nonce || self.drops_ignore_nonces.get()) {
            stored.remove(&key);
        }
        Ok(())
    }
}

fn ledger_key(entry: &Entry<'_>) -> String {
    format!("{} {} {}", entry.rule, entry.event.id, entry.recipient)
}

/// One statement of a batch each: a batch is not atomic.
impl InMemoryBackend {
    async fn claim(&self, entry: &Entry<'_>, nonce: &str, now: Timestamp, until: Timestamp) -> Result<Claim, Failure> {
        self.call("claim").await;
        if self.claim_response_is_lost.take() {
            // The SDK repeats the call.
            Box::pin(self.claim(entry, nonce, now, until)).await?;
        }
        let mut ledger = self.ledger.borrow_mut();
        let unclaimed = || LedgerRow { claimed_until: now, ..LedgerRow::default() };
        let row = ledger.entry(ledger_key(entry)).or_insert_with(unclaimed);
        if let Some(outcome) = &row.outcome {
            return Ok(Claim::Settled(outcome.clone()));
        }
        if row.claimed_until > now && row.claimed_by != nonce && !self.claims_ignore_others.get() {
            return Ok(Claim::Held);
        }
        (row.claimed_by, row.claimed_until) = (nonce.to_owned(), until);
        Ok(Claim::Claimed { sent: row.sent.clone() })
    }

    async fn finish_claim(&self, ClaimResult { claim, sent, outcome }: &ClaimResult<'_>) -> Result<bool, Failure> {
        self.call("finish claim").await;
        if self.crash_before_mark.take() {
            return Err(Failure::transient("mark a notification", "the function crashed"));
        }
        let mut ledger = self.ledger.borrow_mut();
        let row = ledger.get_mut(&ledger_key(&claim.entry)).expect("a claimed row");
        if row.claimed_by != claim.nonce || row.outcome.is_some() {
            return Ok(false);
        }
        (row.sent, row.outcome, row.claimed_until) = (sent.clone(), outcome.map(str::to_owned), Timestamp::UNIX_EPOCH);
        Ok(true)
    }
}

impl Ledger for InMemoryBackend {
    async fn claim_all(
        &self,
        claims: &[ClaimRequest<'_>],
        now: Timestamp,
        until: Timestamp,
    ) -> Vec<Result<Claim, Failure>> {
        let mut results = Vec::new();
        for ClaimRequest { entry, nonce } in claims {
            results.push(self.claim(entry, nonce, now, until).await);
        }
        results
    }

    async fn finish_claims(&self, results: &[ClaimResult<'_>]) -> Vec<Result<bool, Failure>> {
        let mut held = Vec::new();
        for result in results {
            held.push(self.finish_claim(result).await);
        }
        held
    }

    async fn record_outcomes(
        &self,
        outcomes: &[(Entry<'_>, &'static str)],
        now: Timestamp,
    ) -> Vec<Result<(), Failure>> {
        for (entry, outcome) in outcomes {
            self.call("record outcome").await;
            let mut ledger = self.ledger.borrow_mut();
            let row = ledger.entry(ledger_key(entry)).or_default();
            if row.outcome.is_none() && row.claimed_until <= now {
                *row = LedgerRow { outcome: Some((*outcome).to_owned()), ..LedgerRow::default() };
            }
        }
        outcomes.iter().map(|_| Ok(())).collect()
    }

    async fn decide_page_bound(&self, event: &Event, pass: &str, page: u32, last: &str) -> Result<PageBound, Failure> {
        self.call("decide page bound").await;
        let mut bounds = self.page_bounds.borrow_mut();
        let bound = || PageBound { last: last.to_owned(), is_enqueued: false };
        let decided = bounds.entry(format!("{pass} {} {page}", event.id)).or_insert_with(bound);
        if self.page_ends_move.get() {
            decided.last = last.to_owned();
        }
        Ok(decided.clone())
    }

    async fn mark_page_enqueued(&self, event: &Event, pass: &str, page: u32) -> Result<(), Failure> {
        self.call("mark page enqueued").await;
        let mut bounds = self.page_bounds.borrow_mut();
        bounds.get_mut(&format!("{pass} {} {page}", event.id)).expect("a decided page").is_enqueued = true;
        Ok(())
    }

    async fn claim_cooldown(&self, claim: &CooldownClaim<'_>) -> Result<Option<Cooldown>, Failure> {
        self.call("claim cooldown").await;
        if self.cooldown_response_is_lost.take() {
            Box::pin(self.claim_cooldown(claim)).await?;
        }
        let CooldownClaim { event, rule, duration } = *claim;
        let mut cooldowns = self.cooldowns.borrow_mut();
        let key = (event.position.generation, [&rule.id, &event.from, &event.to].map(String::clone));
        // The table's condition.
        let is_refused =
            |stored: &Cooldown| stored.event != event.id && stored.started_at > event.latest_ended_cooldown(duration);
        if let Some(stored) = cooldowns.get(&key).filter(|stored| is_refused(stored)) {
            return Ok(Some(stored.clone()));
        }
        cooldowns.insert(key, Cooldown { event: event.id.clone(), started_at: event.committed_at });
        Ok(None)
    }
}

impl MobilePush for InMemoryBackend {
    async fn delivery_targets(&self, users: &[&str]) -> Vec<Result<DeliveryTargets, Failure>> {
        self.call("delivery targets").await;
        let targets = self.targets.borrow();
        users.iter().map(|user| Ok(targets.get(*user).cloned().unwrap_or_default())).collect()
    }

    async fn remove_device(&self, device: &Device) -> Result<RemovalOutcome, Failure> {
        self.call("remove device").await;
        if self.removal_limit_is_reached.get() {
            return Ok(RemovalOutcome::LimitReached);
        }
        let mut targets = self.targets.borrow_mut();
        let devices = &mut targets.get_mut(&device.user).expect("a user").devices;
        if self.device_reregisters.get() {
            devices.iter_mut().for_each(|known| known.last_seen += SignedDuration::from_secs(1));
        }
        let before = devices.len();
        devices.retain(|known| known != device);
        Ok(if devices.len() < before { RemovalOutcome::Removed } else { RemovalOutcome::RegisteredAgain })
    }

    async fn publish(&self, endpoint: &str, message: &str) -> Result<(), PublishError> {
        self.call("publish").await;
        if let Some(error) = self.publish_errors.borrow_mut().get_mut(endpoint).and_then(VecDeque::pop_front) {
            return Err(error());
        }
        let message: serde_json::Value = serde_json::from_str(message).expect("JSON");
        let gcm = message["GCM"].as_str().expect("a text");
        let gcm: serde_json::Value = serde_json::from_str(gcm).expect("JSON");
        let push = Push { endpoint: endpoint.to_owned(), message: gcm["fcmV1Message"]["message"].clone() };
        self.pushes.borrow_mut().push(push);
        Ok(())
    }
}

impl Stories for InMemoryBackend {
    async fn check_files(&self, story: Post) -> Result<(), Failure> {
        if self.story_queue_is_down.take() {
            return Err(Failure::transient("send a story", "unavailable"));
        }
        let (rows, story) = (self.rows.borrow(), String::from(story));
        let vertex = rows.get(&Row::Vertex(story.clone())).map(Vertex::from).unwrap_or_default();
        self.checked_stories.borrow_mut().push((story, vertex));
        Ok(())
    }
}

impl Runtime for InMemoryBackend {
    async fn enqueue(&self, continuation: &Continuation) -> Result<(), Failure> {
        self.call("enqueue").await;
        if self.enqueued_ids.borrow_mut().insert(continuation.id()) {
            self.queue.borrow_mut().push_back(continuation.clone());
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn nonce(&self) -> Result<String, Failure> {
        self.nonces.set(self.nonces.get() + 1);
        Ok(self.nonces.get().to_string())
    }
}
