//! How tests share the cores.

use std::{num::NonZero, process::Command, thread};

/// Contract and end-to-end tests that run at the same time, at least. They mostly wait for queues, so libtest's number, that
/// of the cores, leaves a small machine idle.
const WAITING_TESTS: usize = 4;

/// Lets tests that wait overlap.
pub fn overlap(tests: &mut Command) {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    tests.env("RUST_TEST_THREADS", cores.max(WAITING_TESTS).to_string());
}

/// The same command with a low priority, for tests that only compute: others wait for answers within time limits.
pub fn low_priority(command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.args(["-n", "10"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        nice.current_dir(folder);
    }
    nice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_of_low_priority_is_the_same_command() {
        let mut command = Command::new("sh");
        command.args(["-c", "printf '%s %s %s' \"$A\" \"$PWD\" \"$(nice)\""]).env("A", "1").env_remove("B");
        let output = low_priority(command.current_dir("/")).output().expect("nice");
        let text = String::from_utf8(output.stdout).expect("text");
        let priority = text.strip_prefix("1 / ").expect("variable and folder");
        assert!(priority.parse::<u8>().expect("a number") >= 10, "{text}");
    }
}
