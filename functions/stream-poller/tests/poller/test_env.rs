use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use domain::graph::{Change, EntityKind, Position, Value};
use function_kit::metrics::Metrics;
use neptune::{Commit, Fault, NeptuneEmulator, Options};
use neptune_streams::{Bounds, Client};
use stream_poller::{
    Backoff, Message,
    policy::{Mode, Policy},
    poller::Poller,
    run_error::RunError,
    run_outcome::RunReport,
    settings::Settings,
};

use crate::{memory_bus::MemoryBus, memory_table::MemoryTable, random::Random};

/// More time than any test needs.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A graph with its stream, a bus and a checkpoint table.
pub struct TestEnv {
    pub emulator: NeptuneEmulator,
    pub graph: neptune::Client,
    pub bus: MemoryBus,
    pub table: MemoryTable,
}

impl TestEnv {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        let emulator = NeptuneEmulator::start(options).expect("an emulator");
        let graph = emulator.client();
        Self { emulator, graph, bus: MemoryBus::default(), table: MemoryTable::default() }
    }

    /// Commits five people, one per commit.
    pub async fn five_commits(&self) {
        for number in 1..=5 {
            self.add_person(number).await;
        }
    }

    pub async fn add_person(&self, number: u64) {
        let id = format!("p{number}");
        self.commit(&Commit::new().add_vertex(&id, ["person"]).set(&id, "name", "미나")).await;
    }

    pub async fn commit(&self, commit: &Commit) {
        self.graph.commit(commit).await.expect("a commit");
    }

    pub async fn fault(&self, fault: Fault, times: u32) {
        self.graph.inject_fault(fault, NonZeroU32::new(times)).await.expect("a fault");
    }

    /// A new poller with this bus and table.
    pub fn poller(&self, mode: Mode) -> Poller<MemoryBus, MemoryTable> {
        self.poller_with(Policy { mode, ..Policy::default() })
    }

    pub fn poller_with(&self, policy: Policy) -> Poller<MemoryBus, MemoryTable> {
        Poller {
            stream: client(&self.emulator),
            bus: self.bus.clone(),
            checkpoints: self.table.clone(),
            cluster: "main".to_owned(),
            policy,
            settings: short_settings(),
            metrics: Metrics::of("test"),
        }
    }

    /// Publishes the whole stream.
    pub async fn drain(&self) -> Result<RunReport, RunError> {
        self.poller(Mode::Drain).follow("drain", TEST_TIMEOUT).await
    }

    /// The messages that a run without failures publishes: the bodies of each group, in order.
    pub async fn expected(&self) -> BTreeMap<String, Vec<String>> {
        let bus = MemoryBus::default();
        let poller = Poller { bus: bus.clone(), checkpoints: MemoryTable::default(), ..self.poller(Mode::Drain) };
        poller.follow("expected", TEST_TIMEOUT).await.expect("a report");
        bus.by_group()
    }
}

/// The position of each message's change.
pub fn positions(messages: &[Message]) -> Vec<Position> {
    messages.iter().map(|message| change(message).position).collect()
}

pub fn change(message: &Message) -> Change {
    Change::from_cloud_event(&message.body).expect("a change").change
}

/// Settings with short times.
pub fn short_settings() -> Settings {
    let millis = Duration::from_millis;
    Settings {
        idle: Backoff::new(millis(1), millis(20), 2.0),
        backoff: Backoff::new(millis(1), millis(20), 2.0),
        gap_grace: millis(200),
        reset_grace: millis(200),
        expiry_grace: millis(100),
        lease_check_interval: millis(10),
        checkpoint_interval: millis(2),
        acquire_interval: millis(2),
        margin: millis(100),
        final_margin: millis(20),
        // Small, so that transactions are cut into parts.
        bounds: Bounds { max_records: 7, max_bytes: 1 << 20 },
        page_limit: 5,
        max_outbox_bytes: 4096,
        max_calls: 3,
        ..Settings::default()
    }
}

