use std::collections::BTreeSet;

use crate::stores::STORES;

/// Tables without rows that belong into a copy, and why.
const NOT_COPIED: [(&str, &str); 3] = [
    ("AccountsTable", "Erasures, under a hash. Who has one has no account to ask with."),
    ("CheckpointTable", "The position of the stream. It is about no person."),
    ("ExportsTable", "The copy itself."),
];

#[test]
fn names_of_lists_differ() {
    let names: BTreeSet<_> = STORES.iter().map(|store| store.name).collect();
    assert_eq!(names.len(), STORES.len());
}

/// The tables of the stack, and the settings of this function, are in `template.yaml`.
#[test]
fn every_table_is_copied_or_has_a_reason() {
    let template = include_str!("../../../../template.yaml");
    let mut tables = BTreeSet::new();
    let mut before = "";
    for line in template.lines() {
        if line.trim() == "Type: AWS::DynamoDB::Table" {
            tables.insert(before.trim().trim_end_matches(':'));
        }
        before = line;
    }
    assert!(tables.len() > 12, "{tables:?}");
    let function = template.split("\n  ExportWorker:\n").nth(1).expect("the function");
    let settings = function.split("LoggingConfig:").next().expect("settings");
    let copied = tables.iter().filter(|table| {
        let setting = settings.lines().find(|line| line.contains(&format!("!Ref {table}")) && line.contains("_TABLE:"));
        setting.is_some()
    });
    let copied: BTreeSet<_> = copied.copied().filter(|table| *table != "ExportsTable").collect();
    let not_copied: BTreeSet<_> = NOT_COPIED.iter().map(|(table, _)| *table).collect();
    assert_eq!(copied.union(&not_copied).copied().collect::<BTreeSet<_>>(), tables);
    assert!(copied.is_disjoint(&not_copied));
}

/// Each setting with a table is used by a list.
#[test]
fn every_configured_table_has_a_list() {
    let names = [
        "media",
        "reports",
        "quotas",
        "devices",
        "inbox",
        "inbox-read",
        "audience",
        "follows",
        "ledger",
        "search",
        "mirror",
    ];
    let [media, reports, quotas, devices, inbox, inbox_read, audience, follows, ledger, search, mirror] =
        names.map(str::to_owned);
    let tables = crate::config::Tables {
        media_table: media,
        reports_table: reports,
        quotas_table: quotas,
        devices_table: devices,
        inbox_table: inbox,
        inbox_read_table: inbox_read,
        audience_table: audience,
        ledger_table: ledger,
        follows_table: Some(follows),
        search_table: Some(search),
        mirror_table: Some(mirror),
    };
    let read: BTreeSet<_> = STORES.iter().filter_map(|store| (store.table)(&tables)).collect();
    assert_eq!(read, BTreeSet::from(names));
    let without_search = crate::config::Tables { search_table: None, ..tables };
    assert_eq!(STORES.iter().filter(|store| (store.table)(&without_search).is_none()).count(), 1);
}
