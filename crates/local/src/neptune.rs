//! Amazon Neptune's stream of changes, played on this machine: a property graph that is written by
//! small HTTP calls and read as Neptune Streams are (Amazon Neptune User Guide, "Capturing graph
//! changes in real time using Neptune streams").
//!
//! In a test, [`NeptuneEmulator::start`] runs one in the same process, and [`Client`] writes to it;
//! on its own it is `cargo xtask neptune`.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use local::neptune::{Commit, Failure, Fault, NeptuneEmulator, Options};
//!
//! let emulator = NeptuneEmulator::start(Options::default())?;
//! let client = emulator.client();
//! client.commit(&Commit::new().add_vertex("p1", ["person"]).set("p1", "name", "미나")).await?;
//! client.fault(Fault::Error(Failure::Throttling), 2.try_into().ok()).await?;
//! println!("{}/propertygraph/stream?iteratorType=TRIM_HORIZON", emulator.endpoint());
//! # Ok(())
//! # }
//! ```
//!
//! # The stream
//!
//! `GET /propertygraph/stream`, also `/pg/stream`: `limit`, `iteratorType`, `commitNum`, `opNum`,
//! and gzip by `Accept-Encoding`. SigV4 headers are required if [`Options::requires_signature`]
//! says so, but the signature is not verified.
//!
//! # Queries
//!
//! `POST /opencypher` with `{"query": …, "parameters": "{\"after\":\"\"}"}`, as the SDK's
//! `ExecuteOpenCypherQuery` sends it. No query language is played: the graph is asked the queries
//! that the backend asks, which are known word by word, and refuses all others.
//!
//! # Writing
//!
//! `POST /emulator/commit` does all writes of a [`Commit`], in order, or none:
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
//! With `"unstreamed": true` the graph has it and the stream does not, as if the stream had been off.
//! `commitTimestamp` may be left out, and so may `of` unless a vertex and an edge share the id. A
//! bare value is a String, a Bool, an Int (a Long if it does not fit) or a Double. The answer is
//! `{"commitNum":12,"commitTimestamp":1560011610678,"records":3}`; `commitNum` is `null` where
//! nothing changed or the stream was off. What cannot be done is answered with 400, `InvalidCommit`, and which write it
//! was; a document that is none, with 400 and `MalformedDocument`.
//!
//! # Control
//!
//! | call | does | answers |
//! |---|---|---|
//! | `GET /emulator/head` | nothing | `{"head":{"commitNum":12,"opNum":3},"oldest":{…}}` |
//! | `GET /emulator/graph` | nothing | `{"vertices":{"p1":{"labels":[…],"properties":{…}}},"edges":{"f1":{"label":…,"from":…,"to":…,"properties":{…}}}}` |
//! | `POST /emulator/trim` `{"through":7}` | lets commits up to 7 expire | as `head` |
//! | `POST /emulator/reset` | a fast reset: deletes graph and stream, numbers start again | as `head` |
//! | `POST /emulator/faults` `{"fault":…,"times":2}` | orders a fault, without `times` until cleared | as `GET` |
//! | `GET /emulator/faults` | nothing | `{"faults":[{"fault":…,"left":1,"hits":1}]}` |
//! | `DELETE /emulator/faults` | ends all faults | as `GET` |
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
//! # Where Neptune's documentation is silent
//!
//! - A position before the oldest record is expired, although later records are there; only behind
//!   the very last expired record nothing is missing, so `AFTER` it reads on. Before the first
//!   record of a stream of which nothing has expired, nothing is missing either.
//! - A position without a record between others (an operation that its commit does not have)
//!   reads on with the next commit.
//! - Every 404 has the text of the head probe, also for `TRIM_HORIZON` and `LATEST`. The head of a
//!   stream that never had a record is operation 0 of the commit before the first.
//! - 10 MB are 10 · 2²⁰ bytes of records. Errors are never compressed.
//! - Writes of one commit are told as they were done, not netted: what is added and removed in one
//!   commit is an `ADD` and a `REMOVE`.
//! - Ids, and so pages of queries, are in the order of their UTF-8.
//! - Requests that are not signed are answered 403, `AccessDeniedException`.

mod answers;
mod client;
mod commit;
mod control;
mod database;
mod faults;
mod graph;
mod http;
mod invalid;
mod journal;
mod log;
mod open_cypher;
mod options;
mod page;
mod query;
mod record;
mod server;
mod signature;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod value;

pub use client::{Client, EdgeCopy, GraphCopy, VertexCopy};
pub use commit::{Commit, Kind, Write};
pub use database::{Committed, EdgeEndpoints};
pub use faults::{ExpiredStatus, Failure, Fault, Standing};
pub use options::{Arguments, Options};
pub use record::EventId;
pub use server::{NeptuneEmulator, run};
pub use value::Value;
