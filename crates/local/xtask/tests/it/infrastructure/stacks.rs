//! What one stack hands to the next, and what is written about parameters.

use std::collections::BTreeSet;

use super::template::{Template, between, read};

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
    let page = read("docs/operations/deploy.md");
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
