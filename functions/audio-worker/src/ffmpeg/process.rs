use std::{
    ffi::OsString,
    io::{self, Read},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{Pid, Resource, Rlimit, prlimit},
};

use super::Ffmpeg;

/// How much of what it says is kept, in bytes.
const KEPT: usize = 16 * 1024;
/// How often it is looked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The most memory that it may have of its own, in bytes. Decoding and encoding take 95 MB, whatever is
/// decoded and however long it is. What asks for more gets none, and fails: it must not take this
/// function with it, which would then fail on the same recording again and again.
///
/// Not its address space (`RLIMIT_AS`), most of which is set aside for threads and never used: 770 MB.
const MEMORY: u64 = 512 << 20;
/// The largest file that it may write, in bytes: the longest story takes 175 MB at 128 kbit/s.
const FILE: u64 = 256 << 20;

/// A running ffmpeg.
pub struct Run {
    output: Option<ChildStdout>,
    said: JoinHandle<String>,
    ended: JoinHandle<io::Result<(ExitStatus, bool)>>,
}

/// An ffmpeg that has ended.
pub struct Ended {
    /// Whether it did what it was to do.
    pub is_well: bool,
    /// Whether it was ended because the time was up.
    pub is_late: bool,
    /// Its status, for logs.
    pub status: String,
    /// The beginning of what it said.
    pub said: String,
}

impl Run {
    pub fn start(ffmpeg: &Ffmpeg, arguments: &[OsString]) -> io::Result<Self> {
        let mut child = Command::new(&ffmpeg.program)
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Err(error) = confine(&child) {
            child.kill()?;
            child.wait()?;
            return Err(error);
        }
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let deadline = ffmpeg.deadline;
        Ok(Self {
            output,
            said: thread::spawn(move || errors.map(beginning).unwrap_or_default()),
            ended: thread::spawn(move || watch(child, deadline)),
        })
    }

    /// What it writes to its standard output: once.
    pub fn output(&mut self) -> impl Read + use<> {
        let output: Box<dyn Read> = match self.output.take() {
            Some(output) => Box::new(output),
            None => Box::new(io::empty()),
        };
        output
    }

    /// Waits for its end.
    pub fn finish(self) -> io::Result<Ended> {
        // What nobody reads must not make it wait.
        drop(self.output);
        let (status, is_late) = self.ended.join().map_err(|_| io::Error::other("the watch panicked"))??;
        let said = self.said.join().unwrap_or_default();
        Ok(Ended { is_well: status.success(), is_late, status: status.to_string(), said })
    }
}

impl Ended {
    pub fn is_disk_full(&self) -> bool {
        self.said.contains("No space left on device")
    }

    /// For logs: it names places in a file, not what is in it.
    pub fn first_line(&self) -> &str {
        let line = self.said.lines().next().unwrap_or_default();
        line.get(..200).unwrap_or(line)
    }
}

/// Bounds what it takes, in its first milliseconds: what it has by then counts, and whatever it asks for after that.
fn confine(child: &Child) -> io::Result<()> {
    for (resource, most) in [(Resource::Data, MEMORY), (Resource::Fsize, FILE)] {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        match prlimit(Some(Pid::from_child(child)), resource, limit) {
            // It has ended: no more is to be had.
            Ok(_) | Err(Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn watch(mut child: Child, deadline: Instant) -> io::Result<(ExitStatus, bool)> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, false));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            return Ok((child.wait()?, true));
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// The beginning of what comes; the rest is read, too, since whoever writes would wait otherwise.
fn beginning(mut from: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 {
            break;
        }
        let room = KEPT.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(&buffer[..room]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(program: &str, arguments: &[&str], patience: Duration) -> Run {
        let ffmpeg = Ffmpeg { program: program.into(), deadline: Instant::now() + patience };
        let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
        Run::start(&ffmpeg, &arguments).expect("started")
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let ended = run("/bin/sleep", &["60"], Duration::from_millis(50)).finish().expect("ended");
        assert!(ended.is_late && !ended.is_well);
    }

    #[test]
    fn what_takes_too_much_fails() {
        // dd has one buffer, as large as a block: it must not have it before its bounds are set. ffmpeg goes on to ask.
        let with_memory = |bytes: u64| {
            let bounded = "until [ \"$(ulimit -d)\" != unlimited ]; do :; done";
            let script = format!("{bounded}; exec /bin/dd if=/dev/zero of=/dev/null count=1 bs={bytes}");
            run("/bin/sh", &["-c", &script], Duration::from_secs(120)).finish().expect("ended").is_well
        };
        assert!(with_memory(MEMORY / 2) && !with_memory(2 * MEMORY));

        let path = std::env::temp_dir().join(format!("audio-worker-test-{}", std::process::id()));
        let long = format!("exec head -c {} /dev/zero > {}", FILE + 1, path.display());
        let ended = run("/bin/sh", &["-c", &long], Duration::from_secs(120)).finish().expect("ended");
        let written = path.metadata().expect("a file").len();
        std::fs::remove_file(&path).expect("removed");
        assert!(!ended.is_well && written <= FILE, "{written}");
    }

    #[test]
    fn much_talk_does_not_block_it_and_is_not_kept() {
        let script = "i=0; while [ $i -lt 20000 ]; do echo talk >&2; i=$((i+1)); done; env; exit 3";
        let mut run = run("/bin/sh", &["-c", script], Duration::from_secs(60));
        let mut environment = String::new();
        run.output().read_to_string(&mut environment).expect("read");
        let ended = run.finish().expect("ended");
        assert!(!ended.is_late && !ended.is_well);
        assert_eq!(ended.said.len(), KEPT);
        // Not even where to find programs: what a shell sets itself is all there is.
        assert!(!environment.contains("AWS_") && !environment.contains("CARGO"), "{environment}");
    }

    #[test]
    fn an_output_that_nobody_reads_does_not_block_it() {
        let script = "i=0; while [ $i -lt 50000 ]; do echo samples || exit 1; i=$((i+1)); done";
        let mut run = run("/bin/sh", &["-c", script], Duration::from_secs(60));
        drop(run.output());
        assert!(!run.finish().expect("ended").is_late);
    }
}
