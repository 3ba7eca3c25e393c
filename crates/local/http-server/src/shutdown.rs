use anyhow::Result;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM or Ctrl-C, recorded from the moment at which this value was created.
#[derive(Debug)]
pub struct ShutdownSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl ShutdownSignal {
    /// Replaces the default handling of both signals, which ends the process.
    ///
    /// # Errors
    /// If the handlers cannot be installed. Panics outside of a tokio runtime.
    pub fn listen() -> Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one of the signals.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
