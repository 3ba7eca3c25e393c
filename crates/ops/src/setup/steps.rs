//! The commands of a setup.

use super::SetupOptions;

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments. `$NAME` is the value of a parameter or of an output that an earlier command yielded.
    pub words: Vec<String>,
    /// Run if the command fails: it reads what exists already.
    pub or_else: Option<Vec<String>>,
    /// What its output is.
    pub yields: Yields,
}

/// What the output of a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yields {
    /// Nothing that is used.
    Nothing,
    /// The value of a parameter.
    Parameter(&'static str),
    /// Outputs of a stack: lines of a name, a tab and a value.
    Outputs,
    /// The content of a file that only its owner can read.
    File(&'static str),
}

/// Commands that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it prepares.
    pub title: &'static str,
    /// The parameter of template.yaml that it yields last. With a value, the step is done.
    pub parameter: &'static str,
    /// Its commands, in order.
    pub commands: Vec<Command>,
}

/// The steps of a setup of the stack `stack` that are not done. `is_set` tells whether a parameter has a value.
pub fn steps(options: &SetupOptions, stack: &str, is_set: impl Fn(&str) -> bool) -> Vec<Step> {
    let has_key = options.key || is_set("KmsKeyArn");
    let has_alarms = options.alarms.is_some() || is_set("AlarmTopicArn");
    let shared = |with_alarms: bool| {
        let mut overrides = Vec::new();
        overrides.extend(has_key.then(|| "KmsKeyArn=$KmsKeyArn".to_owned()));
        overrides.extend((has_alarms && with_alarms).then(|| "AlarmTopicArn=$AlarmTopicArn".to_owned()));
        overrides
    };
    let network = || {
        let mut overrides = shared(false);
        overrides.extend(options.search_in_vpc.then(|| "SearchInVpc=true".to_owned()));
        deploy(stack, "network", overrides)
    };
    let mut steps = Vec::new();
    if let Some(address) = &options.alarms {
        let topic = format!("aws sns create-topic --name {stack}-alarms --query TopicArn --output text");
        let mut subscribe =
            words("aws sns subscribe --topic-arn $AlarmTopicArn --protocol email --notification-endpoint");
        subscribe.push(address.clone());
        steps.push(step("alarm topic", "AlarmTopicArn", vec![yields(&topic, "AlarmTopicArn"), command(subscribe)]));
    }
    if options.key {
        steps.push(step("key", "KmsKeyArn", deploy(stack, "key", Vec::new()).into()));
    }
    if options.graph {
        steps.push(step("network", "NeptuneSecurityGroupIds", network().into()));
        let mut graph = shared(true);
        graph.extend(["SubnetIds=$NeptuneSubnetIds", "SecurityGroupIds=$GraphSecurityGroupId"].map(str::to_owned));
        let mut commands = vec![outputs(stack, "network")];
        commands.extend(deploy(stack, "graph", graph));
        steps.push(step("graph, about 20 minutes", "NeptuneClusterResourceId", commands));
    }
    if options.search {
        let mut commands = Vec::new();
        let mut search = shared(true);
        if options.search_in_vpc {
            let role = "aws iam create-service-linked-role --aws-service-name opensearchservice.amazonaws.com";
            let exists = "aws iam get-role --role-name AWSServiceRoleForAmazonOpenSearchService";
            commands.push(Command { or_else: Some(words(exists)), ..command(words(role)) });
            // Again, because it may have been deployed before there was search in it.
            commands.extend(network());
            // One instance, in the first subnet.
            search.extend(["SubnetIds=$FirstSubnetId", "SecurityGroupIds=$DomainSecurityGroupId"].map(str::to_owned));
        }
        let [deploy, outputs] = deploy(stack, "search", search);
        commands.push(deploy);
        commands.extend(nori(stack));
        commands.push(outputs);
        steps.push(step("search, about 30 minutes", "OpenSearchDomainArn", commands));
    }
    if let Some(zip) = &options.ffmpeg_layer {
        steps.push(step("ffmpeg layer", "FfmpegLayerArn", layer(stack, &zip.display().to_string())));
    }
    if let Some(account) = &options.push {
        let file = format!("file://{}", account.display());
        let secret = secret(&format!("{stack}-fcm"), &file, "PushCredentialsSecretArn");
        steps.push(step("push credentials", "PushCredentialsSecretArn", vec![secret]));
    }
    if options.delivery {
        let name = format!("{stack}-delivery");
        // The key of an existing secret stays: another deployment may sign with it.
        let read = format!("aws secretsmanager get-secret-value --secret-id {name} --query SecretString --output text");
        let generate = "openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256";
        let commands = vec![
            Command { or_else: Some(words(generate)), yields: Yields::File("delivery.pem"), ..command(words(&read)) },
            secret(&name, "file://delivery.pem", "DeliveryKeySecretArn"),
            yields("openssl pkey -in delivery.pem -pubout", "DeliveryPublicKey"),
            command(words("shred -u delivery.pem")),
        ];
        steps.push(step("delivery key", "DeliveryPublicKey", commands));
    }
    steps.retain(|step| !is_set(step.parameter));
    steps
}

