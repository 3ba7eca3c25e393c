//! The stack on one machine, for whoever develops it: `cargo xtask`, and what the tests use of it.
//!
//! ```text
//! tools        what must be there, and the Python environments that hold the rest
//! functions    sam build
//! emulator     MiniStack, which plays AWS
//! companion    what runs beside the emulator: the emulators of our own
//! stack        template.yaml, deployed to the emulator, and all that it consists of
//! deployment   sam deploy, with production's parameters
//! aws          signed calls to it
//! users        people who sign up and in
//! uploads      how their app sends a file
//! demo         photographs go in, variants and metadata come out; a story is told and heard; a day in the
//!              graph reaches phones
//! privilege    what roles may do, held against what they did
//! suite        every check and test
//! linters      what templates and dependencies are held to
//! openapi      the document of the REST API, written down
//! bench        how fast it all is, next to others
//! costs        what a month costs
//! chaos        random histories, under faults, held against a model
//! docs         a page to try the API with, and one that tells and plays stories
//! chromium     the browser that this one is tested in
//! edge         CloudFront's signed URLs, checked before the emulator serves
//! delivery_key the key that signs addresses of derived files
//! bus          the bus, where the emulator needs help
//! gateway      API Gateway, where the emulator needs help
//! faults       makes the functions' calls fail
//! neptune      Neptune Streams, played by an emulator of its own
//! phones       SNS mobile push and FCM, played by a stand-in of its own
//! search       OpenSearch's API, played by osmem-server
//! serving      what the emulators share
//! runtime_api  one function alone, under a Lambda Runtime API
//! ops          the operator's tool, at a stack on AWS or on this machine
//! wav          sound as samples, in a file
//! steps        progress while something takes its time
//! ```

pub mod aws;
pub mod bench;
pub mod bus;
pub mod chaos;
pub mod chromium;
pub mod companion;
pub mod costs;
pub mod delivery_key;
pub mod demo;
mod deployment;
pub mod docs;
pub mod edge;
pub mod emulator;
pub mod faults;
pub mod functions;
pub mod gateway;
pub mod linters;
pub mod neptune;
pub mod openapi;
pub mod ops;
pub mod paths;
pub mod phones;
pub mod photographs;
pub mod privilege;
mod process;
pub mod push_credentials;
pub mod runtime_api;
pub mod search;
pub mod serving;
pub mod stack;
pub mod steps;
pub mod suite;
pub mod tools;
pub mod uploads;
pub mod users;
mod wav;
