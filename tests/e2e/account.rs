//! Accounts: a person takes everything along, or has it erased.

mod erasure;
mod exports;