fn step(title: &'static str, parameter: &'static str, commands: Vec<Command>) -> Step {
    Step { title, parameter, commands }
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn command(words: Vec<String>) -> Command {
    Command { words, or_else: None, yields: Yields::Nothing }
}

fn yields(line: &str, parameter: &'static str) -> Command {
    Command { yields: Yields::Parameter(parameter), ..command(words(line)) }
}

/// Associates the plugin nori with the domain. It is a package of OpenSearch Service, one for each engine version.
fn nori(stack: &str) -> [Command; 2] {
    let mut find = words("aws opensearch describe-packages --output text --query");
    find.push(
        "PackageDetailsList[?contains(PackageName, 'nori') && EngineVersion == 'OpenSearch_2.19'] | [0].PackageID"
            .to_owned(),
    );
    let domain = format!("{stack}-search");
    let associate = format!("aws opensearch associate-package --domain-name {domain} --package-id $NoriPackageId");
    // A type error without the association.
    let mut exists =
        words(&format!("aws opensearch list-packages-for-domain --domain-name {domain} --output text --query"));
    exists
        .push("DomainPackageDetailsList[?contains(PackageName, 'nori')] | starts_with([0].PackageID, 'G')".to_owned());
    [
        Command { yields: Yields::Parameter("NoriPackageId"), ..command(find) },
        Command { or_else: Some(exists), ..command(words(&associate)) },
    ]
}

/// Publishes a layer through a bucket: Lambda accepts at most 50 MB directly.
fn layer(stack: &str, zip: &str) -> Vec<Command> {
    let bucket = format!("{stack}-layers-$AccountId");
    let mut put = words(&format!("aws s3api put-object --bucket {bucket} --key ffmpeg.zip --body"));
    put.push(zip.to_owned());
    let publish = format!(
        "aws lambda publish-layer-version --layer-name {stack}-ffmpeg --license-info GPL-3.0-or-later --query \
         LayerVersionArn --output text --content S3Key=ffmpeg.zip,S3Bucket={bucket}"
    );
    vec![
        yields("aws sts get-caller-identity --query Account --output text", "AccountId"),
        Command {
            or_else: Some(words(&format!("aws s3api head-bucket --bucket {bucket}"))),
            ..command(words(&format!("aws s3 mb s3://{bucket}")))
        },
        command(put),
        yields(&publish, "FfmpegLayerArn"),
    ]
}

/// Creates a secret, or gives an existing one a new version.
fn secret(name: &str, file: &str, parameter: &'static str) -> Command {
    let write = |command: &str| {
        let mut words = words(&format!("aws secretsmanager {command} {name} --secret-string"));
        words.push(file.to_owned());
        words.extend(self::words("--query ARN --output text"));
        words
    };
    Command {
        words: write("create-secret --name"),
        or_else: Some(write("put-secret-value --secret-id")),
        yields: Yields::Parameter(parameter),
    }
}

/// Deploys a stack of `infra/` and reads its outputs.
fn deploy(stack: &str, part: &str, overrides: Vec<String>) -> [Command; 2] {
    let mut deploy = words(&format!(
        "aws cloudformation deploy --no-fail-on-empty-changeset --capabilities CAPABILITY_IAM --stack-name {stack}-{part} \
         --template-file infra/{part}.yaml"
    ));
    if !overrides.is_empty() {
        deploy.push("--parameter-overrides".to_owned());
        deploy.extend(overrides);
    }
    [command(deploy), outputs(stack, part)]
}

/// Reads the outputs of a stack of `infra/`.
fn outputs(stack: &str, part: &str) -> Command {
    let line = format!(
        "aws cloudformation describe-stacks --stack-name {stack}-{part} --query Stacks[0].Outputs[].[OutputKey,OutputValue] \
         --output text"
    );
    Command { yields: Yields::Outputs, ..command(words(&line)) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> SetupOptions {
        SetupOptions {
            alarms: Some("on-call@iyagi.example".to_owned()),
            key: true,
            graph: true,
            search: true,
            search_in_vpc: true,
            ffmpeg_layer: Some("ffmpeg layer.zip".into()),
            push: Some("account.json".into()),
            delivery: true,
            ..SetupOptions::default()
        }
    }

    #[test]
    fn steps_are_in_order_and_skip_what_is_done() {
        let titles = |is_set: &dyn Fn(&str) -> bool| -> Vec<&str> {
            steps(&all(), "iyagi", is_set).iter().map(|step| step.title.split(',').next().unwrap_or_default()).collect()
        };
        let expected =
            ["alarm topic", "key", "network", "graph", "search", "ffmpeg layer", "push credentials", "delivery key"];
        assert_eq!(titles(&|_| false), expected);
        assert_eq!(titles(&|name| name != "OpenSearchDomainArn"), ["search"]);
        assert_eq!(titles(&|_| true), [""; 0]);
    }

    #[test]
    fn network_that_is_deployed_gets_search_later() {
        let steps = steps(&all(), "iyagi", |name| name != "OpenSearchDomainArn");
        let lines: Vec<_> = steps[0].commands.iter().map(|command| command.words.join(" ")).collect();
        let at = |text: &str| lines.iter().position(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text}"));
        assert!(lines[at("infra/network.yaml")].contains("SearchInVpc=true"), "{lines:?}");
        assert!(at("infra/network.yaml") < at("infra/search.yaml"), "{lines:?}");
    }

    #[test]
    fn nothing_is_prepared_that_was_not_asked_for() {
        assert_eq!(steps(&SetupOptions::default(), "iyagi", |_| false), []);
    }

    #[test]
    fn every_value_is_yielded_before_it_is_used() {
        let mut known = BTreeSet::from(["FirstSubnetId".to_owned()]);
        for command in steps(&all(), "iyagi", |_| false).iter().flat_map(|step| &step.commands) {
            for used in command.words.iter().filter_map(|word| Some(word.split_once('$')?.1)) {
                assert!(known.contains(used), "{used} is unknown in {:?}", command.words);
            }
            match command.yields {
                Yields::Nothing | Yields::File(_) => {}
                Yields::Parameter(name) => {
                    known.insert(name.to_owned());
                }
                Yields::Outputs => {
                    let stack = command.words.iter().find(|word| word.starts_with("iyagi-")).expect("a stack");
                    known.extend(outputs_of(&stack["iyagi-".len()..]));
                }
            }
        }
    }

    /// Names of the outputs that a template of `infra/` declares.
    fn outputs_of(part: &str) -> Vec<String> {
        let template = match part {
            "key" => include_str!("../../../../infra/key.yaml"),
            "network" => include_str!("../../../../infra/network.yaml"),
            "graph" => include_str!("../../../../infra/graph.yaml"),
            "search" => include_str!("../../../../infra/search.yaml"),
            other => panic!("no template {other}"),
        };
        let template: yaml_serde::Value = yaml_serde::from_str(template).expect("a template");
        let outputs = template["Outputs"].as_mapping().expect("outputs").keys();
        outputs.map(|name| name.as_str().expect("a name").to_owned()).collect()
    }
}
