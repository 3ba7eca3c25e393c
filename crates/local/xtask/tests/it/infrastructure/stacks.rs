//! Outputs and parameters of the stacks.

use std::collections::BTreeSet;

use yaml_serde::Value as Yaml;

use super::template::{ALARMS, Template, between, read, resource, text};

#[test]
fn output_is_a_parameter_of_another_stack() {
    let templates = Template::all();
    let mut count = 0;
    for template in templates.iter().filter(|template| template.path.starts_with("infra/") && template.path != ALARMS) {
        for (name, output) in template.yaml["Outputs"].as_mapping().expect("outputs") {
            let description = output["Description"].as_str().expect("a description");
            let (parameter, next) = between(description, "For ", ".yaml")
                .and_then(|of| of.split_once(" of "))
                .unwrap_or_else(|| panic!("{}: the description of {name:?} does not name a parameter", template.path));
            let next = if next == "template" { "template.yaml".to_owned() } else { format!("infra/{next}.yaml") };
            let next = templates.iter().find(|template| template.path == next).unwrap_or_else(|| panic!("no {next}"));
            assert!(next.yaml["Parameters"].get(parameter).is_some(), "{} has no parameter {parameter}", next.path);
            count += 1;
        }
    }
    assert!(count >= 12, "found only {count}");
}

#[test]
fn parameter_of_alarms_is_the_resource_of_its_name() {
    let (template, alarms) = (Template::read("template.yaml"), Template::read(ALARMS));
    for kind in ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"] {
        assert!(template.resources(kind).is_empty(), "{kind} belongs into {ALARMS}");
    }
    let given = &template.yaml["Resources"]["Alarms"]["Properties"]["Parameters"];
    let names = |parameters: &Yaml| -> BTreeSet<String> {
        let names = parameters.as_mapping().expect("parameters").keys();
        names.map(|name| name.as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(given), names(&alarms.yaml["Parameters"]));
    let own = names(&template.yaml["Parameters"]);
    for name in names(given).iter().filter(|name| *name != "Backend" && !own.contains(*name)) {
        // `!If [Condition, reference, ""]` for a resource with a condition.
        let value = &given[name.as_str()];
        let condition = template.yaml["Resources"][name.as_str()].get("Condition").and_then(text);
        let (used, reference) = match value.as_sequence().map(Vec::as_slice) {
            Some([condition, reference, empty]) => {
                assert_eq!(text(empty), Some(""), "{name}");
                (text(condition), reference)
            }
            _ => (None, value),
        };
        assert_eq!(used, condition, "{name}");
        assert_eq!(text(reference).map(resource), Some(name.as_str()));
    }
}

#[test]
fn documented_parameter_exists() {
    let template = Template::read("template.yaml");
    let parameters = &template.yaml["Parameters"];
    let config = read("samconfig.toml");
    // With the entries that are commented out as examples.
    let entries = config.lines().filter_map(|line| line.trim().trim_start_matches("# ").strip_prefix('"'));
    let entries = entries.filter_map(|entry| entry.trim_start_matches('"').split_once('=')).map(|(name, _)| name);
    let page = read("docs/operations/deploy.md");
    let (_, table) = page.split_once("\n## Parameters\n").expect("the section");
    let table = table.split("\n## ").next().unwrap_or(table);
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |")).map(|(names, _)| names);
    let names = rows.flat_map(|names| names.split(", ")).map(|name| name.trim_matches('`'));
    let documented: BTreeSet<_> = entries.chain(names).collect();
    assert!(documented.len() >= 25, "found only {documented:?}");
    for name in documented {
        assert!(parameters.get(name).is_some(), "the template has no parameter {name}");
    }
}

#[test]
fn parameters_reach_build_and_deploy() {
    // `Architecture` decides what `sam build` compiles and what `sam deploy` declares.
    let config: toml::Table = toml::from_str(&read("samconfig.toml")).expect("TOML");
    let environments = config.values().filter_map(toml::Value::as_table);
    let sections =
        environments.flatten().filter(|(_, section)| section["parameters"].get("parameter_overrides").is_some());
    assert_eq!(sections.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["global"]);
}

#[test]
fn deployment_accepts_the_transform_and_the_nested_stack() {
    // CloudFormation refuses templates that have both, unless the deployment has the second capability.
    let template = Template::read("template.yaml");
    assert!(template.yaml.get("Transform").is_some());
    assert!(!template.resources("AWS::CloudFormation::Stack").is_empty());
    let config: toml::Table = toml::from_str(&read("samconfig.toml")).expect("TOML");
    let deploys: Vec<_> = config.values().filter_map(|environment| environment.get("deploy")).collect();
    assert!(deploys.len() >= 2, "{deploys:?}");
    for deploy in deploys {
        let capabilities = deploy["parameters"]["capabilities"].as_array().expect("a list");
        let capabilities: Vec<_> = capabilities.iter().filter_map(toml::Value::as_str).collect();
        assert_eq!(capabilities, ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]);
    }
}
