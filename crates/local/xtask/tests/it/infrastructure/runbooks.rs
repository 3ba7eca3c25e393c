//! Alarms and their runbooks.

use std::collections::BTreeSet;

use super::template::{Template, read};

/// Where the runbooks are.
const RUNBOOKS: &str = "docs/operations/runbooks.md";

/// The names of the runbooks: the headings below "Alarms".
fn runbooks() -> BTreeSet<String> {
    let text = read(RUNBOOKS);
    let (_, section) = text.split_once("\n## Alarms\n").expect("the section of runbooks");
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
            let anchor = format!(" {RUNBOOKS}#{}", name.to_lowercase());
            assert!(description.ends_with(&anchor), "{name} does not say {anchor}");
            assert!(properties.get("AlarmActions").is_some(), "{name} tells nobody");
            assert!(alarms.insert(name.to_owned()), "two alarms have the name {name}");
        }
    }
    assert!(alarms.len() >= 20, "found only {alarms:?}");
    assert_eq!(alarms, runbooks());
}

#[test]
fn every_runbook_says_what_it_means_what_to_look_at_and_what_to_do() {
    let text = read(RUNBOOKS);
    for name in runbooks() {
        let (_, body) = text.split_once(&format!("\n### {name}\n")).expect("the runbook");
        let body = body.split("\n#").next().unwrap_or(body);
        for part in ["**Symptom.**", "**Check.**", "**Action.**"] {
            assert!(body.contains(part), "{name} has no {part}");
        }
    }
}
