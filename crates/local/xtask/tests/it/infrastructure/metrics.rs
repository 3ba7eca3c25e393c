//! The metrics in alarms and dashboards, and the code that emits them.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value as Json;
use yaml_serde::Value as Yaml;

use super::template::{Template, between, resource, root, text};

/// A metric in an alarm or a dashboard.
#[derive(Debug)]
pub struct Metric {
    pub namespace: String,
    pub name: String,
    pub dimensions: BTreeMap<String, String>,
}

impl Metric {
    pub fn of_alarm(properties: &Yaml) -> Self {
        let dimensions = properties.get("Dimensions").and_then(Yaml::as_sequence).into_iter().flatten();
        // !If [Condition, value, "another value"]
        let value = |value: &Yaml| text(value).or_else(|| text(value.get(1)?)).map(str::to_owned);
        let dimension = |it: &Yaml| Some((text(&it["Name"])?.to_owned(), value(&it["Value"])?));
        Self {
            namespace: text(&properties["Namespace"]).expect("a namespace").to_owned(),
            name: text(&properties["MetricName"]).expect("a metric").to_owned(),
            dimensions: dimensions.map(|it| dimension(it).expect("a dimension")).collect(),
        }
    }

    /// Parses `["AWS/SQS", "Metric", "QueueName", "…", {…}]`, or a search expression.
    pub fn of_widget(row: &Json) -> Self {
        let row = row.as_array().expect("a row");
        if let Some(expression) = row[0]["expression"].as_str() {
            return Self::from_search(expression);
        }
        let words: Vec<_> = row.iter().filter_map(Json::as_str).map(str::to_owned).collect();
        let pairs = words[2..].chunks(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        Self { namespace: words[0].clone(), name: words[1].clone(), dimensions: pairs.collect() }
    }

    /// Parses `SEARCH('{Namespace,Dimension,…} MetricName="…" FunctionName="…"', …)`.
    fn from_search(expression: &str) -> Self {
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

/// The Rust code in a folder.
fn sources(folder: &Path) -> String {
    let mut code = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            code += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            code += &fs::read_to_string(&path).expect("a source file");
        }
    }
    code
}

/// The code of the function with a logical id, with the shared crates that emit its metrics.
pub fn code_of(template: &Template, function: &str) -> String {
    let functions = template.resources("AWS::Serverless::Function");
    let function = functions.get(function).unwrap_or_else(|| panic!("the template has no function {function}"));
    let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary");
    let own = sources(&root().join("functions").join(binary).join("src"));
    let shared = [("derivatives::run", "crates/derivatives/src"), ("serve::serve", "crates/rest-kit/src")];
    let shared = shared.iter().filter(|(used, _)| own.contains(used)).map(|(_, folder)| sources(&root().join(folder)));
    shared.fold(own.clone(), |code, shared| code + &shared)
}

/// Panics if nothing emits `metric`, which an alarm or dashboard of `template` shows.
pub fn check(template: &Template, metric: &Metric, variables: &BTreeMap<String, String>) {
    let template = &template.declaring();
    let Metric { namespace, name, dimensions } = metric;
    let named = |dimension: &str| {
        let value = dimensions.get(dimension).unwrap_or_else(|| panic!("{metric:?} has no {dimension}"));
        let value = resource(value);
        variables.get(value).cloned().unwrap_or_else(|| value.to_owned())
    };
    let exists = |names: &[&str]| assert!(names.contains(&name.as_str()), "AWS has no metric {metric:?}");
    match namespace.as_str() {
        "IYAGI" => {
            let code = code_of(template, &named("FunctionName"));
            let kind = dimensions.keys().find(|name| *name != "FunctionName");
            let calls = match kind {
                Some(kind) => vec![format!(".count_kind(\"{name}\", (\"{kind}\"")],
                None => vec![format!(".count(\"{name}\""), format!(".observe(\"{name}\"")],
            };
            assert!(calls.iter().any(|call| code.contains(call)), "the function does not emit {metric:?}");
        }
        "IYAGI/${Backend}" => {
            let filters = template.resources("AWS::Logs::MetricFilter");
            let is_defined = filters.values().any(|filter| {
                let metric = &filter["Properties"]["MetricTransformations"][0];
                text(&metric["MetricNamespace"]) == Some("IYAGI/${AWS::StackName}")
                    && metric["MetricName"] == name.as_str()
            });
            assert!(is_defined, "no filter defines {metric:?}");
        }
        "AWS/SQS" => {
            assert!(template.has("AWS::SQS::Queue", &named("QueueName")), "{metric:?}");
            exists(&["ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"]);
        }
        "AWS/SNS" => {
            let application = &template.yaml["Resources"]["PlatformApplication"]["Properties"]["Name"];
            let application = text(application).expect("a name").replace("${AWS::StackName}", "${Backend}");
            let expected = [("Application", application.as_str()), ("Platform", "GCM")];
            assert!(dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected), "{metric:?}");
            exists(&["NumberOfNotificationsDelivered", "NumberOfNotificationsFailed"]);
        }
        "AWS/Lambda" => {
            assert!(template.has("AWS::Serverless::Function", &named("FunctionName")), "{metric:?}");
            let names = ["ConcurrentExecutions", "Duration", "Errors", "Invocations", "RecursiveInvocationsDropped"];
            exists(&[&names[..], &["Throttles"]].concat());
        }
        "AWS/DynamoDB" => {
            assert!(template.has("AWS::DynamoDB::Table", &named("TableName")), "{metric:?}");
            let [read, write] = ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"];
            exists(&[read, write, "ReadThrottleEvents", "WriteThrottleEvents"]);
        }
        "AWS/ApiGateway" => {
            assert!(template.has("AWS::ApiGatewayV2::Api", &named("ApiId")), "{metric:?}");
            exists(&["4xx", "5xx", "Count", "IntegrationLatency", "Latency"]);
        }
        "AWS/ES" => {
            assert!(template.has("AWS::OpenSearchService::Domain", &named("DomainName")), "{metric:?}");
            exists(&["ClusterIndexWritesBlocked", "ClusterStatus.red", "FreeStorageSpace", "JVMMemoryPressure"]);
        }
        "AWS/Neptune" => {
            assert!(template.has("AWS::Neptune::DBCluster", &named("DBClusterIdentifier")), "{metric:?}");
            exists(&["CPUUtilization", "MainRequestQueuePendingRequests"]);
        }
        other => panic!("unknown namespace {other}: {metric:?}"),
    }
}
