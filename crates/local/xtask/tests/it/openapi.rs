//! The OpenAPI document matches the code and the template.

use std::{collections::BTreeMap, fs, path::Path};

use api::ProblemType;
use serde_json::{Value, json};
use stack::paths;
use yaml_serde::Value as Yaml;

#[test]
fn document_is_up_to_date() {
    let file = fs::read_to_string(paths::openapi()).expect("the document");
    let text = api::document::text().expect("a document");
    let difference = text.lines().zip(file.lines()).find(|(expected, actual)| expected != actual);
    assert!(text == file, "run `cargo xtask openapi`: {difference:?}");
}

/// The scopes of a route's authorizer. `None` for a route without authorizer.
type Authorization = Option<Vec<String>>;

/// The routes in the template.
fn routes() -> BTreeMap<String, Authorization> {
    let template = fs::read_to_string(paths::root().join("template.yaml")).expect("the template");
    let template: Yaml = yaml_serde::from_str(&template).expect("YAML");
    let resources = template["Resources"].as_mapping().expect("resources");
    let routes = resources.values().filter(|resource| resource["Type"] == "AWS::ApiGatewayV2::Route");
    let route = |route: &Yaml| {
        let properties = &route["Properties"];
        let key = properties["RouteKey"].as_str().expect("a route key").to_owned();
        let scopes = || properties["AuthorizationScopes"].as_sequence().into_iter().flatten();
        let authorization = match properties.get("AuthorizationType").and_then(Yaml::as_str) {
            None | Some("NONE") => None,
            Some("JWT") => Some(scopes().filter_map(Yaml::as_str).map(str::to_owned).collect()),
            Some(other) => panic!("{key} has the authorization type {other}"),
        };
        (key, authorization)
    };
    routes.map(route).collect()
}

/// The operations in the document.
fn operations() -> BTreeMap<String, Authorization> {
    let document = api::document::value();
    let mut operations = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("operations") {
            let security = operation["security"].as_array().expect("security requirements");
            assert!(security.len() <= 1, "{method} {path} has several security requirements");
            let scopes =
                |requirement: &Value| serde_json::from_value(requirement["accessToken"].clone()).expect("scopes");
            let authorization = security.first().map(scopes);
            operations.insert(format!("{} {path}", method.to_uppercase()), authorization);
        }
    }
    operations
}

#[test]
fn route_is_an_operation_with_the_same_authorization() {
    let routes = routes();
    assert!(routes.len() >= 14, "found only {routes:?}");
    assert_eq!(routes, operations());
}

#[test]
fn only_the_document_is_public() {
    let public: Vec<_> =
        routes().into_iter().filter(|(_, authorization)| authorization.is_none()).map(|(route, _)| route).collect();
    assert_eq!(public, ["GET /v1/openapi.json"]);
}

/// Finds every `urn:iyagi:problem:…` in the files below `folder`.
fn problems(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            problems(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            for (index, prefix) in text.match_indices("urn:iyagi:problem:") {
                let name = text[index + prefix.len()..].split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next();
                let name = name.filter(|name| !name.is_empty()).map(|name| format!("{prefix}{name}"));
                found.extend(name.map(|name| (name, path.display().to_string())));
            }
        }
    }
}

#[test]
fn problem_in_the_code_is_documented() {
    let documented = ProblemType::ALL.map(|kind| json!(kind).as_str().expect("a text").to_owned());
    let mut found = BTreeMap::new();
    for folder in ["crates", "functions", "tests"] {
        problems(&paths::root().join(folder), &mut found);
    }
    assert!(!found.is_empty());
    for (problem, file) in &found {
        assert!(documented.contains(problem), "{problem} in {file} is not documented");
    }
}
