//! A contained child process with a deadline and limited memory and file size.

use std::{
    ffi::OsString,
    io::{self, Read},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{Pid, Resource, Rlimit, Signal, prlimit},
};

use super::containment;

/// The most bytes of the standard error output that are kept.
const MAX_STDERR_BYTES: usize = 16 * 1024;
/// The interval between checks for the exit of the process.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The most private memory of the process, in bytes. ffmpeg needs 95 MB for all formats and durations. Without the
/// limit, a hostile recording could exhaust the function's memory and kill it on each retry.
///
/// The limit does not apply to the address space (`RLIMIT_AS`), which is 770 MB and mostly unused stacks.
const MAX_MEMORY: u64 = 512 << 20;
/// The largest output file, in bytes. The longest story takes 175 MB at 128 kbit/s.
const MAX_FILE: u64 = 256 << 20;

/// A running process.
pub struct Process {
    output: Option<ChildStdout>,
    stderr: JoinHandle<String>,
    exit: JoinHandle<io::Result<(ExitStatus, bool)>>,
}

/// The result of a process.
pub struct Exit {
    pub is_success: bool,
    /// Whether the process was killed at its deadline.
    pub timed_out: bool,
    /// Whether a signal ended the process. Two signals do not count: that of the limit on file sizes, which the recording
    /// causes, and that of a closed output, which the caller causes.
    pub was_killed: bool,
    /// The exit status, for logs.
    pub status: String,
    /// The start of the standard error output.
    pub stderr: String,
}

impl Process {
    /// Starts `program` without environment and standard input.
    pub fn start(program: &Path, arguments: &[OsString], deadline: Instant) -> io::Result<Self> {
        Self::start_with_input(program, arguments, deadline, Stdio::null())
    }

    /// Starts `program` without environment.
    pub fn start_with_input(
        program: &Path,
        arguments: &[OsString],
        deadline: Instant,
        input: Stdio,
    ) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = containment::spawn(&mut command)?;
        if let Err(error) = set_limits(&child) {
            child.kill()?;
            child.wait()?;
            return Err(error);
        }
        let (output, stderr) = (child.stdout.take(), child.stderr.take());
        Ok(Self {
            output,
            stderr: thread::spawn(move || stderr.map(read_start).unwrap_or_default()),
            exit: thread::spawn(move || wait_until(child, deadline)),
        })
    }

    /// The standard output. Empty on a second call.
    pub fn output(&mut self) -> impl Read + use<> {
        let output: Box<dyn Read> = match self.output.take() {
            Some(output) => Box::new(output),
            None => Box::new(io::empty()),
        };
        output
    }

    /// The standard output as the input of another process. Empty on a second call.
    pub fn pipe(&mut self) -> Stdio {
        self.output.take().map_or_else(Stdio::null, Stdio::from)
    }

    /// Waits for the exit.
    pub fn finish(self) -> io::Result<Exit> {
        // Closed, so that a process that writes to it does not block.
        drop(self.output);
        let (status, timed_out) = self.exit.join().map_err(|_| io::Error::other("the waiting thread panicked"))??;
        let stderr = self.stderr.join().unwrap_or_default();
        let was_killed =
            status.signal().is_some_and(|signal| ![Signal::XFSZ.as_raw(), Signal::PIPE.as_raw()].contains(&signal));
        Ok(Exit { is_success: status.success(), timed_out, was_killed, status: status.to_string(), stderr })
    }
}

impl Exit {
    pub fn is_disk_full(&self) -> bool {
        self.stderr.contains("No space left on device")
    }

    /// The first line of the error output, for logs. ffmpeg prints offsets in a file, not its content.
    pub fn first_line(&self) -> &str {
        let line = self.stderr.lines().next().unwrap_or_default();
        line.get(..200).unwrap_or(line)
    }
}

