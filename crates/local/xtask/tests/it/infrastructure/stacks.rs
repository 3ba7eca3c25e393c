//! Outputs and parameters of the stacks.

use std::collections::BTreeSet;

use super::template::{Template, between, read};

#[test]
fn output_is_a_parameter_of_another_stack() {
    let templates = Template::all();
    let mut count = 0;
    for template in templates.iter().filter(|template| template.path.starts_with("infra/")) {
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
