//! Runs or prints the commands of a setup.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command as Process, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
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
    /// The environment of samconfig.toml.
    #[serde(skip)]
    config_env: String,
}

/// A step: what it prepares, and its commands as lines of a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetupStep {
    title: &'static str,
    lines: Vec<String>,
}

/// Where and how commands run.
#[derive(Debug, Default)]
struct Shell {
    /// The folder of the configuration, which the commands' paths are relative to.
    folder: PathBuf,
    /// The program for `aws`.
    aws: PathBuf,
    endpoint_url: Option<String>,
    /// Region and credentials.
    environment: Vec<(&'static str, String)>,
}

impl Shell {
    async fn new(config: &SdkConfig, options: &SetupOptions) -> Result<Self> {
        let folder = options.config_file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut environment = Vec::new();
        if let Some(provider) = config.credentials_provider().filter(|_| options.apply) {
            let credentials = provider.provide_credentials().await.context("set credentials")?;
            environment.extend([
                ("AWS_ACCESS_KEY_ID", credentials.access_key_id().to_owned()),
                ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key().to_owned()),
            ]);
            environment.extend(credentials.session_token().map(|token| ("AWS_SESSION_TOKEN", token.to_owned())));
        }
        // Version 1 of the AWS CLI reads the second name only.
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        environment.extend(["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| (name, region.clone())));
        Ok(Self {
            folder: folder.unwrap_or(Path::new(".")).to_owned(),
            aws: options.aws_cli.clone(),
            endpoint_url: config.endpoint_url().map(str::to_owned),
            environment,
        })
    }

    fn process(&self, program: &str) -> Process {
        let mut process = Process::new(if program == "aws" { self.aws.as_path() } else { Path::new(program) });
        process.current_dir(&self.folder).envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(url) = self.endpoint_url.as_ref().filter(|_| program == "aws") {
            process.args(["--endpoint-url", url]);
        }
        process
    }
}

/// Runs the missing steps, or with a dry run returns their commands.
///
/// # Errors
/// If no part is selected, the configuration is invalid or a command fails. What has succeeded is in the configuration, so that the same call
/// continues.
pub async fn setup(stack: &str, sdk: &SdkConfig, options: &SetupOptions) -> Result<SetupReport> {
    ensure!(
        options.selects_a_part(),
        "name the parts to prepare: --alarms ADDRESS, --key, --graph, --search, --ffmpeg-layer FILE, --push FILE, --delivery"
    );
    let file = &options.config_file;
    let mut config = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut values = Deployment::parse(&config, &options.config_env)?.parameters;
    let is_set = |name: &str| values.get(name).is_some_and(|value| !value.is_empty());
    let missing = steps(options, stack, is_set);
    let shell = Shell::new(sdk, options).await?;
    for command in missing.iter().filter(|_| options.apply).flat_map(|step| &step.commands) {
        for (name, value) in run(command, &values, &shell)? {
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
    let steps = missing.iter().map(lines).collect();
    Ok(SetupReport { applied: options.apply, steps, config_env: options.config_env.clone() })
}

/// Whether the template declares the parameter `name`. Resources can have the names of outputs.
fn is_parameter(name: &str) -> bool {
    let parameters = TEMPLATE.split("\nParameters:").nth(1).and_then(|rest| rest.split("\nMappings:").next());
    parameters.is_some_and(|parameters| parameters.contains(&format!("\n  {name}:\n")))
}

/// Runs a command; returns the names and values that it yields.
fn run(command: &Command, values: &BTreeMap<String, String>, shell: &Shell) -> Result<Vec<(String, String)>> {
    let line = line(&command.words);
    let mut attempts = std::iter::once(&command.words).chain(&command.or_else);
    let output = attempts.try_fold(None, |done: Option<String>, words| match done {
        Some(output) => Ok::<_, anyhow::Error>(Some(output)),
        None => execute(words, values, shell),
    });
    let output = output?.with_context(|| format!("failed: {line}"))?;
    if let Yields::File(name) = command.yields {
        write_private(&shell.folder.join(name), &output).with_context(|| format!("cannot write {name}"))?;
    }
    yielded(command.yields, &output).with_context(|| format!("the output of: {line}"))
}

/// Writes a file that only its owner can read, in place of one that exists.
fn write_private(path: &Path, content: &str) -> Result<()> {
    if path.exists() {
        fs::remove_file(path)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(path)?.write_all(content.as_bytes())?)
}

/// The output of a program; `None` if it fails. Its error is on the standard error of this process.
fn execute(words: &[String], values: &BTreeMap<String, String>, shell: &Shell) -> Result<Option<String>> {
    let words = words.iter().map(|word| substituted(word, values)).collect::<Result<Vec<_>>>()?;
    let [program, arguments @ ..] = words.as_slice() else { bail!("an empty command") };
    eprintln!("$ {}", line(&words));
    let output = shell.process(program).args(arguments).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start {program}"))?;
    Ok(output.status.success().then(|| String::from_utf8(output.stdout)).transpose()?)
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
        Yields::Nothing | Yields::File(_) => Ok(Vec::new()),
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

/// The commands as a shell takes them: what one yields is a variable for those behind it.
fn lines(step: &Step) -> SetupStep {
    let lines = step.commands.iter().map(|command| {
        let line = match &command.or_else {
            Some(or_else) => format!("{} || {}", line(&command.words), line(or_else)),
            None => line(&command.words),
        };
        match command.yields {
            Yields::Nothing => line,
            Yields::Parameter(name) => format!("{name}=$({line})"),
            Yields::File(name) => format!("(umask 077; {line}) > {name}"),
            Yields::Outputs => format!("{line}    # each output is the variable of its name below"),
        }
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
        let lines = || self.steps.iter().flat_map(|step| &step.lines);
        if !self.applied && lines().any(|line| line.contains("$FirstSubnetId")) {
            writeln!(f, "# FirstSubnetId is the first of NeptuneSubnetIds")?;
        }
        match (self.steps.len(), self.applied) {
            (0, _) => write!(f, "Nothing is missing: samconfig.toml has the parameters of all parts that you named."),
            (count, true) => write!(
                f,
                "Steps done: {count}. samconfig.toml has their parameters; next: cargo xtask ops preflight --config-env {}",
                self.config_env
            ),
            (count, false) => write!(
                f,
                "Steps missing: {count}. Nothing was changed. The same command with --apply runs these lines and writes the \
                 parameters into [{}] of samconfig.toml",
                self.config_env
            ),
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

    fn shell() -> Shell {
        Shell { folder: ".".into(), ..Shell::default() }
    }

    #[test]
    fn outputs_and_values_become_parameters() {
        let values = BTreeMap::from([("A".to_owned(), "b c".to_owned())]);
        let commands = step(&[("echo x=$A", Yields::Parameter("B"))]);
        assert_eq!(run(&commands[0], &values, &shell()).expect("output"), [("B".to_owned(), "x=b c".to_owned())]);
        let outputs = yielded(Yields::Outputs, "A\tb\nC\td,e\n").expect("outputs");
        assert_eq!(outputs, [("A".to_owned(), "b".to_owned()), ("C".to_owned(), "d,e".to_owned())]);
        assert!(yielded(Yields::Parameter("A"), " \n").is_err());
        assert!(run(&step(&[("echo $C", Yields::Nothing)])[0], &values, &shell()).is_err());
        assert!(run(&step(&[("false", Yields::Nothing)])[0], &values, &shell()).is_err());
    }

    #[test]
    fn file_replaces_one_that_exists_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.pem");
        fs::write(&path, "of an earlier setup that is longer").expect("a file");
        let shell = Shell { folder: folder.path().to_owned(), ..Shell::default() };
        let commands = step(&[("echo key", Yields::File("key.pem"))]);
        assert_eq!(run(&commands[0], &BTreeMap::new(), &shell).expect("output"), []);
        assert_eq!(fs::read_to_string(&path).expect("a file"), "key\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn failed_command_is_replaced_by_what_reads_the_existing() {
        let mut commands = step(&[("false", Yields::Parameter("A"))]);
        commands[0].or_else = Some(vec!["echo".to_owned(), "there".to_owned()]);
        let yielded = run(&commands[0], &BTreeMap::new(), &shell()).expect("output");
        assert_eq!(yielded, [("A".to_owned(), "there".to_owned())]);
    }

    #[tokio::test]
    async fn dry_run_prints_lines_of_a_shell_and_changes_nothing() {
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
        let report = setup("iyagi", &SdkConfig::builder().build(), &options).await.expect("a report").to_string();
        let line = "PushCredentialsSecretArn=$(aws secretsmanager create-secret --name iyagi-fcm --secret-string \
                    'file://an account.json'";
        assert!(report.contains(line), "{report}");
        assert!(report.contains("Steps missing: 1. Nothing was changed."), "{report}");
        assert_eq!(fs::read_to_string(&config_file).expect("a file"), config);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[tokio::test]
    async fn setup_of_no_part_says_which_there_are() {
        let error =
            setup("iyagi", &SdkConfig::builder().build(), &SetupOptions::default()).await.expect_err("an error");
        assert!(error.to_string().contains("--graph"), "{error}");
    }

    #[test]
    fn only_parameters_of_the_template_are_written() {
        assert!(is_parameter("KmsKeyArn") && is_parameter("NeptuneSubnetIds") && is_parameter("DeliveryPublicKey"));
        assert!(!is_parameter("GraphSecurityGroupId") && !is_parameter("ThumbnailQueue"));
    }
}
