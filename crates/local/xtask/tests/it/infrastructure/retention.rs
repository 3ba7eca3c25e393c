//! `docs/operations/retention.md` has every store and log.

use std::collections::BTreeSet;

use super::template::{Template, read};

/// What keeps data of people.
const KINDS: [&str; 4] = ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Logs::LogGroup"];

#[test]
fn stores_and_logs_have_a_documented_retention() {
    let text = read("docs/operations/retention.md");
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let names = cells.flat_map(|cell| cell.split(", ")).filter_map(|name| name.split(' ').next());
    let documented: BTreeSet<_> = names.filter(|name| *name != "store" && !name.starts_with("|-")).collect();
    let templates = Template::all();
    let resources = templates.iter().flat_map(|template| KINDS.map(|kind| template.resources(kind)));
    let existing: BTreeSet<_> = resources.flat_map(|resources| resources.into_keys()).collect();
    assert!(existing.len() > 35, "found only {existing:?}");
    assert_eq!(documented, existing);
}
