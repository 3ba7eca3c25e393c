use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result};
use axum::serve::ListenerExt as _;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use super::{
    client::Client,
    database::Database,
    http::{App, router},
    options::Options,
};

/// A running emulator, which ends with this value.
///
/// It has a thread and a runtime of its own, so it answers whatever its starter does meanwhile,
/// and may be started and ended from inside and outside of async code.
#[derive(Debug)]
pub struct NeptuneEmulator {
    address: SocketAddr,
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl NeptuneEmulator {
    /// Starts an emulator on loopback. It answers when this returns.
    pub fn start(options: Options) -> Result<Self> {
        let database = Database::open(&options)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
            .with_context(|| format!("cannot listen on port {}", options.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let app = Arc::new(App::new(database, options.requires_signature));
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            // Tokio's sockets are made inside its runtime.
            let _guard = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("neptune".into()).spawn(move || {
            // A refusal is small; waiting for more to send would make it late.
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            runtime.block_on(async {
                tokio::select! {
                    // Serving ends only with the runtime, and connections with it.
                    _ = axum::serve(listener, router(app)) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it answers.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client of its control calls.
    pub fn client(&self) -> Client {
        Client::new(self.endpoint())
    }
}

impl Drop for NeptuneEmulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; there is nothing left to end.
            let _ = thread.join();
        }
    }
}

/// `cargo xtask neptune`: runs an emulator until SIGTERM or Ctrl-C.
pub async fn run(options: Options) -> Result<()> {
    // Before anybody knows of the emulator: no signal is missed.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let emulator = NeptuneEmulator::start(options)?;
    println!("{}", emulator.endpoint());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
