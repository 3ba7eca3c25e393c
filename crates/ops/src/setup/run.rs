//! Runs or prints the commands of a setup.

use std::{collections::BTreeMap, fmt, fs, process::Command as Process};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use super::{
    SetupOptions,
    steps::{Command, Step, Yields, steps},
};
use crate::samconfig::{Deployment, with_parameter};

/// The template that has the parameters.
const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// The result of `setup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SetupReport {
    /// Whether the commands were run.
    pub applied: bool,
    /// The steps that were not done before.
    pub steps: Vec<SetupStep>,
}

/// A step: what it prepares, and its commands as lines of a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetupStep {
    title: &'static str,
    lines: Vec<String>,
}

/// Runs the missing steps, or with a dry run returns their commands.
///
/// # Errors
/// If the configuration is invalid or a command fails. What has succeeded is in the configuration, so that the same call
/// continues.
pub fn setup(stack: &str, endpoint_url: Option<&str>, options: &SetupOptions) -> Result<SetupReport> {
    let file = &options.config_file;
    let mut config = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut values = Deployment::parse(&config, &options.config_env)?.parameters;
    let is_set = |name: &str| values.get(name).is_some_and(|value| !value.is_empty());
    let missing = steps(options, stack, is_set);
    for command in missing.iter().filter(|_| options.apply).flat_map(|step| &step.commands) {
        for (name, value) in run(command, &values, endpoint_url)? {
            if is_parameter(&name) {
                config = with_parameter(&config, &options.config_env, &name, &value)?;
            }
            if let Some(first) = value.split(',').next().filter(|_| name == "NeptuneSubnetIds") {
                values.insert("FirstSubnetId".to_owned(), first.to_owned());
            }
            values.insert(name, value);
        }
        fs::write(file, &config)?;
    }
    Ok(SetupReport { applied: options.apply, steps: missing.iter().map(lines).collect() })
}

/// Whether the template declares the parameter `name`. Resources can have the names of outputs.
fn is_parameter(name: &str) -> bool {
    let parameters = TEMPLATE.split("\nParameters:").nth(1).and_then(|rest| rest.split("\nMappings:").next());
    parameters.is_some_and(|parameters| parameters.contains(&format!("\n  {name}:\n")))
}

/// Runs a command; returns the names and values that it yields.
fn run(
    command: &Command,
    values: &BTreeMap<String, String>,
    endpoint_url: Option<&str>,
) -> Result<Vec<(String, String)>> {
    let line = line(&command.words);
    // The output of a program that fails is on its standard error.
    let output = match execute(&command.words, values, endpoint_url)? {
        (true, output) => output,
        (false, _) => match &command.or_else {
            Some(words) => match execute(words, values, endpoint_url)? {
                (true, output) => output,
                (false, _) => bail!("failed: {line}"),
            },
            None => bail!("failed: {line}"),
        },
    };
    yielded(command.yields, &output).with_context(|| format!("the output of: {line}"))
}

fn execute(words: &[String], values: &BTreeMap<String, String>, endpoint_url: Option<&str>) -> Result<(bool, String)> {
    let words = words.iter().map(|word| substituted(word, values)).collect::<Result<Vec<_>>>()?;
    let [program, arguments @ ..] = words.as_slice() else { bail!("an empty command") };
    eprintln!("$ {}", line(&words));
    let mut process = Process::new(program);
    process.args(arguments);
    if let Some(url) = endpoint_url.filter(|_| program == "aws") {
        process.args(["--endpoint-url", url]);
    }
    let output =
        process.stderr(std::process::Stdio::inherit()).output().with_context(|| format!("cannot start {program}"))?;
    Ok((output.status.success(), String::from_utf8(output.stdout)?))
}

/// A word with the values of its `$NAME` at the end.
fn substituted(word: &str, values: &BTreeMap<String, String>) -> Result<String> {
    match word.split_once('$') {
        None => Ok(word.to_owned()),
        Some((start, name)) => {
            Ok(format!("{start}{}", values.get(name).with_context(|| format!("{name} has no value yet"))?))
        }
    }
}

