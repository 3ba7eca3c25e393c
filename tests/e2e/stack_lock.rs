//! Locks for what the tests share: the deployed stack, and the poller's concurrency.
//!
//! Most tests read and write only their own users, items and changes. They hold the stack's lock in shared mode and run
//! in parallel. A test holds it in exclusive mode if it changes a setting that other tests depend on, or if it counts
//! messages in a queue that other tests also read or fill.

use tokio::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

static STACK: RwLock<()> = RwLock::const_new(());

static POLLER: Mutex<()> = Mutex::const_new(());

/// A test's use of the stack, until it is dropped.
#[expect(dead_code, reason = "the guards are held, not read")]
pub enum StackLock {
    Shared(RwLockReadGuard<'static, ()>),
    Exclusive(RwLockWriteGuard<'static, ()>),
}

impl StackLock {
    /// Waits until no test has exclusive use, or waits for it.
    pub async fn shared() -> Self {
        Self::Shared(STACK.read().await)
    }

    /// Waits until no other test uses the stack.
    pub async fn exclusive() -> Self {
        Self::Exclusive(STACK.write().await)
    }
}

/// Waits until no other test invokes the poller. Its reserved concurrency is 3: the schedule needs one for the lease
/// holder and one for its successor.
pub async fn invoke_poller() -> MutexGuard<'static, ()> {
    POLLER.lock().await
}
