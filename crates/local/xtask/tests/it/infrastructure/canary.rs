//! Deployments of the API with and without a canary, after the transform of SAM.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use stack::tools::Tool;

use super::template::root;

const TRANSFORM: &str = "crates/local/xtask/tests/it/infrastructure/transformed.py";
/// The functions behind the API, and the conditions of their resources.
const FUNCTIONS: [(&str, Option<&str>); 6] = [
    ("MediaApi", None),
    ("UploadApi", None),
    ("DeviceApi", Some("HasPush")),
    ("InboxApi", None),
    ("AccountApi", None),
    ("SearchApi", Some("HasSearch")),
];

/// The resources of `template.yaml` as CloudFormation gets them.
fn transformed(parameters: &[&str]) -> BTreeMap<String, Json> {
    Tool::Sam.install().expect("the SAM CLI");
    let mut python = Tool::Sam.command("python");
    python.arg(TRANSFORM).arg(root().join("template.yaml")).args(parameters);
    let output = python.output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let template: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    serde_json::from_value(template["Resources"].clone()).expect("resources")
}

fn of_type<'a>(resources: &'a BTreeMap<String, Json>, kind: &str) -> Vec<(&'a str, &'a Json)> {
    let resources = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
    resources.map(|(name, resource)| (name.as_str(), resource)).collect()
}

#[test]
fn canary_shifts_the_alias_of_each_api_function_and_watches_the_alarm() {
    let resources = transformed(&["ApiCanary=true", "Release=3fd1a70b52c4"]);
    for (function, condition) in FUNCTIONS {
        let group = &resources[&format!("{function}DeploymentGroup")];
        assert_eq!(group.get("Condition").and_then(Json::as_str), condition, "{function}");
        let properties = &group["Properties"];
        assert_eq!(
            properties["AlarmConfiguration"],
            json!({"Enabled": true, "Alarms": [{"Name": {"Fn::GetAtt": ["Alarms", "Outputs.ApiCanaryAlarm"]}}]})
        );
        assert_eq!(properties["AutoRollbackConfiguration"]["Enabled"], true);
        let alias = &resources[&format!("{function}Aliaslive")];
        let update = &alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"];
        assert_eq!(*update, format!("{function}DeploymentGroup"));
        // The API calls the alias, and may do so.
        let alias = json!({"Ref": format!("{function}Aliaslive")});
        let selected = |resource: &str, property: &str, without: Json| {
            let expected = json!({"Fn::If": ["HasApiCanary", alias, without]});
            assert_eq!(resources[&format!("{function}{resource}")]["Properties"][property], expected);
        };
        selected("Integration", "IntegrationUri", json!({"Fn::GetAtt": [function, "Arn"]}));
        selected("Permission", "FunctionName", json!({"Ref": function}));
    }
    assert_eq!(of_type(&resources, "AWS::CodeDeploy::DeploymentGroup").len(), FUNCTIONS.len());
}

#[test]
fn another_release_publishes_other_versions() {
    let versions = |release: &str| {
        let resources = transformed(&["ApiCanary=true", &format!("Release={release}")]);
        let versions: Vec<_> =
            of_type(&resources, "AWS::Lambda::Version").into_iter().map(|(name, _)| name.to_owned()).collect();
        let settings = &resources["MediaApi"]["Properties"]["Environment"]["Variables"];
        // Lambda publishes a version only if code or settings have changed.
        let no_value = json!({"Ref": "AWS::NoValue"});
        assert_eq!(settings["RELEASE"], json!({"Fn::If": ["HasRelease", {"Ref": "Release"}, no_value]}));
        versions
    };
    let (one, other) = (versions("3fd1a70b52c4"), versions("9e02a70b52c4"));
    assert_eq!(one.len(), FUNCTIONS.len());
    assert!(one.iter().all(|version| !other.contains(version)), "{one:?} {other:?}");
}

#[test]
fn without_a_canary_nothing_is_of_code_deploy() {
    let resources = transformed(&[]);
    let of_code_deploy = resources.values().filter(|resource| {
        resource["Type"].as_str().is_some_and(|kind| kind.starts_with("AWS::CodeDeploy"))
            || resource.get("UpdatePolicy").is_some()
    });
    assert_eq!(of_code_deploy.count(), 0);
}
