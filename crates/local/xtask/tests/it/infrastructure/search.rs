//! The search domain is what the tests run on.

use std::collections::BTreeSet;

use stack::{search_server::Engine, tools::opensearch};
use yaml_serde::Value as Yaml;

use super::template::{Template, read};

/// The domain's properties.
fn domain() -> Yaml {
    Template::read("infra/search.yaml").yaml["Resources"]["Domain"]["Properties"].clone()
}

#[test]
fn domain_has_the_version_of_the_tests() {
    let domain = domain();
    let engine = domain["EngineVersion"].as_str().expect("a version");
    let version = engine.strip_prefix("OpenSearch_").expect("OpenSearch");
    assert!(opensearch::VERSION.starts_with(&format!("{version}.")), "{version}, tested: {}", opensearch::VERSION);
    // OpenSearch Service has one package of the plugin nori for each version.
    let setup = read("crates/ops/src/setup/steps.rs");
    assert!(setup.contains(&format!("contains(PackageName, 'nori') && EngineVersion == '{engine}'")));
}

/// The names in calls of a method with a text as the first argument.
fn first_arguments<'a>(java: &'a str, method: &str) -> BTreeSet<&'a str> {
    java.split(method).skip(1).filter_map(|call| call.strip_prefix("(\"")?.split('"').next()).collect()
}

#[test]
fn domain_and_tested_node_have_the_same_settings() {
    let domain = domain();
    // Settings of a domain's nodes. Without them, all are OpenSearch's own, as in the tests.
    assert!(domain.get("AdvancedOptions").is_none());
    let node = read("infra/tools/opensearch/LocalServer.java");
    let (_, node) = node.split_once("public static void main").expect("a program");
    let place_and_network = [
        "cluster.name",
        "discovery.type",
        "http.port",
        "http.type",
        "network.host",
        "node.name",
        "path.home",
        "transport.port",
        "transport.type",
    ];
    let mut expected = BTreeSet::from(place_and_network);
    // A full disk is played by a test of its own.
    expected.insert("cluster.routing.allocation.disk.threshold_enabled");
    assert_eq!(first_arguments(node, ".put"), expected);
    // One or two nodes, and the index has up to one replica.
    let template = Template::read("infra/search.yaml");
    let counts = template.yaml["Parameters"]["InstanceCount"]["AllowedValues"].as_sequence().expect("values").clone();
    assert_eq!(counts, [Yaml::from(1), Yaml::from(2)]);
}

#[test]
fn tested_plugin_has_the_parts_of_nori_that_the_index_uses() {
    let index = read("crates/opensearch/src/settings.rs");
    let used: BTreeSet<_> = index.split('"').filter(|text| text.starts_with("nori_")).collect();
    assert!(!used.is_empty());
    let plugin = read("infra/tools/opensearch/NoriPlugin.java");
    let registered: BTreeSet<_> = plugin.split('"').filter(|text| text.starts_with("nori_")).collect();
    assert_eq!(registered, used);
    // Without a plugin but nori, which `ops setup --search` associates with the domain.
    let node = read("infra/tools/opensearch/LocalServer.java");
    assert!(node.contains("List.of(Netty4Plugin.class, CommonAnalysisPlugin.class, NoriPlugin.class)"));
}

#[test]
fn default_analyzer_is_the_tested_one() {
    let template = Template::read("template.yaml");
    let analyzer = &template.yaml["Parameters"]["SearchAnalyzer"];
    assert_eq!(analyzer["Default"], Engine::OpenSearch.analyzer());
    let allowed = analyzer["AllowedValues"].as_sequence().expect("values");
    assert!(allowed.iter().any(|value| *value == Engine::Embedded.analyzer()), "{allowed:?}");
}
