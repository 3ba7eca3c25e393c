//! Runs commands and shows their progress.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, IsTerminal, Write},
    path::Path,
    process::{Command, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{paths, process};

/// Number of output lines that are shown if a command fails.
const SHOWN_ON_FAILURE: usize = 60;
/// The longest time without a line of output. The longest tests take minutes; a test that hangs would otherwise hold the
/// whole run.
const MAX_SILENCE: Duration = Duration::from_secs(15 * 60);

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
    // Cargo then says how many crates are compiled, of how many, and which are next.
    command.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "110");
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
    let is_progress = |line: &&str| line.trim_start().starts_with("Building [");
    let lines: Vec<&str> = log.split(['\n', '\r']).filter(|line| !is_progress(line)).collect();
    for line in &lines[lines.len().saturating_sub(SHOWN_ON_FAILURE)..] {
        eprintln!("  │ {line}");
    }
    bail!("{title}: {status}; full output: {}", log_path.display())
}

/// Runs `command`, prints its standard output, and passes each line to `inspect`.
pub fn show(title: &str, command: &mut Command, mut inspect: impl FnMut(&str)) -> Result<()> {
    println!("▸ {title}");
    let start = Instant::now();
    let result = read_lines(title, command, |line| {
        println!("{line}");
        inspect(line);
    });
    println!("{} {title} ({:.1} s)", mark(result.is_ok()), start.elapsed().as_secs_f64());
    result
}

/// Like [`show`], but prints the output at the end, for commands that run at the same time as others.
pub fn show_at_end(title: &str, command: &mut Command, mut inspect: impl FnMut(&str)) -> Result<()> {
    println!("▸ {title} (in the background)");
    let (start, mut output) = (Instant::now(), String::new());
    let result = read_lines(title, command, |line| {
        inspect(line);
        output.push_str(line);
        output.push('\n');
    });
    println!("{output}{} {title} ({:.1} s)", mark(result.is_ok()), start.elapsed().as_secs_f64());
    result
}

/// Runs `command` and passes each line of its standard output to `inspect`.
fn read_lines(title: &str, command: &mut Command, inspect: impl FnMut(&str)) -> Result<()> {
    read_lines_within(MAX_SILENCE, title, command, inspect)
}

/// Like [`read_lines`]. Kills the command and its descendants if it prints nothing for `silence`.
fn read_lines_within(
    silence: Duration,
    title: &str,
    command: &mut Command,
    mut inspect: impl FnMut(&str),
) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let output = child.stdout.take().context("the command has no output")?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            // The receiver is gone if the command was killed.
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    loop {
        match lines.recv_timeout(silence) {
            Ok(line) => inspect(&line?),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                process::kill_tree(i32::try_from(child.id())?)?;
                child.wait()?;
                bail!("{title}: no output for {} s, the last test above hangs", silence.as_secs());
            }
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{title}: {status}");
    }
    Ok(())
}

/// Number of running status lines.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// A status line. On a terminal it is updated in place; elsewhere, a line is printed every 15 seconds.
struct Progress {
    title: String,
    in_place: bool,
    start: Instant,
    updated: Duration,
}

impl Progress {
    fn start(title: &str) -> Self {
        // Two status lines cannot share one line of a terminal.
        let in_place = RUNNING.fetch_add(1, Ordering::Relaxed) == 0 && io::stdout().is_terminal();
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
        RUNNING.fetch_sub(1, Ordering::Relaxed);
        let start = if self.in_place { "\r\x1b[K" } else { "" };
        println!("{start}{} {} ({:.1} s)", mark(success), self.title, self.start.elapsed().as_secs_f64());
    }
}

/// The mark of a command that has ended.
fn mark(success: bool) -> char {
    if success { '✓' } else { '✗' }
}

fn truncate(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

fn last_line(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.rsplit(['\n', '\r']).map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_command_is_killed_with_its_children() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo started; sleep 601; echo ended"]);
        let mut lines = Vec::new();
        let result = read_lines_within(Duration::from_millis(200), "silent", &mut command, |line| {
            lines.push(line.to_owned());
        });
        assert_eq!(lines, ["started"]);
        assert!(result.unwrap_err().to_string().contains("no output"), "the error says why");
    }

    #[test]
    fn command_that_fails_is_an_error_after_its_output() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        let result =
            read_lines("failing", command.args(["-c", "echo one; exit 3"]), |line| lines.push(line.to_owned()));
        assert_eq!(lines, ["one"]);
        assert!(result.is_err());
    }
}