/// Sets the limits in the first milliseconds of the process. Memory that it has allocated by then counts.
fn set_limits(child: &Child) -> io::Result<()> {
    for (resource, max) in [(Resource::Data, MAX_MEMORY), (Resource::Fsize, MAX_FILE)] {
        let limit = Rlimit { current: Some(max), maximum: Some(max) };
        match prlimit(Some(Pid::from_child(child)), resource, limit) {
            // The process has already ended.
            Ok(_) | Err(Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits for the exit and kills the process at the deadline. Returns whether it was killed.
fn wait_until(mut child: Child, deadline: Instant) -> io::Result<(ExitStatus, bool)> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, false));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            return Ok((child.wait()?, true));
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Reads everything, so that the writer does not block, and returns the start.
fn read_start(mut from: impl Read) -> String {
    let mut start = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 {
            break;
        }
        let room = MAX_STDERR_BYTES.saturating_sub(start.len()).min(count);
        start.extend_from_slice(&buffer[..room]);
    }
    String::from_utf8_lossy(&start).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(program: &str, arguments: &[&str], timeout: Duration) -> Process {
        let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
        Process::start(program.as_ref(), &arguments, Instant::now() + timeout).expect("a process")
    }

    #[test]
    fn process_beyond_its_deadline_is_killed() {
        let exit = start("/bin/sleep", &["60"], Duration::from_millis(50)).finish().expect("an exit");
        assert!(exit.timed_out && !exit.is_success);
    }

    #[test]
    fn process_beyond_its_limits_fails() {
        // dd allocates one buffer. The script waits for the limit, because dd may start before it is set.
        let with_memory = |bytes: u64| {
            let wait_for_limit = "until [ \"$(ulimit -d)\" != unlimited ]; do :; done";
            let script = format!("{wait_for_limit}; exec /bin/dd if=/dev/zero of=/dev/null count=1 bs={bytes}");
            start("/bin/sh", &["-c", &script], Duration::from_secs(120)).finish().expect("an exit").is_success
        };
        assert!(with_memory(MAX_MEMORY / 2) && !with_memory(2 * MAX_MEMORY));

        let path = std::env::temp_dir().join(format!("audio-worker-test-{}", std::process::id()));
        let long = format!("exec head -c {} /dev/zero > {}", MAX_FILE + 1, path.display());
        let exit = start("/bin/sh", &["-c", &long], Duration::from_secs(120)).finish().expect("an exit");
        let written = path.metadata().expect("a file").len();
        std::fs::remove_file(&path).expect("a file");
        assert!(!exit.is_success && written <= MAX_FILE, "{written}");
        assert!(!exit.was_killed, "{}: a recording that is too long does not become shorter", exit.status);
    }

    #[test]
    fn process_ended_by_a_signal_was_killed() {
        for (script, was_killed) in
            [("kill -KILL $$", true), ("kill -SEGV $$", true), ("exit 137", false), ("exit 0", false)]
        {
            let exit = start("/bin/sh", &["-c", script], Duration::from_secs(60)).finish().expect("an exit");
            assert_eq!(exit.was_killed, was_killed, "{script}: {}", exit.status);
        }
    }

    #[test]
    fn long_stderr_is_read_and_truncated() {
        let script = "i=0; while [ $i -lt 20000 ]; do echo talk >&2; i=$((i+1)); done; env; exit 3";
        let mut process = start("/bin/sh", &["-c", script], Duration::from_secs(60));
        let mut environment = String::new();
        process.output().read_to_string(&mut environment).expect("UTF-8");
        let exit = process.finish().expect("an exit");
        assert!(!exit.timed_out && !exit.is_success);
        assert_eq!(exit.stderr.len(), MAX_STDERR_BYTES);
        // The shell's own variables only.
        assert!(!environment.contains("AWS_") && !environment.contains("CARGO"), "{environment}");
    }

    #[test]
    fn closed_output_does_not_block_the_process() {
        let script = "i=0; while [ $i -lt 50000 ]; do echo samples || exit 1; i=$((i+1)); done";
        let mut process = start("/bin/sh", &["-c", script], Duration::from_secs(60));
        drop(process.output());
        assert!(!process.finish().expect("an exit").timed_out);
    }
}
