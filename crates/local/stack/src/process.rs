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

/// StreamBounds the process if it is there, politely first. `what` says what it is.
pub fn stop(what: &str, id: i32, is_ours: impl Fn(&str) -> bool) -> Result<()> {
    stop_within(Duration::from_secs(10), what, id, is_ours)
}

/// The same, politely for longer.
pub fn stop_within(patience: Duration, what: &str, id: i32, is_ours: impl Fn(&str) -> bool) -> Result<()> {
    let Some(pid) = Pid::from_raw(id).filter(|_| is_alive(id, &is_ours)) else { return Ok(()) };
    kill_process(pid, Signal::TERM).with_context(|| format!("cannot end {what}"))?;
    let deadline = Instant::now() + patience;
    while is_alive(id, &is_ours) {
        if Instant::now() > deadline {
            kill_process(pid, Signal::KILL).with_context(|| format!("cannot end {what}"))?;
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The children of a process of which an argument is as `is_meant` wants it, by their ids.
///
/// # Errors
/// Where there is no `/proc`.
pub fn children(parent: i32, is_meant: impl Fn(&str) -> bool) -> Result<Vec<i32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").context("processes can be listed on Linux only")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if parent_of(pid) == Some(parent) && command_line(pid).is_some_and(|line| line.split('\0').any(&is_meant)) {
            children.push(pid);
        }
    }
    children.sort_unstable();
    Ok(children)
}

/// Kills a process at once; whether it was there.
pub fn kill(pid: i32) -> Result<bool> {
    let Some(pid) = Pid::from_raw(pid) else { return Ok(false) };
    match kill_process(pid, Signal::KILL) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::SRCH) => Ok(false),
        Err(error) => Err(error).context("cannot kill a process"),
    }
}

/// The fourth field of `/proc/<pid>/stat`; the second is a name in parentheses, which may hold anything.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_found_and_killed() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let ours = i32::try_from(std::process::id()).unwrap();
        let found = |parent| children(parent, |argument| argument == "600").unwrap();
        // Between fork and exec it has our arguments.
        while !found(ours).contains(&pid) {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(!found(1).contains(&pid));
        assert!(kill(pid).unwrap());
        assert!(!child.wait().unwrap().success());
        assert!(!kill(pid).unwrap());
    }
}
