//! Lambda's Runtime API, as little of it as a start needs, and with nothing in between that would take time.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

/// How long a function may take to ask.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where a function asks for events.
#[derive(Debug)]
pub struct RuntimeApi(TcpListener);

impl RuntimeApi {
    /// At a free port of loopback.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// As Lambda tells it to functions.
    pub fn address(&self) -> String {
        self.0.local_addr().map(|address| address.to_string()).unwrap_or_default()
    }

    /// Waits for `GET …/invocation/next`.
    pub fn question(&self) -> Result<TcpStream> {
        let deadline = Instant::now() + PATIENCE;
        let mut stream = loop {
            match self.0.accept() {
                Ok((stream, _)) => break stream,
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_micros(50)),
                Err(_) => bail!("it asks for no event"),
            }
        };
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = head(&mut stream)?;
        ensure!(request.contains("/invocation/next"), "it does not ask for an event: {request}");
        Ok(stream)
    }
}

/// Answers with an event.
pub fn hand(question: &mut TcpStream, event: &str) -> Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         lambda-runtime-aws-request-id: 00000000-0000-0000-0000-000000000001\r\n\
         lambda-runtime-deadline-ms: 4102444800000\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:ap-northeast-2:000000000000:function:startup\r\n\
         lambda-runtime-trace-id: Root=1-00000000-000000000000000000000000;Sampled=0\r\n\r\n",
        event.len()
    );
    Ok(question.write_all(format!("{head}{event}").as_bytes())?)
}

fn head(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    let mut byte = [0; 512];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut byte)? {
            0 => bail!("it gave up"),
            count => head.extend_from_slice(&byte[..count]),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
