//! For tests: a small town that lives in memory, with its graph, its people and their phones.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
};

use domain::{
    graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange, Value},
    push::{Event, Fact, Platform, Preferences, Registers, Row},
};
use function_kit::{
    failure::{Failure, Kind},
    metrics::Metrics,
};
use jiff::{SignedDuration, Timestamp};
use store::{
    audience::{Followers, PendingKey, PendingPage},
    devices::{DeliveryTargets, Device},
    ledger::{Claim, Entry},
};

use crate::{
    message::{Further, Message},
    notify::Notifier,
    ports::{Ledger, Phones, Projections, Surroundings},
    project,
    refusal::Refusal,
};

/// When all commits of tests are requested.
pub const COMMITTED: Timestamp = Timestamp::constant(1_795_305_600, 0);

/// What a phone was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    pub endpoint: String,
    /// FCM's message.
    pub message: serde_json::Value,
}

impl Push {
    /// Whose phone, and by which rule.
    pub fn to_by(&self) -> (String, String) {
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

type Refuse = Box<dyn Fn() -> Refusal>;

/// The town.
pub struct Town {
    rows: RefCell<BTreeMap<Row, Registers>>,
    pending_page: RefCell<BTreeMap<(PendingKey, String), Event>>,
    ledger: RefCell<HashMap<String, LedgerRow>>,
    handed_on: RefCell<HashSet<String>>,
    delivery_targets: RefCell<HashMap<String, DeliveryTargets>>,
    /// How SNS answers the next publications to an endpoint.
    refusals: RefCell<HashMap<String, VecDeque<Refuse>>>,
    queue: RefCell<VecDeque<Further>>,
    seen_by_queue: RefCell<HashSet<String>>,
    invocation: Cell<u32>,
    pub pushes: RefCell<Vec<Push>>,
    pub deleted_endpoints: RefCell<Vec<String>>,
    pub now: Cell<Timestamp>,
    pub page: Cell<usize>,
    /// The function dies when it is about to mark what it has sent.
    pub dies_before_mark: Cell<bool>,
    /// Somebody else projects this while an event is being put on a shelf.
    pub meanwhile: RefCell<Option<Change>>,
    /// A device that is being forgotten has just registered anew.
    pub registers_anew: Cell<bool>,
}

impl Town {
    pub fn new() -> Self {
        Self {
            rows: RefCell::default(),
            pending_page: RefCell::default(),
            ledger: RefCell::default(),
            handed_on: RefCell::default(),
            delivery_targets: RefCell::default(),
            refusals: RefCell::default(),
            queue: RefCell::default(),
            seen_by_queue: RefCell::default(),
            invocation: Cell::new(0),
            pushes: RefCell::default(),
            deleted_endpoints: RefCell::default(),
            now: Cell::new(COMMITTED + SignedDuration::from_millis(300)),
            page: Cell::new(500),
            dies_before_mark: Cell::new(false),
            meanwhile: RefCell::default(),
            registers_anew: Cell::new(false),
        }
    }

    /// A town where these people have one phone each.
    pub fn of(people: &[&str]) -> Self {
        let town = Self::new();
        people.iter().for_each(|user| town.gets_phone(user, "phone"));
        town
    }

    pub fn gets_phone(&self, user: &str, id: &str) {
        let device = Device {
            user: user.to_owned(),
            id: id.to_owned(),
            endpoint_arn: format!("{user}/{id}"),
            token: format!("token-of-{user}-{id}").try_into().expect("a token"),
            platform: Platform::Android,
            language: None,
            last_seen: COMMITTED,
        };
        self.delivery_targets.borrow_mut().entry(user.to_owned()).or_default().devices.push(device);
    }

    pub fn prefers(&self, user: &str, preferences: Preferences) {
        self.delivery_targets.borrow_mut().entry(user.to_owned()).or_default().preferences = preferences;
    }

    pub fn phones_of(&self, user: &str) -> usize {
        self.delivery_targets.borrow().get(user).map_or(0, |delivery_targets| delivery_targets.devices.len())
    }

    /// SNS answers one publication to `endpoint` so.
    pub fn refuses(&self, endpoint: &str, refuse: impl Fn() -> Refusal + 'static) {
        self.refusals.borrow_mut().entry(endpoint.to_owned()).or_default().push_back(Box::new(refuse));
    }

    pub fn pending_page(&self) -> usize {
        self.pending_page.borrow().len()
    }

    pub fn passes(&self, time: SignedDuration) {
        self.now.set(self.now.get() + time);
    }

    /// Delivers changes as one batch, and then all that the function hands on to itself. The
    /// failures are told by message.
    pub async fn deliver(&self, changes: &[Change]) -> Vec<Kind> {
        let bodies: Vec<_> = changes.iter().map(|change| change.to_cloud_event("main")).collect();
        let mut failures = self.batch(&bodies).await;
        while let Some(further) = self.take_from_queue() {
            failures.extend(self.batch(&[serde_json::to_string(&further).expect("JSON")]).await);
        }
        failures
    }

    pub fn take_from_queue(&self) -> Option<Further> {
        self.queue.borrow_mut().pop_front()
    }

    /// An invocation: first everything is projected, then told.
    pub async fn batch(&self, bodies: &[String]) -> Vec<Kind> {
        self.invocation.set(self.invocation.get() + 1);
        let mut prepared: Vec<Message> = Vec::new();
        for body in bodies {
            prepared.push(project::prepare(self, body).await.expect("projected"));
        }
        let metrics = Metrics::of("push-fanout");
        let notifier = Notifier { ports: self, metrics: &metrics };
        let mut failures = Vec::new();
        for message in prepared {
            failures.extend(notifier.finish(message).await.err().map(|failure| failure.kind));
        }
        // Not to standard output.
        metrics.take_lines(0);
        failures
    }

    /// Who was told by which rule so far, in alphabetical order.
    pub fn told(&self) -> Vec<(String, String)> {
        let mut told: Vec<_> = self.pushes.borrow().iter().map(Push::to_by).collect();
        told.sort();
        told
    }

    fn me(&self) -> String {
        self.invocation.get().to_string()
    }
}

/// `told` as tests write it.
pub fn told(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut told: Vec<_> = pairs.iter().map(|(user, rule)| ((*user).to_owned(), (*rule).to_owned())).collect();
    told.sort();
    told
}

/// Commit `commit_num` adds an edge, whose id are label and ends.
pub fn add(commit_num: u64, label: &str, from: &str, to: &str) -> Change {
    edge(ChangeKind::Added, commit_num, label, from, to)
}

/// Commit `commit_num` removes it.
pub fn remove(commit_num: u64, label: &str, from: &str, to: &str) -> Change {
    edge(ChangeKind::Removed, commit_num, label, from, to)
}

fn edge(change_kind: ChangeKind, commit_num: u64, label: &str, from: &str, to: &str) -> Change {
    let (added, removed) =
        if change_kind == ChangeKind::Removed { (vec![], vec![label]) } else { (vec![label], vec![]) };
    let owned = |labels: Vec<&str>| labels.into_iter().map(str::to_owned).collect();
    Change {
        position: Position::new(commit_num, 1),
        commit_timestamp_ms: COMMITTED.as_millisecond(),
        kind: EntityKind::Edge,
        entity_id: format!("{label}-{from}-{to}"),
        change_kind,
        labels: Labels { added: owned(added), removed: owned(removed), kept: vec![] },
        ends: Some(EdgeEndpoints { from: from.to_owned(), to: to.to_owned() }),
        ends_before: None,
        properties: BTreeMap::new(),
        properties_omitted: 0,
    }
}

/// Commit `commit_num` adds a story, and may say who sees it.
pub fn come(commit_num: u64, story: &str, visibility: Option<&str>) -> Change {
    let mut change = show(commit_num, story, visibility);
    (change.change_kind, change.labels.added) = (ChangeKind::Added, vec!["story".to_owned()]);
    if visibility.is_none() {
        change.properties.clear();
    }
    change
}

/// Commit `commit_num` says who sees a story, or not any more.
pub fn show(commit_num: u64, story: &str, visibility: Option<&str>) -> Change {
    let mut change = call(commit_num, story, "visibility", visibility.unwrap_or_default());
    if visibility.is_none() {
        change.properties.values_mut().for_each(|property| property.after.clear());
    }
    change
}

/// Commit `commit_num` names a vertex (`name` of a person, `title` of a story).
pub fn call(commit_num: u64, vertex: &str, property: &str, text: &str) -> Change {
    let value = PropertyChange { before: vec![], after: vec![Value::String(text.to_owned())] };
    Change {
        kind: EntityKind::Vertex,
        entity_id: vertex.to_owned(),
        labels: Labels::default(),
        ends: None,
        properties: [(property.to_owned(), value)].into(),
        ..edge(ChangeKind::Changed, commit_num, "", "", "")
    }
}

impl Projections for Town {
    async fn learn(&self, fact: &Fact, _: Timestamp) -> Result<(), Failure> {
        let mut rows = self.rows.borrow_mut();
        let row = rows.entry(fact.row.clone()).or_default();
        // The table's condition, on texts as there.
        if row.get(&fact.name).is_none_or(|known| known.to_string() <= fact.register.to_string()) {
            row.insert(fact.name.clone(), fact.register.clone());
        }
        Ok(())
    }

    async fn look_up(&self, rows: &[Row]) -> Result<HashMap<Row, Registers>, Failure> {
        let known = self.rows.borrow();
        Ok(rows.iter().filter_map(|row| Some((row.clone(), known.get(row)?.clone()))).collect())
    }

    async fn followers(&self, person: &str, after: Option<&str>) -> Result<Followers, Failure> {
        let rows = self.rows.borrow();
        let all = rows.iter().filter_map(|(row, registers)| match row {
            Row::Follower { of, follower } if of == person => Some((follower.clone(), registers.clone())),
            _ => None,
        });
        let mut followers: Vec<_> =
            all.filter(|(follower, _)| after.is_none_or(|after| follower.as_str() > after)).collect();
        let is_more = followers.len() > self.page.get();
        followers.truncate(self.page.get());
        let next = followers.last().filter(|_| is_more).map(|(follower, _)| follower.clone());
        Ok(Followers { followers, next })
    }

    async fn add_pending(&self, pending_key: &PendingKey, event: &Event) -> Result<(), Failure> {
        if let Some(change) = self.meanwhile.take() {
            project::prepare(self, &change.to_cloud_event("main")).await?;
        }
        self.pending_page.borrow_mut().insert((pending_key.clone(), event.edge.clone()), event.clone());
        Ok(())
    }

    async fn pending_page(&self, pending_key: &PendingKey, after: Option<&str>) -> Result<PendingPage, Failure> {
        let pending_page = self.pending_page.borrow();
        let all = pending_page
            .iter()
            .filter(|((at, edge), _)| at == pending_key && after.is_none_or(|after| edge.as_str() > after));
        let mut events: Vec<_> = all.map(|(_, event)| event.clone()).collect();
        let is_more = events.len() > self.page.get();
        events.truncate(self.page.get());
        let next = events.last().filter(|_| is_more).map(|event| event.edge.clone());
        Ok(PendingPage { events, next })
    }

    async fn remove_pending(&self, pending_key: &PendingKey, edge: &str, position: Position) -> Result<(), Failure> {
        let mut pending_page = self.pending_page.borrow_mut();
        let key = (pending_key.clone(), edge.to_owned());
        if pending_page.get(&key).is_some_and(|event| event.position <= position) {
            pending_page.remove(&key);
        }
        Ok(())
    }
}

fn key(entry: &Entry<'_>) -> String {
    format!("{} {} {}", entry.rule, entry.event.id, entry.recipient)
}

impl Ledger for Town {
    async fn claim(&self, entry: &Entry<'_>, now: Timestamp, until: Timestamp) -> Result<Claim, Failure> {
        let mut ledger = self.ledger.borrow_mut();
        let row = ledger.entry(key(entry)).or_insert_with(|| LedgerRow { claimed_until: now, ..LedgerRow::default() });
        if row.outcome.is_some() {
            return Ok(Claim::Settled);
        }
        if row.claimed_until > now {
            return Ok(Claim::Held);
        }
        (row.claimed_by, row.claimed_until) = (self.me(), until);
        Ok(Claim::Claimed { sent: row.sent.clone() })
    }

    async fn mark(&self, entry: &Entry<'_>, sent: &BTreeSet<String>, outcome: Option<&str>) -> Result<bool, Failure> {
        if self.dies_before_mark.take() {
            return Err(Failure::transient("mark a notification", "the function died"));
        }
        let mut ledger = self.ledger.borrow_mut();
        let row = ledger.get_mut(&key(entry)).expect("claimed before");
        if row.claimed_by != self.me() || row.outcome.is_some() {
            return Ok(false);
        }
        (row.sent, row.outcome, row.claimed_until) = (sent.clone(), outcome.map(str::to_owned), Timestamp::UNIX_EPOCH);
        Ok(true)
    }

    async fn settle(&self, entry: &Entry<'_>, outcome: &str) -> Result<(), Failure> {
        let settled = || LedgerRow { outcome: Some(outcome.to_owned()), ..LedgerRow::default() };
        self.ledger.borrow_mut().entry(key(entry)).or_insert_with(settled);
        Ok(())
    }

    async fn is_handed_on(&self, event: &Event, rule: &str, number: u32) -> Result<bool, Failure> {
        Ok(self.handed_on.borrow().contains(&format!("{rule} {} {number}", event.id)))
    }

    async fn handed_on(&self, event: &Event, rule: &str, number: u32) -> Result<(), Failure> {
        self.handed_on.borrow_mut().insert(format!("{rule} {} {number}", event.id));
        Ok(())
    }
}

impl Phones for Town {
    async fn delivery_targets(&self, user: &str) -> Result<DeliveryTargets, Failure> {
        Ok(self.delivery_targets.borrow().get(user).cloned().unwrap_or_default())
    }

    async fn forget(&self, device: &Device) -> Result<bool, Failure> {
        if self.registers_anew.get() {
            return Ok(false);
        }
        let mut delivery_targets = self.delivery_targets.borrow_mut();
        let devices = &mut delivery_targets.get_mut(&device.user).expect("a user").devices;
        let before = devices.len();
        devices.retain(|known| known != device);
        Ok(devices.len() < before)
    }

    async fn publish(&self, endpoint: &str, message: &str) -> Result<(), Refusal> {
        if let Some(refuse) = self.refusals.borrow_mut().get_mut(endpoint).and_then(VecDeque::pop_front) {
            return Err(refuse());
        }
        let message: serde_json::Value = serde_json::from_str(message).expect("JSON");
        let gcm = message["GCM"].as_str().expect("a text");
        let gcm: serde_json::Value = serde_json::from_str(gcm).expect("JSON");
        let push = Push { endpoint: endpoint.to_owned(), message: gcm["fcmV1Message"]["message"].clone() };
        self.pushes.borrow_mut().push(push);
        Ok(())
    }

    async fn delete_endpoint(&self, endpoint: &str) -> Result<(), Failure> {
        self.deleted_endpoints.borrow_mut().push(endpoint.to_owned());
        Ok(())
    }
}

impl Surroundings for Town {
    async fn hand_on(&self, further: &Further) -> Result<(), Failure> {
        if self.seen_by_queue.borrow_mut().insert(further.id()) {
            self.queue.borrow_mut().push_back(further.clone());
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.now.get()
    }
}