fn client(emulator: &NeptuneEmulator) -> Client {
    Client::new(&config(), emulator.endpoint()).expect("a client")
}

/// The configuration of the SDK clients for the emulator.
pub fn config() -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("ap-northeast-2"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys("AKIDEXAMPLE", "secret", None)))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(30)).build())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .build()
}

/// Random commits that add, change and remove a few people and edges.
pub fn commits(seed: u64, number: u64) -> Vec<Commit> {
    let mut random = Random::new(seed);
    let (mut people, mut edges) = (BTreeSet::<u64>::new(), BTreeMap::<u64, (u64, u64)>::new());
    let mut commits = Vec::new();
    for _ in 0..number {
        let mut commit = Commit::new();
        for _ in 0..=random.below(5) {
            let (one, two) = (random.below(6), random.below(6));
            let (id, edge) = (format!("p{one}"), one * 6 + two);
            commit = match random.below(5) {
                0 | 1 if !people.contains(&one) => {
                    people.insert(one);
                    commit.add_vertex(&id, ["person"]).set(&id, "name", random.below(1000) as i32)
                }
                0 | 1 => commit.set(&id, "name", random.below(1000) as i32),
                2 if people.contains(&one) && people.contains(&two) && !edges.contains_key(&edge) => {
                    edges.insert(edge, (one, two));
                    commit.add_edge(format!("f{edge}"), "follows", &id, format!("p{two}"))
                }
                3 if edges.contains_key(&edge) => {
                    edges.remove(&edge);
                    commit.remove_edge(format!("f{edge}"))
                }
                4 if people.len() > 3 && people.contains(&one) => {
                    people.remove(&one);
                    edges.retain(|_, (from, to)| *from != one && *to != one);
                    commit.remove_vertex(&id)
                }
                _ => commit,
            };
        }
        commits.push(commit);
    }
    commits
}

/// Applies all published changes in order and compares the result with the graph.
pub async fn assert_changes_equal_graph(env: &TestEnv) {
    let mut entities = BTreeMap::<(EntityKind, String), BTreeMap<String, Vec<Value>>>::new();
    let mut last = BTreeMap::<String, Position>::new();
    for message in env.bus.accepted() {
        let change = change(&message);
        let before = last.insert(message.group.clone(), change.position);
        assert!(before < Some(change.position), "{}: {before:?}, then {}", message.group, change.position);
        let key = (change.kind, change.entity_id);
        let facts = entities.entry(key.clone()).or_default();
        let mut apply = |key: String, before: &[Value], after: &[Value]| {
            let values = facts.entry(key).or_default();
            values.retain(|value| !before.contains(value));
            values.extend(after.iter().filter(|value| !before.contains(value)).cloned());
        };
        for label in change.labels.removed {
            apply(format!("label {label}"), &[Value::Bool(true)], &[]);
        }
        for label in change.labels.added {
            apply(format!("label {label}"), &[], &[Value::Bool(true)]);
        }
        for (name, property) in change.properties {
            apply(name, &property.before, &property.after);
        }
        facts.retain(|_, values| !values.is_empty());
        if facts.is_empty() {
            entities.remove(&key);
        }
    }
    let graph = env.graph.graph().await.expect("the graph");
    let ids = |kind| entities.keys().filter(move |(of, _)| *of == kind).map(|(_, id)| id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(EntityKind::Vertex), graph.vertices.keys().cloned().collect::<Vec<_>>());
    assert_eq!(ids(EntityKind::Edge), graph.edges.keys().cloned().collect::<Vec<_>>());
    for (id, vertex) in graph.vertices {
        let facts = &entities[&(EntityKind::Vertex, id)];
        for (name, value) in vertex.properties {
            let neptune::Value::Int(value) = value else { panic!("this test writes integers only") };
            assert_eq!(facts[&name], [Value::Int(value)]);
        }
    }
}
