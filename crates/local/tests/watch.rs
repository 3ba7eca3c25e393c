//! What operators look at, held against what there is: alarms and their runbooks, dashboards, metrics, dead letters,
//! and what one stack hands to the next.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value as Json;
use yaml_serde::Value as Yaml;

fn root() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A template, by what it declares.
struct Template {
    path: String,
    yaml: Yaml,
}

impl Template {
    fn read(path: &str) -> Self {
        let yaml = yaml_serde::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { path: path.to_owned(), yaml }
    }

    /// `template.yaml` and those of `infra/`.
    fn all() -> Vec<Self> {
        let files = fs::read_dir(root().join("infra")).expect("a folder").map(|entry| entry.expect("an entry").path());
        let stacks = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
        let mut paths: Vec<_> =
            stacks.filter_map(|path| Some(format!("infra/{}", path.file_name()?.to_str()?))).collect();
        paths.push("template.yaml".to_owned());
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn resources(&self, kind: &str) -> BTreeMap<&str, &Yaml> {
        let resources = self.yaml["Resources"].as_mapping().expect("resources");
        let resources = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
        resources.map(|(name, resource)| (name.as_str().expect("a name"), resource)).collect()
    }

    fn has(&self, kind: &str, name: &str) -> bool {
        self.resources(kind).contains_key(name)
    }
}

/// What `!Ref`, `!GetAtt`, `!Sub` or a plain text says.
fn text(value: &Yaml) -> Option<&str> {
    value.as_str()
}

/// The resource that a reference leads to: `Queue` of `Queue.QueueName` and of `${Queue.QueueName}`.
fn resource(reference: &str) -> &str {
    let name = reference.trim_start_matches("${").trim_end_matches('}');
    name.split('.').next().unwrap_or(name)
}

// ---------------------------------------------------------------- runbooks

/// The runbooks in `docs/operate.md`: the headings below "When an alarm calls".
fn runbooks() -> BTreeSet<String> {
    let text = read("docs/operate.md");
    let (_, section) = text.split_once("\n## When an alarm calls\n").expect("the section of runbooks");
    let section = section.split("\n## ").next().unwrap_or(section);
    section.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect()
}

#[test]
fn every_alarm_has_a_runbook_and_every_runbook_an_alarm() {
    let templates = Template::all();
    let mut alarms = BTreeSet::new();
    for template in &templates {
        for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
            let properties = &alarm["Properties"];
            let description = properties["AlarmDescription"].as_str().expect("a description");
            let anchor = format!(" docs/operate.md#{}", name.to_lowercase());
            assert!(description.ends_with(&anchor), "{name} does not say {anchor}");
            assert!(properties.get("AlarmActions").is_some(), "{name} tells nobody");
            assert!(alarms.insert(name.to_owned()), "two alarms are called {name}");
        }
    }
    assert!(alarms.len() >= 20, "found only {alarms:?}");
    assert_eq!(alarms, runbooks());
}

#[test]
fn every_runbook_says_what_it_means_what_to_look_at_and_what_to_do() {
    let text = read("docs/operate.md");
    for name in runbooks() {
        let (_, body) = text.split_once(&format!("\n### {name}\n")).expect("the runbook");
        let body = body.split("\n#").next().unwrap_or(body);
        for part in ["**Means.**", "**Look.**", "**Do.**"] {
            assert!(body.contains(part), "{name} has no {part}");
        }
    }
}

// ---------------------------------------------------------------- metrics

/// A metric as an alarm or a dashboard names it.
#[derive(Debug)]
struct Metric {
    namespace: String,
    name: String,
    dimensions: BTreeMap<String, String>,
}

impl Metric {
    fn of_alarm(properties: &Yaml) -> Self {
        let dimensions = properties.get("Dimensions").and_then(Yaml::as_sequence).into_iter().flatten();
        let dimension = |it: &Yaml| Some((text(&it["Name"])?.to_owned(), text(&it["Value"])?.to_owned()));
        Self {
            namespace: text(&properties["Namespace"]).expect("a namespace").to_owned(),
            name: text(&properties["MetricName"]).expect("a metric").to_owned(),
            dimensions: dimensions.map(|it| dimension(it).expect("a dimension")).collect(),
        }
    }

