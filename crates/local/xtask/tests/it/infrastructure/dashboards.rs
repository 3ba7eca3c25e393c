//! The metrics in alarms, dashboards and filters exist.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use yaml_serde::Value as Yaml;

use super::{
    metrics::{Metric, check, code_of},
    template::{ALARMS, Template, between, read, resource, text},
};

#[test]
fn metric_of_an_alarm_exists() {
    for template in Template::all() {
        for alarm in template.resources("AWS::CloudWatch::Alarm").values() {
            check(&template, &Metric::of_alarm(&alarm["Properties"]), &BTreeMap::new());
        }
    }
}

/// A dashboard's body, and the resource of each of its variables.
fn dashboard(properties: &Yaml) -> (Json, BTreeMap<String, String>) {
    let body = &properties["DashboardBody"];
    let mut variables = BTreeMap::new();
    if let Some(map) = body.get(1).and_then(Yaml::as_mapping) {
        for (name, value) in map {
            // !If [Condition, !Ref Function, "another value"]
            let function = value.get(1).and_then(text).expect("a condition");
            variables.insert(name.as_str().expect("a name").to_owned(), function.to_owned());
        }
    }
    let body = text(body).or_else(|| body.get(0).and_then(text)).expect("a body");
    (serde_json::from_str(body).expect("JSON"), variables)
}

#[test]
fn metric_of_a_dashboard_exists() {
    let template = Template::read(ALARMS);
    let dashboards = template.resources("AWS::CloudWatch::Dashboard");
    let names: BTreeSet<_> = dashboards.keys().copied().collect();
    let expected =
        ["ApiDashboard", "PicturesDashboard", "PushDashboard", "SearchDashboard", "SoundDashboard", "StreamDashboard"];
    assert_eq!(names, BTreeSet::from(expected));
    let mut alarms = BTreeSet::new();
    for dashboard in dashboards.values().map(|resource| dashboard(&resource["Properties"])) {
        let (body, variables) = dashboard;
        for widget in body["widgets"].as_array().expect("widgets") {
            let properties = &widget["properties"];
            for alarm in properties["alarms"].as_array().into_iter().flatten() {
                let name = resource(alarm.as_str().expect("an alarm"));
                assert!(template.has("AWS::CloudWatch::Alarm", name), "the template has no alarm {name}");
                alarms.insert(name.to_owned());
            }
            for row in properties["metrics"].as_array().into_iter().flatten() {
                check(&template, &Metric::of_widget(row), &variables);
            }
        }
    }
    let all: BTreeSet<_> = template.resources("AWS::CloudWatch::Alarm").into_keys().map(str::to_owned).collect();
    assert_eq!(alarms, all, "alarms are missing on the dashboards");
}

#[test]
fn unknown_metric_is_found() {
    let template = Template::read("template.yaml");
    let dimensions = BTreeMap::from([("FunctionName".to_owned(), "${StreamPoller}".to_owned())]);
    let metric =
        |name: &str| Metric { namespace: "IYAGI".to_owned(), name: name.to_owned(), dimensions: dimensions.clone() };
    check(&template, &metric("OldestRecordAge"), &BTreeMap::new());
    let unknown = std::panic::catch_unwind(|| check(&template, &metric("YoungestRecordAge"), &BTreeMap::new()));
    assert!(unknown.is_err());
}

#[test]
fn text_of_a_log_filter_is_in_the_code() {
    let template = Template::read("template.yaml");
    let filters = template.resources("AWS::Logs::MetricFilter");
    assert!(!filters.is_empty(), "found none");
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
            None => match logs.strip_suffix("Logs") {
                Some(function) => code_of(&template, function),
                // SNS writes it.
                None => continue,
            },
        };
        // Quoted texts of the pattern, except the module, are string literals in the code.
        let words = pattern.split('"').skip(1).step_by(2).filter(|word| !word.contains("::"));
        for word in words {
            assert!(code.contains(&format!("\"{word}\"")), "{name} filters for {word}, which the code does not log");
        }
    }
}
