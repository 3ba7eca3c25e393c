//! The search domain is what the tests run on.

use stack::{search_server::Engine, tools::opensearch};

use super::template::Template;

#[test]
fn domain_has_the_version_of_the_tests() {
    let domain = Template::read("infra/search.yaml");
    let engine = domain.yaml["Resources"]["Domain"]["Properties"]["EngineVersion"].as_str().expect("a version");
    let version = engine.strip_prefix("OpenSearch_").expect("OpenSearch");
    assert!(opensearch::VERSION.starts_with(&format!("{version}.")), "{version}, tested: {}", opensearch::VERSION);
}

#[test]
fn default_analyzer_is_the_tested_one() {
    let template = Template::read("template.yaml");
    let analyzer = &template.yaml["Parameters"]["SearchAnalyzer"];
    assert_eq!(analyzer["Default"], Engine::OpenSearch.analyzer());
    let allowed = analyzer["AllowedValues"].as_sequence().expect("values");
    assert!(allowed.iter().any(|value| *value == Engine::Embedded.analyzer()), "{allowed:?}");
}
