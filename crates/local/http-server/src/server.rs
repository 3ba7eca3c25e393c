use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result};
use axum::{Router, serve::ListenerExt as _};
use tokio::{runtime, sync::oneshot};

use super::shutdown::ShutdownSignal;

/// An HTTP server on the loopback interface. Dropping the value stops the server.
///
/// The server has its own thread and runtime, so a blocked caller does not block it. It can be started and stopped
/// inside and outside of async code.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    /// Dropping the sender ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on `port`, or on a free port if `port` is 0. The server accepts requests when this returns.
    /// `router` runs inside the server's runtime and gets the server's address.
    pub fn start(name: &str, port: u16, router: impl FnOnce(SocketAddr) -> Router) -> Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| format!("cannot listen on port {port}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (listener, router) = {
            // Tokio sockets must be created inside the runtime.
            let _guard = runtime.enter();
            (tokio::net::TcpListener::from_std(listener)?, router(address))
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Responses are small: Nagle's algorithm would delay them.
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            runtime.block_on(async {
                tokio::select! {
                    // `serve` never returns; dropping the runtime closes the connections.
                    _ = axum::serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// The server's base URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has already been printed.
            let _ = thread.join();
        }
    }
}

/// Starts a server, prints its endpoint as the first line, and runs it until SIGTERM or Ctrl-C.
pub async fn serve_until_shutdown<S>(
    start: impl FnOnce() -> Result<S>,
    endpoint: impl FnOnce(&S) -> String,
) -> Result<()> {
    // Installed before the endpoint is printed, so that no signal is missed.
    let mut shutdown = ShutdownSignal::listen()?;
    let server = start()?;
    println!("{}", endpoint(&server));
    shutdown.wait().await;
    Ok(())
}