    /// `["AWS/SQS", "Metric", "QueueName", "…", {…}]`, or an expression that searches.
    fn of_widget(row: &Json) -> Self {
        let row = row.as_array().expect("a row");
        if let Some(expression) = row[0]["expression"].as_str() {
            return Self::searched(expression);
        }
        let words: Vec<_> = row.iter().filter_map(Json::as_str).map(str::to_owned).collect();
        let pairs = words[2..].chunks(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        Self { namespace: words[0].clone(), name: words[1].clone(), dimensions: pairs.collect() }
    }

    /// `SEARCH('{Namespace,Dimension,…} MetricName="…" FunctionName="…"', …)`.
    fn searched(expression: &str) -> Self {
        let schema = between(expression, "SEARCH('{", "}").expect("a schema");
        let (namespace, dimensions) = schema.split_once(',').expect("dimensions");
        let value = |name: &str| between(expression, &format!("{name}=\""), "\"").unwrap_or("any").to_owned();
        Self {
            namespace: namespace.to_owned(),
            name: value("MetricName"),
            dimensions: dimensions.split(',').map(|name| (name.to_owned(), value(name))).collect(),
        }
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

/// All of a folder's Rust code.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all += &fs::read_to_string(&path).expect("a source file");
        }
    }
    all
}

/// The code of the function with this logical id.
fn code_of(template: &Template, function: &str) -> String {
    let functions = template.resources("AWS::Serverless::Function");
    let function = functions.get(function).unwrap_or_else(|| panic!("there is no function {function}"));
    let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary");
    sources(&root().join("functions").join(binary).join("src"))
}

/// Whether this metric is measured by anything.
fn check(template: &Template, metric: &Metric, variables: &BTreeMap<String, String>) {
    let Metric { namespace, name, dimensions } = metric;
    let named = |dimension: &str| {
        let value = dimensions.get(dimension).unwrap_or_else(|| panic!("{metric:?} has no {dimension}"));
        let value = resource(value);
        variables.get(value).cloned().unwrap_or_else(|| value.to_owned())
    };
    let measured = |names: &[&str]| assert!(names.contains(&name.as_str()), "nobody measures {metric:?}");
    match namespace.as_str() {
        "IYAGI" => {
            let code = code_of(template, &named("FunctionName"));
            let kind = dimensions.keys().find(|name| *name != "FunctionName");
            let calls = match kind {
                Some(kind) => vec![format!(".count_kind(\"{name}\", (\"{kind}\"")],
                None => vec![format!(".count(\"{name}\""), format!(".observe(\"{name}\"")],
            };
            assert!(calls.iter().any(|call| code.contains(call)), "the function does not measure {metric:?}");
        }
        "IYAGI/${AWS::StackName}" => {
            let filters = template.resources("AWS::Logs::MetricFilter");
            let made = filters
                .values()
                .any(|filter| filter["Properties"]["MetricTransformations"][0]["MetricName"] == name.as_str());
            assert!(made, "no filter makes {metric:?}");
        }
        "AWS/SQS" => {
            assert!(template.has("AWS::SQS::Queue", &named("QueueName")), "{metric:?}");
            measured(&["ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"]);
        }
        "AWS/Lambda" => {
            assert!(template.has("AWS::Serverless::Function", &named("FunctionName")), "{metric:?}");
            measured(&["ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"]);
        }
        "AWS/DynamoDB" => {
            assert!(template.has("AWS::DynamoDB::Table", &named("TableName")), "{metric:?}");
            let [read, write] = ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"];
            measured(&[read, write, "ReadThrottleEvents", "WriteThrottleEvents"]);
        }
        "AWS/ApiGateway" => {
            assert!(template.has("AWS::ApiGatewayV2::Api", &named("ApiId")), "{metric:?}");
            measured(&["4xx", "5xx", "Count", "IntegrationLatency", "Latency"]);
        }
        "AWS/ES" => {
            assert!(template.has("AWS::OpenSearchService::Domain", &named("DomainName")), "{metric:?}");
            measured(&["ClusterIndexWritesBlocked", "ClusterStatus.red", "FreeStorageSpace", "JVMMemoryPressure"]);
        }
        "AWS/Neptune" => {
            assert!(template.has("AWS::Neptune::DBCluster", &named("DBClusterIdentifier")), "{metric:?}");
            measured(&["CPUUtilization", "MainRequestQueuePendingRequests"]);
        }
        other => panic!("nobody knows {other}: {metric:?}"),
    }
}

#[test]
fn alarms_hear_what_is_measured() {
    for template in Template::all() {
        for alarm in template.resources("AWS::CloudWatch::Alarm").values() {
            check(&template, &Metric::of_alarm(&alarm["Properties"]), &BTreeMap::new());
        }
    }
}

/// A dashboard's body, and which resource each of its own variables stands for.
fn dashboard(properties: &Yaml) -> (Json, BTreeMap<String, String>) {
    let body = &properties["DashboardBody"];
    let mut variables = BTreeMap::new();
    if let Some(map) = body.get(1).and_then(Yaml::as_mapping) {
        for (name, value) in map {
            // !If [Condition, !Ref Function, "what is shown otherwise"]
            let function = value.get(1).and_then(text).expect("a condition");
            variables.insert(name.as_str().expect("a name").to_owned(), function.to_owned());
        }
    }
    let body = text(body).or_else(|| body.get(0).and_then(text)).expect("a body");
    (serde_json::from_str(body).expect("JSON"), variables)
}

