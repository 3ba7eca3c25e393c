//! The endpoint policies of `infra/network.yaml` allow what the roles of functions in the network need, and no more.

use std::collections::BTreeSet;

use yaml_serde::Value as Yaml;

use super::{
    roles::{Grant, grants, texts},
    template::{Template, resource, text},
};

/// An action and the name of its resource, as a pattern.
type Permission = (String, String);

/// What an endpoint policy never has to allow: services inside the network; calls of Lambda's event sources, which are made
/// from outside; names of calls that only the emulator checks.
const OUTSIDE: [&str; 7] = [
    "es:",
    "neptune-db:",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessageBatch",
    "sns:PublishBatch",
];
/// It serves Neptune's bulk loader, not functions.
const LOADER: &str = "s3:";

/// Permissions of the roles of functions in the network. Functions of the search are in it if `has_search`.
fn needed(template: &Template, has_search: bool) -> BTreeSet<Permission> {
    let mut needed = BTreeSet::new();
    for function in template.resources("AWS::Serverless::Function").values() {
        let Some(condition) = function["Properties"]["VpcConfig"].get(0).and_then(text) else { continue };
        let is_inside = match condition {
            "HasNeptuneVpc" => true,
            "HasSearchVpc" => has_search,
            other => panic!("unknown network {other}"),
        };
        let grants = grants(function).into_iter().filter(|_| is_inside);
        let grants = grants.filter(|grant| !OUTSIDE.iter().any(|outside| is_of(&grant.action, outside)));
        needed.extend(grants.map(|grant| permission(template, &grant)));
    }
    needed
}

/// `outside` is an action, or a service and a colon.
fn is_of(action: &str, outside: &str) -> bool {
    action == outside || outside.ends_with(':') && action.starts_with(outside)
}

/// The network is older than the functions' stack, so names of resources are patterns.
fn permission(template: &Template, grant: &Grant) -> Permission {
    let name = grant.resource(template).unwrap_or_else(|| panic!("{grant:?} is not of the template"));
    let resource = &template.yaml["Resources"][name];
    let named = |property: &str| {
        let name = text(&resource["Properties"][property]).unwrap_or_else(|| panic!("{name} has no {property}"));
        name.replace("${AWS::StackName}", "*")
    };
    let name = match resource["Type"].as_str().expect("a type") {
        "AWS::SQS::Queue" => named("QueueName"),
        "AWS::SNS::Topic" => named("TopicName"),
        // CloudFormation generates these names.
        "AWS::DynamoDB::Table" => "table/*".to_owned(),
        "AWS::SecretsManager::Secret" => "secret:*".to_owned(),
        other => panic!("unknown resource {other}"),
    };
    (grant.action.clone(), name)
}

/// What the endpoint policies allow.
fn allowed(network: &Template, has_search: bool) -> BTreeSet<Permission> {
    let mut allowed = BTreeSet::new();
    for endpoint in network.resources("AWS::EC2::VPCEndpoint").values() {
        if !has_search && endpoint.get("Condition").and_then(text) == Some("HasSearch") {
            continue;
        }
        for statement in endpoint["Properties"]["PolicyDocument"]["Statement"].as_sequence().expect("statements") {
            let Some(statement) = chosen(statement, has_search) else { continue };
            assert!(text(&statement["Effect"]) == Some("Allow"), "{statement:?}");
            let account = &statement["Condition"]["StringEquals"]["aws:PrincipalAccount"];
            assert_eq!(text(account), Some("AWS::AccountId"), "other accounts may use {statement:?}");
            for action in texts(&statement["Action"]) {
                let names =
                    texts(&statement["Resource"]).into_iter().map(|arn| arn.rsplit("${AWS::AccountId}:").next());
                allowed.extend(names.map(|name| (action.to_owned(), name.unwrap_or_default().to_owned())));
            }
        }
    }
    allowed.retain(|(action, _)| !action.starts_with(LOADER));
    allowed
}

/// The statement, or that which `!If` chooses; `None` for `AWS::NoValue`.
fn chosen(statement: &Yaml, has_search: bool) -> Option<&Yaml> {
    let Yaml::Tagged(tagged) = statement else { return Some(statement) };
    let [condition, then, otherwise] = tagged.value.as_sequence()?.as_slice() else { panic!("{statement:?}") };
    assert_eq!(text(condition), Some("HasSearch"));
    let chosen = if has_search { then } else { otherwise };
    (resource(text(chosen).unwrap_or_default()) != "AWS::NoValue").then_some(chosen)
}

#[test]
fn endpoint_policies_allow_what_functions_in_the_network_need_and_no_more() {
    let (template, network) = (Template::read("template.yaml"), Template::read("infra/network.yaml"));
    for has_search in [false, true] {
        let needed = needed(&template, has_search);
        assert!(needed.len() >= if has_search { 10 } else { 5 }, "found only {needed:?}");
        assert_eq!(needed, allowed(&network, has_search), "search in the network: {has_search}");
    }
}
