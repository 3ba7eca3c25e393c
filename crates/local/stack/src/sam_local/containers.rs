//! How containers reach this machine's loopback interface.

use std::{
    net::{IpAddr, Ipv4Addr},
    process::Command,
};

use anyhow::Result;
use http_server::ShutdownSignal;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// The subcommand of xtask that forwards ports of containers.
pub(crate) const FORWARD: &str = "forward";
/// The name of this machine in containers of Docker Desktop, which reach the loopback interface.
const DESKTOP: &str = "host.docker.internal";

/// This machine as containers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name or address in a container.
    pub name: String,
    /// The address of the bridge between containers and this machine, on which a forwarder must listen. `None` where
    /// containers reach the loopback interface.
    pub bridge: Option<IpAddr>,
}

impl Host {
    /// Asks the Docker engine. `None` if none answers.
    pub fn find() -> Option<Self> {
        let format = "{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}";
        let output = Command::new("docker").args(["network", "inspect", "bridge", "--format", format]).output().ok()?;
        let network = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        Some(Self::with_gateway(gateway(&network)))
    }

    /// With this gateway, if it is an address of this machine. Docker Desktop's is one of its virtual machine.
    fn with_gateway(gateway: Option<IpAddr>) -> Self {
        match gateway.filter(|address| std::net::TcpListener::bind((*address, 0)).is_ok()) {
            Some(bridge) => Self { name: bridge.to_string(), bridge: Some(bridge) },
            None => Self::desktop(),
        }
    }

    /// As containers of Docker Desktop see it.
    pub fn desktop() -> Self {
        Self { name: DESKTOP.to_owned(), bridge: None }
    }
}

/// The gateway of a network, from its subnet and perhaps its gateway. A new engine names none until it is started again; it
/// is then the first address of the subnet.
fn gateway(network: &str) -> Option<IpAddr> {
    let mut words = network.split_whitespace();
    let subnet = words.next()?;
    match words.next() {
        Some(gateway) => gateway.parse().ok(),
        None => {
            let network: Ipv4Addr = subnet.split('/').next()?.parse().ok()?;
            Some(Ipv4Addr::from_bits(network.to_bits().checked_add(1)?).into())
        }
    }
}

/// Options of the forwarder.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The address to listen on: that of the bridge.
    #[arg(long)]
    address: IpAddr,
    /// The ports to forward to the same ports of the loopback interface.
    #[arg(long, value_delimiter = ',', required = true)]
    ports: Vec<u16>,
}

/// Forwards connections until SIGTERM or Ctrl-C. The first line of output is the address.
pub async fn run(arguments: Arguments) -> Result<()> {
    let address = arguments.address;
    for port in arguments.ports {
        let listener = TcpListener::bind((address, port)).await?;
        tokio::spawn(forward(listener, port));
    }
    let mut shutdown = ShutdownSignal::listen()?;
    println!("http://{address}");
    shutdown.wait().await;
    Ok(())
}

async fn forward(listener: TcpListener, port: u16) {
    while let Ok((mut client, _)) = listener.accept().await {
        tokio::spawn(async move {
            // Either side may close its connection at any time.
            if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                copy_bidirectional(&mut client, &mut server).await.ok();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateway_that_an_engine_does_not_name_is_the_first_address_of_the_subnet() {
        let first = Some(Ipv4Addr::new(172, 17, 0, 1).into());
        assert_eq!(gateway("172.17.0.0/16 \n"), first);
        assert_eq!(gateway("172.17.0.0/16 172.17.0.1\n"), first);
        assert_eq!(gateway("172.17.0.0/16 172.17.0.254\n"), Some(Ipv4Addr::new(172, 17, 0, 254).into()));
        // Without the network, and with addresses that are none.
        for network in ["\n", "none\n", "172.17.0.0/16 none\n"] {
            assert_eq!(gateway(network), None, "{network}");
        }
    }

    #[test]
    fn gateway_that_is_not_ours_is_docker_desktop() {
        // 192.0.2.0/24 is reserved for documentation.
        assert_eq!(Host::with_gateway(Some(Ipv4Addr::new(192, 0, 2, 1).into())), Host::desktop());
        assert_eq!(Host::with_gateway(None), Host::desktop());
        let bridge = Ipv4Addr::LOCALHOST.into();
        assert_eq!(Host::with_gateway(Some(bridge)), Host { name: "127.0.0.1".to_owned(), bridge: Some(bridge) });
    }
}