#[test]
fn dashboards_show_what_is_measured() {
    let template = Template::read("template.yaml");
    let dashboards = template.resources("AWS::CloudWatch::Dashboard");
    let shown: BTreeSet<_> = dashboards.keys().copied().collect();
    let streams =
        ["ApiDashboard", "PicturesDashboard", "PushDashboard", "SearchDashboard", "SoundDashboard", "StreamDashboard"];
    assert_eq!(shown, BTreeSet::from(streams));
    let mut alarms = BTreeSet::new();
    for dashboard in dashboards.values().map(|resource| dashboard(&resource["Properties"])) {
        let (body, variables) = dashboard;
        for widget in body["widgets"].as_array().expect("widgets") {
            let properties = &widget["properties"];
            for alarm in properties["alarms"].as_array().into_iter().flatten() {
                let name = resource(alarm.as_str().expect("an alarm"));
                assert!(template.has("AWS::CloudWatch::Alarm", name), "there is no alarm {name}");
                alarms.insert(name.to_owned());
            }
            for row in properties["metrics"].as_array().into_iter().flatten() {
                check(&template, &Metric::of_widget(row), &variables);
            }
        }
    }
    let all: BTreeSet<_> = template.resources("AWS::CloudWatch::Alarm").into_keys().map(str::to_owned).collect();
    assert_eq!(alarms, all, "every alarm is on a dashboard");
}

#[test]
fn the_rule_about_metrics_would_notice() {
    let template = Template::read("template.yaml");
    let dimensions = BTreeMap::from([("FunctionName".to_owned(), "${StreamPoller}".to_owned())]);
    let metric =
        |name: &str| Metric { namespace: "IYAGI".to_owned(), name: name.to_owned(), dimensions: dimensions.clone() };
    check(&template, &metric("OldestRecordAge"), &BTreeMap::new());
    let unknown = std::panic::catch_unwind(|| check(&template, &metric("YoungestRecordAge"), &BTreeMap::new()));
    assert!(unknown.is_err());
}

#[test]
fn filters_look_for_lines_that_are_written() {
    let template = Template::read("template.yaml");
    let filters = template.resources("AWS::Logs::MetricFilter");
    assert!(filters.len() >= 5, "found only {:?}", filters.keys());
    for (name, filter) in filters {
        let properties = &filter["Properties"];
        let pattern = text(&properties["FilterPattern"]).expect("a pattern");
        let logs = text(&properties["LogGroupName"]).expect("a log group");
        assert!(template.has("AWS::Logs::LogGroup", logs), "{name}");
        let code = match between(pattern, "$.target = \"", "\"") {
            // crate::module
            Some(target) => {
                let (package, module) = target.split_once("::").expect("a module");
                read(&format!("crates/{package}/src/{}.rs", module.replace("::", "/")))
            }
            None => code_of(&template, logs.trim_end_matches("Logs")),
        };
        // What stands in quotes in the pattern stands so in the code, but for the module.
        let words = pattern.split('"').skip(1).step_by(2).filter(|word| !word.contains("::"));
        for word in words {
            assert!(code.contains(&format!("\"{word}\"")), "{name} looks for {word}, which nobody writes");
        }
    }
}

// ---------------------------------------------------------------- nothing is lost

#[test]
fn every_queue_has_dead_letters_and_an_alarm_for_them() {
    let template = Template::read("template.yaml");
    let queues = template.resources("AWS::SQS::Queue");
    let target = |queue: &Yaml| {
        let target = text(queue["Properties"].get("RedrivePolicy")?.get("deadLetterTargetArn")?)?;
        Some(resource(target).to_owned())
    };
    let dead: BTreeSet<_> =
        queues.keys().filter(|name| name.ends_with("DeadLetters")).map(|name| (*name).to_owned()).collect();
    for (name, queue) in &queues {
        match target(queue) {
            Some(target) => assert!(dead.contains(&target), "{name} sends its dead letters to {target}"),
            None => assert!(dead.contains(*name), "{name} has no dead letters"),
        }
    }
    let watched: BTreeSet<_> = template
        .resources("AWS::CloudWatch::Alarm")
        .values()
        .map(|alarm| Metric::of_alarm(&alarm["Properties"]))
        .filter(|metric| metric.name == "ApproximateNumberOfMessagesVisible")
        .map(|metric| resource(&metric.dimensions["QueueName"]).to_owned())
        .collect();
    assert_eq!(dead, watched);
    for (name, subscription) in template.resources("AWS::SNS::Subscription") {
        assert!(target(subscription).is_some_and(|target| dead.contains(&target)), "{name} has no dead letters");
    }
}

