use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result};
use axum::{Router, serve::ListenerExt as _};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

/// A server on loopback, which ends with this value.
///
/// It has a thread and a runtime of its own, so it answers whatever its starter does meanwhile,
/// and may be started and ended from inside and outside of async code.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves what `router` makes on `port`, or on a free one if that is 0. It answers when this
    /// returns. `router` runs inside the server's runtime and is told the address.
    pub fn start(name: &str, port: u16, router: impl FnOnce(SocketAddr) -> Router) -> Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| format!("cannot listen on port {port}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (listener, router) = {
            // Tokio's sockets are made inside its runtime.
            let _guard = runtime.enter();
            (tokio::net::TcpListener::from_std(listener)?, router(address))
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            // A refusal is small; waiting for more to send would make it late.
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            runtime.block_on(async {
                tokio::select! {
                    // Serving ends only with the runtime, and connections with it.
                    _ = axum::serve(listener, router) => {}
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
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; there is nothing left to end.
            let _ = thread.join();
        }
    }
}

/// Starts a server, prints its endpoint as the first line, and keeps it until SIGTERM or Ctrl-C.
pub async fn until_ended<S>(start: impl FnOnce() -> Result<S>, endpoint: impl FnOnce(&S) -> String) -> Result<()> {
    // Before anybody knows of the server: no signal is missed.
    let mut ended = Ended::listen()?;
    let server = start()?;
    println!("{}", endpoint(&server));
    ended.wait().await;
    Ok(())
}

/// SIGTERM and Ctrl-C, from when it was made on.
#[derive(Debug)]
pub struct Ended {
    terminate: Signal,
    interrupt: Signal,
}

impl Ended {
    /// From now on these signals do not end this process by themselves.
    ///
    /// # Errors
    /// If they cannot be listened for. Panics outside of a runtime.
    pub fn listen() -> Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits until one has come.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
