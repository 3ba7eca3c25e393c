//! Priorities of processes that compute while others wait for answers within time limits.

use std::process::Command;

/// Niceness of a build for AWS. It ends with one long step on one core, so it comes before computing tests.
pub const BUILD: u8 = 5;
/// Niceness of tests that only compute. They use what the others leave.
pub const COMPUTING_TESTS: u8 = 15;

/// The same command with a niceness between 0 and 19.
pub fn with_niceness(niceness: u8, command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.arg("-n").arg(niceness.to_string()).arg(command.get_program()).args(command.get_args());
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
    fn nice_command_is_the_same_command() {
        let mut command = Command::new("sh");
        command.args(["-c", "printf '%s %s %s' \"$A\" \"$PWD\" \"$(nice)\""]).env("A", "1").env_remove("B");
        let output = with_niceness(COMPUTING_TESTS, command.current_dir("/")).output().expect("nice");
        let text = String::from_utf8(output.stdout).expect("text");
        let niceness = text.strip_prefix("1 / ").expect("variable and folder");
        assert!(niceness.parse::<u8>().expect("a number") >= COMPUTING_TESTS, "{text}");
    }
}