#[test]
fn what_holds_data_outlives_the_stack() {
    let template = Template::read("template.yaml");
    let kinds = ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool"];
    let all: Vec<_> = kinds.iter().flat_map(|kind| template.resources(kind)).collect();
    assert!(all.len() >= 9, "found only {all:?}");
    for (name, resource) in all {
        assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
    }
    for (name, table) in template.resources("AWS::DynamoDB::Table") {
        let recovery = &table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        assert_eq!(*recovery, true, "{name} cannot be brought back");
    }
}

// ---------------------------------------------------------------- nobody may more than they need

/// All statements of policies below `value`, also behind conditions.
fn statements<'a>(value: &'a Yaml, found: &mut Vec<&'a Yaml>) {
    match value {
        Yaml::Tagged(tagged) => statements(&tagged.value, found),
        Yaml::Sequence(items) => items.iter().for_each(|item| statements(item, found)),
        Yaml::Mapping(fields) => {
            if fields.contains_key("Effect") {
                found.push(value);
            }
            fields.values().for_each(|field| statements(field, found));
        }
        _ => {}
    }
}

/// One text or several.
fn texts(value: &Yaml) -> Vec<&str> {
    text(value).map_or_else(|| value.as_sequence().into_iter().flatten().filter_map(text).collect(), |one| vec![one])
}

#[test]
fn policies_name_actions_and_resources() {
    // A key's policy is about that key, which it can only call "*", and its first statement lets the account
    // manage it. Buckets' names do not tell whose they are: there, a condition says which.
    let allowed = [("infra/key.yaml", "kms:*"), ("infra/key.yaml", "*"), ("infra/network.yaml", "*")];
    let mut seen = 0;
    for template in Template::all() {
        let mut found = Vec::new();
        statements(&template.yaml["Resources"], &mut found);
        for statement in found.into_iter().filter(|statement| statement["Effect"] == "Allow") {
            let actions = texts(&statement["Action"]);
            assert!(!actions.is_empty(), "{}: {statement:?}", template.path);
            let actions = actions.into_iter().filter(|action| action.contains('*'));
            let resources = statement.get("Resource").map(texts).unwrap_or_default();
            for star in actions.chain(resources.into_iter().filter(|resource| *resource == "*")) {
                assert!(allowed.contains(&(template.path.as_str(), star)), "{}: {statement:?}", template.path);
            }
            seen += 1;
        }
    }
    assert!(seen >= 50, "found only {seen}");
}

// ---------------------------------------------------------------- one stack after the other

#[test]
fn outputs_are_parameters_of_the_next_stack() {
    let templates = Template::all();
    let mut seen = 0;
    for template in templates.iter().filter(|template| template.path.starts_with("infra/")) {
        for (name, output) in template.yaml["Outputs"].as_mapping().expect("outputs") {
            let description = output["Description"].as_str().expect("a description");
            let (parameter, next) = between(description, "For ", ".yaml")
                .and_then(|of| of.split_once(" of "))
                .unwrap_or_else(|| panic!("{}: {name:?} does not say which parameter it is for", template.path));
            let next = if next == "template" { "template.yaml".to_owned() } else { format!("infra/{next}.yaml") };
            let next = templates.iter().find(|template| template.path == next).unwrap_or_else(|| panic!("no {next}"));
            assert!(next.yaml["Parameters"].get(parameter).is_some(), "{} has no parameter {parameter}", next.path);
            seen += 1;
        }
    }
    assert!(seen >= 12, "found only {seen}");
}

#[test]
fn what_is_written_about_parameters_is_about_parameters() {
    let template = Template::read("template.yaml");
    let parameters = &template.yaml["Parameters"];
    let config = read("samconfig.toml");
    // Also those that are commented out, for whoever deploys to fill in.
    let entries = config.lines().filter_map(|line| line.trim().trim_start_matches("# ").strip_prefix('"'));
    let entries = entries.filter_map(|entry| entry.trim_start_matches('"').split_once('=')).map(|(name, _)| name);
    let page = read("docs/deploy.md");
    let (_, table) = page.split_once("\n## Parameters\n").expect("the section");
    let table = table.split("\n## ").next().unwrap_or(table);
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |")).map(|(names, _)| names);
    let names = rows.flat_map(|names| names.split(", ")).map(|name| name.trim_matches('`'));
    let written: BTreeSet<_> = entries.chain(names).collect();
    assert!(written.len() >= 25, "found only {written:?}");
    for name in written {
        assert!(parameters.get(name).is_some(), "there is no parameter {name}");
    }
}
