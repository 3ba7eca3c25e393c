//! Alarms and their runbooks.

use std::collections::BTreeSet;

use super::template::{Template, read};

/// The document with the runbooks.
const RUNBOOKS: &str = "docs/operations/runbooks.md";

/// The names of the runbooks: the headings in the section "Alarms".
fn runbooks() -> BTreeSet<String> {
    let text = read(RUNBOOKS);
    let (_, section) = text.split_once("\n## Alarms\n").expect("the section of runbooks");
    let section = section.split("\n## ").next().unwrap_or(section);
    section.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect()
}

#[test]
fn alarms_and_runbooks_match() {
    let templates = Template::all();
    let mut alarms = BTreeSet::new();
    for template in &templates {
        for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
            let properties = &alarm["Properties"];
            let description = properties["AlarmDescription"].as_str().expect("a description");
            let anchor = format!(" {RUNBOOKS}#{}", name.to_lowercase());
            assert!(description.ends_with(&anchor), "the description of {name} does not end with {anchor}");
            assert!(properties.get("AlarmActions").is_some(), "{name} has no action");
            assert!(alarms.insert(name.to_owned()), "two alarms have the name {name}");
        }
    }
    assert!(alarms.len() >= 20, "found only {alarms:?}");
    assert_eq!(alarms, runbooks());
}

#[test]
fn runbook_has_all_parts() {
    let text = read(RUNBOOKS);
    for name in runbooks() {
        let (_, body) = text.split_once(&format!("\n### {name}\n")).expect("the runbook");
        let body = body.split("\n#").next().unwrap_or(body);
        for part in ["**Symptom.**", "**Check.**", "**Action.**"] {
            assert!(body.contains(part), "{name} has no {part}");
        }
    }
}
