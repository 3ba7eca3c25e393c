//! The document of the REST API, held against the code, the template and what `media-api` answers with.

use std::{collections::BTreeMap, fs, path::Path};

use api::ProblemType;

use serde_json::{Value, json};
use stack::paths;
use yaml_serde::Value as Yaml;

#[test]
fn what_is_written_down_is_what_the_code_says() {
    let written = fs::read_to_string(paths::openapi()).expect("the document");
    let text = api::document::text().expect("a document");
    let differs = text.lines().zip(written.lines()).find(|(one, other)| one != other);
    assert!(text == written, "run `cargo xtask openapi`: {differs:?}");
}

/// How a route asks who calls: the scopes of the authorizer, or nothing where it asks nobody.
type SignIn = Option<Vec<String>>;

/// The routes of the template.
fn routes() -> BTreeMap<String, SignIn> {
    let template = fs::read_to_string(paths::root().join("template.yaml")).expect("the template");
    let template: Yaml = yaml_serde::from_str(&template).expect("YAML");
    let resources = template["Resources"].as_mapping().expect("resources");
    let routes = resources.values().filter(|resource| resource["Type"] == "AWS::ApiGatewayV2::Route");
    let route = |route: &Yaml| {
        let properties = &route["Properties"];
        let key = properties["RouteKey"].as_str().expect("a route key").to_owned();
        let scopes = || properties["AuthorizationScopes"].as_sequence().into_iter().flatten();
        let sign_in = match properties.get("AuthorizationType").and_then(Yaml::as_str) {
            None | Some("NONE") => None,
            Some("JWT") => Some(scopes().filter_map(Yaml::as_str).map(str::to_owned).collect()),
            Some(other) => panic!("{key} asks by {other}"),
        };
        (key, sign_in)
    };
    routes.map(route).collect()
}

/// The operations of the document.
fn operations() -> BTreeMap<String, SignIn> {
    let document = api::document::value();
    let mut operations = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("operations") {
            let security = operation["security"].as_array().expect("who may call");
            assert!(security.len() <= 1, "{method} {path} can be called in more than one way");
            let scopes = |way: &Value| serde_json::from_value(way["accessToken"].clone()).expect("scopes");
            let sign_in = security.first().map(scopes);
            operations.insert(format!("{} {path}", method.to_uppercase()), sign_in);
        }
    }
    operations
}

#[test]
fn every_route_is_one_operation_with_the_same_sign_in() {
    let routes = routes();
    assert!(routes.len() >= 14, "found only {routes:?}");
    assert_eq!(routes, operations());
}

#[test]
fn only_the_document_is_for_everybody() {
    let open: Vec<_> = routes().into_iter().filter(|(_, sign_in)| sign_in.is_none()).map(|(route, _)| route).collect();
    assert_eq!(open, ["GET /v1/openapi.json"]);
}

/// Every `urn:iyagi:problem:…` within the files below `folder`.
fn problems(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            problems(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            for (at, prefix) in text.match_indices("urn:iyagi:problem:") {
                let name = text[at + prefix.len()..].split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next();
                let name = name.filter(|name| !name.is_empty()).map(|name| format!("{prefix}{name}"));
                found.extend(name.map(|name| (name, path.display().to_string())));
            }
        }
    }
}

#[test]
fn every_problem_in_the_code_is_one_of_the_documents() {
    let documented = ProblemType::ALL.map(|kind| json!(kind).as_str().expect("a text").to_owned());
    let mut found = BTreeMap::new();
    for folder in ["crates", "functions", "tests"] {
        problems(&paths::root().join(folder), &mut found);
    }
    assert!(!found.is_empty());
    for (problem, file) in &found {
        assert!(documented.contains(problem), "{problem} of {file} is not in the document");
    }
}
