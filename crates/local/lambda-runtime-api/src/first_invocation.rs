use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

/// How long a function may take until its first request.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Accepts the first request of a function, without a server whose work would count in a measurement of the start.
#[derive(Debug)]
pub struct FirstInvocation(TcpListener);

/// A function's request for its first event.
#[derive(Debug)]
pub struct PendingInvocation(TcpStream);

impl FirstInvocation {
    /// Listens on a free port of the loopback interface.
    pub fn listen() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// The value for `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> Result<String> {
        Ok(self.0.local_addr()?.to_string())
    }

    /// Waits for `GET …/invocation/next`.
    pub fn accept(&self) -> Result<PendingInvocation> {
        let deadline = Instant::now() + TIMEOUT;
        let mut stream = loop {
            match self.0.accept() {
                Ok((stream, _)) => break stream,
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_micros(50)),
                Err(_) => bail!("the function does not request an event"),
            }
        };
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let request = read_head(&mut stream)?;
        ensure!(request.contains("/invocation/next"), "the first request is not for an event: {request}");
        Ok(PendingInvocation(stream))
    }
}

impl PendingInvocation {
    /// Responds with `event`.
    pub fn respond(&mut self, event: &str) -> Result<()> {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             lambda-runtime-aws-request-id: 00000000-0000-0000-0000-000000000001\r\n\
             lambda-runtime-deadline-ms: 4102444800000\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:ap-northeast-2:000000000000:function:startup\r\n\
             lambda-runtime-trace-id: Root=1-00000000-000000000000000000000000;Sampled=0\r\n\r\n",
            event.len()
        );
        Ok(self.0.write_all(format!("{head}{event}").as_bytes())?)
    }
}

fn read_head(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 512];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => bail!("the function closed the connection"),
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
