//! The permissions of the functions' roles, and the resources that they name.

use yaml_serde::Value as Yaml;

use super::template::{Template, resource, text};

/// Permission of a function's role: an action on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The action, such as `sqs:SendMessage`.
    pub action: String,
    /// The argument of the reference in the policy, such as `PushQueue.Arn`.
    pub reference: String,
}

impl Grant {
    /// The logical id of the resource, if the template declares it.
    pub fn resource<'a>(&'a self, template: &Template) -> Option<&'a str> {
        // `!Sub` has the reference as its first variable: "${Bucket.Arn}/photo/*".
        let first = self.reference.split('/').next().unwrap_or(&self.reference);
        let name = resource(first);
        template.yaml["Resources"].get(name).is_some().then_some(name)
    }
}

/// All permissions of a function's role, conditional ones included.
pub fn grants(function: &Yaml) -> Vec<Grant> {
    let mut statements = Vec::new();
    find_statements(&function["Properties"]["Policies"], &mut statements);
    let pairs = statements.into_iter().flat_map(|statement| {
        let resources = statement.get("Resource").map(texts).unwrap_or_default();
        texts(&statement["Action"]).into_iter().flat_map(move |action| {
            let grant = move |reference: &str| Grant { action: action.to_owned(), reference: reference.to_owned() };
            resources.clone().into_iter().map(grant)
        })
    });
    pairs.collect()
}

/// Finds all policy statements in `value`, conditional ones included.
pub fn find_statements<'a>(value: &'a Yaml, found: &mut Vec<&'a Yaml>) {
    match value {
        Yaml::Tagged(tagged) => find_statements(&tagged.value, found),
        Yaml::Sequence(items) => items.iter().for_each(|item| find_statements(item, found)),
        Yaml::Mapping(fields) => {
            if fields.contains_key("Effect") {
                found.push(value);
            }
            fields.values().for_each(|field| find_statements(field, found));
        }
        _ => {}
    }
}

/// The texts of a value that is a text or a list.
pub fn texts(value: &Yaml) -> Vec<&str> {
    text(value).map_or_else(|| value.as_sequence().into_iter().flatten().filter_map(text).collect(), |one| vec![one])
}

/// The logical ids of the topics that receive a bucket's notifications.
pub fn find_targets(notifications: &Yaml) -> Vec<&str> {
    let topics = notifications["TopicConfigurations"].as_sequence().into_iter().flatten();
    topics.filter_map(|topic| text(&topic["Topic"])).map(resource).collect()
}

/// A session without a second factor, or under another name, gets no operator's permissions.
#[test]
fn operator_role_needs_a_second_factor_and_the_own_name() {
    let template = Template::read("template.yaml");
    let role = &template.yaml["Resources"]["OperatorRole"]["Properties"];
    let mut trust = Vec::new();
    find_statements(&role["AssumeRolePolicyDocument"], &mut trust);
    assert_eq!(trust.len(), 1, "each statement allows by itself");
    let condition = &trust[0]["Condition"];
    // `BoolIfExists` would allow sessions of long-term keys, which have no such key.
    assert_eq!(condition["Bool"]["aws:MultiFactorAuthPresent"].as_str(), Some("true"));
    assert_eq!(condition["StringEquals"]["sts:RoleSessionName"].as_str(), Some("${aws:username}"));
}