fn yielded(yields: Yields, output: &str) -> Result<Vec<(String, String)>> {
    match yields {
        Yields::Nothing => Ok(Vec::new()),
        Yields::Parameter(name) => {
            ensure!(!output.trim().is_empty(), "it is empty");
            Ok(vec![(name.to_owned(), output.trim().to_owned())])
        }
        Yields::Outputs => {
            let pair = |line: &str| {
                let (name, value) = line.split_once('\t').context("it is not a name and a value")?;
                Ok((name.to_owned(), value.trim().to_owned()))
            };
            output.lines().filter(|line| !line.trim().is_empty()).map(pair).collect()
        }
    }
}

fn lines(step: &Step) -> SetupStep {
    let lines = step.commands.iter().map(|command| match &command.or_else {
        Some(or_else) => format!("{} || {}", line(&command.words), line(or_else)),
        None => line(&command.words),
    });
    SetupStep { title: step.title, lines: lines.collect() }
}

/// A command as a line of a shell.
fn line(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,$".contains(c);
        if word.chars().all(is_plain) { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

impl fmt::Display for SetupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for SetupStep { title, lines } in &self.steps {
            writeln!(f, "# {title}")?;
            lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        }
        match (self.steps.len(), self.applied) {
            (0, _) => write!(f, "Nothing is missing of what was asked for."),
            (count, true) => write!(f, "{count} steps are done, and samconfig.toml has their parameters."),
            (count, false) => write!(f, "{count} steps; run them with --apply"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(lines: &[(&str, Yields)]) -> Vec<Command> {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect();
        lines.iter().map(|(line, yields)| Command { words: words(line), or_else: None, yields: *yields }).collect()
    }

    #[test]
    fn outputs_and_values_become_parameters() {
        let values = BTreeMap::from([("A".to_owned(), "b c".to_owned())]);
        let commands = step(&[("echo x=$A", Yields::Parameter("B"))]);
        assert_eq!(run(&commands[0], &values, None).expect("output"), [("B".to_owned(), "x=b c".to_owned())]);
        let outputs = yielded(Yields::Outputs, "A\tb\nC\td,e\n").expect("outputs");
        assert_eq!(outputs, [("A".to_owned(), "b".to_owned()), ("C".to_owned(), "d,e".to_owned())]);
        assert!(yielded(Yields::Parameter("A"), " \n").is_err());
        assert!(run(&step(&[("echo $C", Yields::Nothing)])[0], &values, None).is_err());
        assert!(run(&step(&[("false", Yields::Nothing)])[0], &values, None).is_err());
    }

    #[test]
    fn failed_command_is_replaced_by_what_reads_the_existing() {
        let mut commands = step(&[("false", Yields::Parameter("A"))]);
        commands[0].or_else = Some(vec!["echo".to_owned(), "there".to_owned()]);
        let yielded = run(&commands[0], &BTreeMap::new(), None).expect("output");
        assert_eq!(yielded, [("A".to_owned(), "there".to_owned())]);
    }

    #[test]
    fn dry_run_prints_lines_of_a_shell_and_changes_nothing() {
        let folder = std::env::temp_dir().join(format!("setup-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let config_file = folder.join("samconfig.toml");
        let config = include_str!("../../../../samconfig.toml");
        fs::write(&config_file, config).expect("a file");
        let options = SetupOptions {
            config_env: "production".to_owned(),
            config_file: config_file.clone(),
            push: Some("an account.json".into()),
            ..SetupOptions::default()
        };
        let report = setup("iyagi", None, &options).expect("a report").to_string();
        let line = "aws secretsmanager create-secret --name iyagi-fcm --secret-string 'file://an account.json'";
        assert!(report.contains(line), "{report}");
        assert_eq!(fs::read_to_string(&config_file).expect("a file"), config);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn only_parameters_of_the_template_are_written() {
        assert!(is_parameter("KmsKeyArn") && is_parameter("NeptuneSubnetIds") && is_parameter("DeliveryPublicKey"));
        assert!(!is_parameter("GraphSecurityGroupId") && !is_parameter("ThumbnailQueue"));
    }
}
