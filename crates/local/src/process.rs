//! Processes that may outlive the command that started them.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// Whether the process is there and one of its arguments is as `is_ours` wants it: process ids are
/// used again.
pub fn is_alive(pid: i32, is_ours: impl Fn(&str) -> bool) -> bool {
    let exists = Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok());
    exists && command_line(pid).is_some_and(|line| line.split(['\0', ' ']).any(is_ours))
}

/// Ends the process if it is there, politely first. `what` says what it is.
pub fn stop(what: &str, id: i32, is_ours: impl Fn(&str) -> bool) -> Result<()> {
    let Some(pid) = Pid::from_raw(id).filter(|_| is_alive(id, &is_ours)) else { return Ok(()) };
    kill_process(pid, Signal::TERM).with_context(|| format!("cannot end {what}"))?;
    let deadline = Instant::now() + Duration::from_secs(10);
    while is_alive(id, &is_ours) {
        if Instant::now() > deadline {
            kill_process(pid, Signal::KILL).with_context(|| format!("cannot end {what}"))?;
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The command line of a process; a child of ours that has ended has none any more.
fn command_line(pid: i32) -> Option<String> {
    let bytes = if cfg!(target_os = "linux") {
        fs::read(format!("/proc/{pid}/cmdline")).ok()?
    } else {
        Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output().ok()?.stdout
    };
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
