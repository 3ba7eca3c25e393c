//! Progress while something takes its time.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, IsTerminal, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::paths;

/// Lines of a failed command's output that are shown.
const SHOWN_ON_FAILURE: usize = 60;

/// Runs `command` and says what it is, how long it takes, and what it last said. Its output goes
/// to a log file, whose end is shown if it fails.
pub fn run(what: &str, command: &mut Command) -> Result<()> {
    let slug: String =
        what.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let log_path = paths::workdir().join("logs").join(format!("{slug}.log"));
    if let Some(folder) = log_path.parent() {
        fs::create_dir_all(folder)?;
    }
    let log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let start = Instant::now();
    let mut progress = Progress::start(what);
    let mut child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(100));
        progress.tick(start.elapsed(), || last_line(&log_path));
    };
    if status.success() {
        progress.done(start.elapsed());
        return Ok(());
    }
    progress.failed(start.elapsed());
    let log = fs::read_to_string(&log_path).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    for line in &lines[lines.len().saturating_sub(SHOWN_ON_FAILURE)..] {
        eprintln!("  │ {line}");
    }
    bail!("{what}: {status}; the whole output is in {}", log_path.display())
}

/// Runs `command` with its output shown, and hands each line of its standard output to `look`.
pub fn show(what: &str, command: &mut Command, mut look: impl FnMut(&str)) -> Result<()> {
    println!("▸ {what}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            look(&line);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{what}: {status}");
    }
    Ok(())
}

/// One line that says what is going on: on a terminal kept up to date in place, elsewhere repeated
/// now and then.
struct Progress {
    what: String,
    in_place: bool,
    shown: Duration,
}

impl Progress {
    fn start(what: &str) -> Self {
        let in_place = io::stdout().is_terminal();
        if in_place {
            print!("▸ {what}");
            let _ = io::stdout().flush();
        } else {
            println!("▸ {what}");
        }
        Self { what: what.to_owned(), in_place, shown: Duration::ZERO }
    }

    fn tick(&mut self, elapsed: Duration, last_line: impl FnOnce() -> String) {
        let pause = if self.in_place { Duration::from_secs(1) } else { Duration::from_secs(15) };
        if elapsed - self.shown < pause {
            return;
        }
        self.shown = elapsed;
        let seconds = elapsed.as_secs();
        if self.in_place {
            print!("\r\x1b[K▸ {} ({seconds} s) {}", self.what, cut(&last_line(), 60));
            let _ = io::stdout().flush();
        } else {
            println!("  … {seconds} s: {}", cut(&last_line(), 120));
        }
    }

    fn done(&self, elapsed: Duration) {
        self.end("✓", elapsed);
    }

    fn failed(&self, elapsed: Duration) {
        self.end("✗", elapsed);
    }

    fn end(&self, mark: &str, elapsed: Duration) {
        let start = if self.in_place { "\r\x1b[K" } else { "" };
        println!("{start}{mark} {} ({:.1} s)", self.what, elapsed.as_secs_f64());
    }
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

fn last_line(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}
