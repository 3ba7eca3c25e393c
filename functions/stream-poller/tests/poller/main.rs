//! Tests of the poller with the Neptune emulator, and with an in-memory bus and table that fail like SNS and DynamoDB.

mod crash;
mod export;
mod faults;
mod handover;
mod inspect;
mod memory_bus;
mod memory_table;
mod model;
mod publishing;
mod random;
mod replay;
mod resets;
mod test_env;
