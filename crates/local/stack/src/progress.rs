//! Runs commands and shows their progress.

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

/// Number of output lines that are shown if a command fails.
const SHOWN_ON_FAILURE: usize = 60;

/// Runs `command` and shows `title`, the elapsed time and the last line of its output. The output goes to a log file; if
/// the command fails, the end of the log is shown.
pub fn run(title: &str, command: &mut Command) -> Result<()> {
    let slug: String =
        title.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let log_path = paths::workdir().join("logs").join(format!("{slug}.log"));
    if let Some(folder) = log_path.parent() {
        fs::create_dir_all(folder)?;
    }
    let log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut progress = Progress::start(title);
    let mut child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(100));
        progress.update(|| last_line(&log_path));
    };
    progress.finish(status.success());
    if status.success() {
        return Ok(());
    }
    let log = fs::read_to_string(&log_path).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    for line in &lines[lines.len().saturating_sub(SHOWN_ON_FAILURE)..] {
        eprintln!("  │ {line}");
    }
    bail!("{title}: {status}; full output: {}", log_path.display())
}

/// Runs `command`, prints its standard output, and passes each line to `inspect`.
pub fn show(title: &str, command: &mut Command, mut inspect: impl FnMut(&str)) -> Result<()> {
    println!("▸ {title}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            inspect(&line);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{title}: {status}");
    }
    Ok(())
}

/// A status line. On a terminal it is updated in place; elsewhere, a line is printed every 15 seconds.
struct Progress {
    title: String,
    in_place: bool,
    start: Instant,
    updated: Duration,
}

impl Progress {
    fn start(title: &str) -> Self {
        let in_place = io::stdout().is_terminal();
        if in_place {
            print!("▸ {title}");
            let _ = io::stdout().flush();
        } else {
            println!("▸ {title}");
        }
        Self { title: title.to_owned(), in_place, start: Instant::now(), updated: Duration::ZERO }
    }

    fn update(&mut self, last_line: impl FnOnce() -> String) {
        let interval = if self.in_place { Duration::from_secs(1) } else { Duration::from_secs(15) };
        let elapsed = self.start.elapsed();
        if elapsed - self.updated < interval {
            return;
        }
        self.updated = elapsed;
        let seconds = elapsed.as_secs();
        if self.in_place {
            print!("\r\x1b[K▸ {} ({seconds} s) {}", self.title, truncate(&last_line(), 60));
            let _ = io::stdout().flush();
        } else {
            println!("  … {seconds} s: {}", truncate(&last_line(), 120));
        }
    }

    fn finish(&self, success: bool) {
        let start = if self.in_place { "\r\x1b[K" } else { "" };
        let mark = if success { "✓" } else { "✗" };
        println!("{start}{mark} {} ({:.1} s)", self.title, self.start.elapsed().as_secs_f64());
    }
}

fn truncate(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

fn last_line(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}
