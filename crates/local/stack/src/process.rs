//! Processes that can outlive the command that started them.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// Whether the process runs and one of its arguments satisfies `is_ours`. The second condition guards against reused
/// process ids.
pub fn is_alive(pid: i32, is_ours: impl Fn(&str) -> bool) -> bool {
    let exists = Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok());
    exists && command_line(pid).is_some_and(|line| line.split(['\0', ' ']).any(is_ours))
}

/// Stops the process with SIGTERM, and with SIGKILL after ten seconds. `name` is for messages.
pub fn stop(name: &str, id: i32, is_ours: impl Fn(&str) -> bool) -> Result<()> {
    stop_within(Duration::from_secs(10), name, id, is_ours)
}

/// Stops the process with SIGTERM, and with SIGKILL after `timeout`. `name` is for messages.
pub fn stop_within(timeout: Duration, name: &str, id: i32, is_ours: impl Fn(&str) -> bool) -> Result<()> {
    let Some(pid) = Pid::from_raw(id).filter(|_| is_alive(id, &is_ours)) else { return Ok(()) };
    kill_process(pid, Signal::TERM).with_context(|| format!("cannot stop {name}"))?;
    let deadline = Instant::now() + timeout;
    while is_alive(id, &is_ours) {
        if Instant::now() > deadline {
            kill_process(pid, Signal::KILL).with_context(|| format!("cannot stop {name}"))?;
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The ids of a process's children of which an argument satisfies `matches`, sorted.
///
/// # Errors
/// If there is no `/proc`.
pub fn children(parent: i32, matches: impl Fn(&str) -> bool) -> Result<Vec<i32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").context("listing processes requires Linux")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if parent_of(pid) == Some(parent) && command_line(pid).is_some_and(|line| line.split('\0').any(&matches)) {
            children.push(pid);
        }
    }
    children.sort_unstable();
    Ok(children)
}

/// Kills a process and its descendants with SIGKILL.
///
/// # Errors
/// If there is no `/proc`, or if a process of another user is among them.
pub fn kill_tree(pid: i32) -> Result<()> {
    let children = children(pid, |_| true)?;
    // First the parent, which could otherwise start more children.
    kill(pid)?;
    children.into_iter().try_for_each(kill_tree)
}

/// Kills a process with SIGKILL. Returns whether it existed.
pub fn kill(pid: i32) -> Result<bool> {
    let Some(pid) = Pid::from_raw(pid) else { return Ok(false) };
    match kill_process(pid, Signal::KILL) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::SRCH) => Ok(false),
        Err(error) => Err(error).context("cannot kill the process"),
    }
}

/// The fourth field of `/proc/<pid>/stat`. The second field is a name in parentheses that can contain any character.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

/// The command line of a process. A zombie process has none.
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
    fn child_process_is_found_and_killed() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let ours = i32::try_from(std::process::id()).unwrap();
        let found = |parent| children(parent, |argument| argument == "600").unwrap();
        // Between fork and exec the child has this process's arguments.
        while !found(ours).contains(&pid) {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(!found(1).contains(&pid));
        assert!(kill(pid).unwrap());
        assert!(!child.wait().unwrap().success());
        assert!(!kill(pid).unwrap());
    }

    #[test]
    fn descendants_are_killed_with_their_parent() {
        let mut child = Command::new("sh").args(["-c", "sleep 602; true"]).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let grandchildren = || children(pid, |argument| argument == "602").unwrap();
        while grandchildren().is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        let grandchild = grandchildren()[0];
        kill_tree(pid).unwrap();
        assert!(!child.wait().unwrap().success());
        // A killed process has no command line, even before its new parent reaps it.
        while is_alive(grandchild, |argument| argument == "602") {
            thread::sleep(Duration::from_millis(5));
        }
    }
}
