use std::{
    fs,
    net::{TcpStream, UdpSocket},
    process::Stdio,
};

use super::*;

/// The name that the child below finds in the environment of a process that it can read.
const SECRET: &str = "CANARY_SECRET";

/// Runs in place of ffmpeg: looks for secrets in the process in the standard input's text, and for a network.
#[test]
#[ignore = "the child of the tests below"]
fn canary() {
    let process = io::read_to_string(io::stdin()).expect("the number of a process");
    for file in ["environ", "mem", "maps"] {
        let path = format!("/proc/{}/{file}", process.trim());
        // The memory cannot be read from its start, but opened.
        let is_readable = match file {
            "mem" => fs::File::open(path).is_ok(),
            _ => fs::read(path).is_ok_and(|content| !content.is_empty()),
        };
        println!("{file}: {is_readable}");
    }
    println!("tcp: {:?}", TcpStream::connect("127.0.0.1:9").map_err(|error| error.kind()).err());
    println!("udp: {}", UdpSocket::bind("127.0.0.1:0").is_ok());
    let status = fs::read_to_string("/proc/self/status").expect("the own status");
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap_or_default().replace('\t', " ");
    println!("{}", line("NoNewPrivs:"));
    println!("{}", line("CapEff:"));
    println!("{}", line("Seccomp:"));
}

/// What the canary prints about the process with this number.
fn run_canary(process: u32, start: impl FnOnce(&mut Command) -> io::Result<Child>) -> String {
    let name = "ffmpeg::containment::tests::canary";
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", name, "--ignored", "--nocapture"]).env_clear();
    let mut child = start(command.stdin(Stdio::piped()).stdout(Stdio::piped())).expect("a child");
    let mut input = child.stdin.take().expect("a pipe");
    io::Write::write_all(&mut input, process.to_string().as_bytes()).expect("sent");
    drop(input);
    let output = child.wait_with_output().expect("an exit");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Shows that the canary would find what it looks for.
#[test]
fn ordinary_child_reads_another_process_and_opens_sockets() {
    let mut other = Command::new("/bin/sleep").arg("600").env(SECRET, "x").spawn().expect("a process");
    let found = run_canary(other.id(), Command::spawn);
    other.kill().and_then(|()| other.wait()).expect("ended");
    for line in ["environ: true", "maps: true", "udp: true"] {
        assert!(found.contains(line), "{found}");
    }
}

#[test]
fn contained_child_reads_no_secret_of_its_parent_and_opens_no_socket() {
    let found = run_canary(std::process::id(), spawn);
    for line in [
        "environ: false",
        "mem: false",
        "maps: false",
        "tcp: Some(PermissionDenied)",
        "udp: false",
        "NoNewPrivs: 1",
        "CapEff: 0000000000000000",
        "Seccomp: 2",
    ] {
        assert!(found.contains(line), "{line} is missing: {found}");
    }
}

#[test]
fn starting_a_child_restricts_only_the_child() {
    spawn(Command::new("/bin/true").env_clear()).and_then(|mut child| child.wait()).expect("an exit");
    assert!(UdpSocket::bind("127.0.0.1:0").is_ok());
}
