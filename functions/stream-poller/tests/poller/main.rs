//! The poller against the emulator of Neptune Streams, with a bus and a table in memory that fail
//! as the real ones do.

mod bus;
mod crash;
mod export;
mod faults;
mod handover;
mod inspect;
mod replay;
mod table;
mod whole;
mod world;
