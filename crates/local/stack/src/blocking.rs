use anyhow::Result;
use tokio::runtime;

/// Runs a future to completion, outside of async code.
pub fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}
