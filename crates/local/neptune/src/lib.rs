//! An emulator of Neptune Streams: a property graph that is written by HTTP calls and read like Neptune Streams (Amazon
//! Neptune User Guide, "Capturing graph changes in real time using Neptune streams").
//!
//! In a test, [`NeptuneEmulator::start`] runs an emulator in the same process, and [`Client`] writes to it.
//! `cargo xtask neptune` runs one as a process.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use neptune::{Commit, Failure, Fault, NeptuneEmulator, Options};
//!
//! let emulator = NeptuneEmulator::start(Options::default())?;
//! let client = emulator.client();
//! client.commit(&Commit::new().add_vertex("p1", ["person"]).set("p1", "name", "미나")).await?;
//! client.inject_fault(Fault::Error(Failure::Throttling), 2.try_into().ok()).await?;
//! println!("{}/propertygraph/stream?iteratorType=TRIM_HORIZON", emulator.endpoint());
//! # Ok(())
//! # }
//! ```
//!
//! # The stream
//!
//! `GET /propertygraph/stream` and `GET /pg/stream` with `limit`, `iteratorType`, `commitNum` and `opNum`. Responses are
//! compressed with gzip by `Accept-Encoding`. [`Options::requires_signature`] makes SigV4 headers mandatory; signatures
//! are not verified.
//!
//! # Queries
//!
//! `POST /opencypher` with `{"query": …, "parameters": "{\"after\":\"\"}"}`, as the SDK's `ExecuteOpenCypherQuery` sends
//! it. The emulator has no query engine: it knows the queries of the backend word by word and rejects all others.
//!
//! # Commits
//!
//! `POST /emulator/commit` applies all writes of a [`Commit`] in order, or none:
//!
//! ```json
//! {"commitTimestamp": 1560011610678,
//!  "writes": [
//!   {"addVertex": {"id": "p1", "labels": ["person"]}},
//!   {"set": {"id": "p1", "key": "name", "value": "미나"}},
//!   {"set": {"id": "p1", "key": "joined", "value": {"value": 1560011610678, "dataType": "Date"}}},
//!   {"addEdge": {"id": "f1", "label": "follows", "from": "p1", "to": "p2"}},
//!   {"removeProperty": {"id": "p1", "key": "name", "of": "vertex"}},
//!   {"addLabel": {"id": "p1", "label": "author"}},
//!   {"removeLabel": {"id": "p1", "label": "person"}},
//!   {"removeEdge": {"id": "f1"}},
//!   {"removeVertex": {"id": "p1"}}]}
//! ```
//!
//! With `"unstreamed": true` the commit is in the graph but not in the stream, as if streams were off. `commitTimestamp`
//! is optional. `of` is required only if a vertex and an edge share the id. A bare value is a String, a Bool, an Int (a
//! Long if it does not fit) or a Double.
//!
//! The response is `{"commitNum":12,"commitTimestamp":1560011610678,"records":3}`. `commitNum` is `null` if nothing
//! changed or the commit is not in the stream. An invalid write returns 400 `InvalidCommit` with its index; an invalid
//! document returns 400 `MalformedDocument`.
//!
//! # Control API
//!
//! | call | effect | response |
//! |---|---|---|
//! | `GET /emulator/head` | none | `{"head":{"commitNum":12,"opNum":3},"oldest":{…}}` |
//! | `GET /emulator/graph` | none | `{"vertices":{"p1":{"labels":[…],"properties":{…}}},"edges":{"f1":{"label":…,"from":…,"to":…,"properties":{…}}}}` |
//! | `POST /emulator/trim` `{"through":7}` | expires commits up to 7 | as `head` |
//! | `POST /emulator/reset` | a fast reset: deletes graph and stream, restarts commit numbers | as `head` |
//! | `POST /emulator/faults` `{"fault":…,"times":2}` | injects a fault; without `times`, until faults are cleared | as `GET` |
//! | `GET /emulator/faults` | none | `{"faults":[{"fault":…,"left":1,"hits":1}]}` |
//! | `DELETE /emulator/faults` | removes all faults | as `GET` |
//!
//! A `fault` is one of
//!
//! ```json
//! {"error": "throttling"}
//! {"error": "memoryLimitExceeded"}
//! {"error": "clientTimeout"}
//! {"error": "tooManyRequests"}
//! {"error": "streamsOff"}
//! {"error": "constraintViolation"}
//! {"error": "preconditionsFailed"}
//! {"error": "invalidArgument"}
//! {"error": "illegalArgument"}
//! {"expired": {"status": "expired"}}
//! {"expired": {"status": "notFound"}}
//! {"slow": {"millis": 500}}
//! {"lag": {"commits": 3}}
//! {"cut": {"atOp": 2}}
//! {"gap": {"commitNum": 7}}
//! ```
//!
//! # Behavior that Neptune's documentation leaves open
//!
//! - A position before the oldest record is expired, even if later records exist. Two exceptions: `AFTER` the last
//!   expired record continues, and so does any position if nothing has expired.
//! - A position without a record (an operation that its commit does not have) continues with the next commit.
//! - Every 404 has the text of the head probe, also for `TRIM_HORIZON` and `LATEST`. The head of an empty stream is
//!   operation 0 of the commit before the first.
//! - 10 MB are 10 · 2²⁰ bytes of records. Errors are never compressed.
//! - The writes of a commit are not netted: an element that a commit adds and removes makes an `ADD` and a `REMOVE`.
//! - Ids, and so the rows of queries, are ordered by their UTF-8 bytes.
//! - Unsigned requests return 403 `AccessDeniedException`.

mod client;
mod commit;
mod commit_error;
mod control;
mod database;
mod error_response;
mod faults;
mod graph;
mod http;
mod journal;
mod open_cypher;
mod options;
mod page;
mod query;
mod record;
mod server;
mod signature;
mod state;
mod stream;
mod value;

pub use client::{Client, EdgeSnapshot, GraphSnapshot, VertexSnapshot};
pub use commit::{Commit, Kind, Write};
pub use database::{Committed, StreamBounds};
pub use faults::{ActiveFault, ExpiredStatus, Failure, Fault};
pub use options::{Arguments, Options};
pub use record::EventId;
pub use server::{NeptuneEmulator, run};
pub use value::Value;
