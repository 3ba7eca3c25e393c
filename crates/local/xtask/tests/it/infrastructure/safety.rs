//! Nothing is lost, and nobody may more than they need.

use std::collections::BTreeSet;

use yaml_serde::Value as Yaml;

use super::{
    metrics::Metric,
    template::{Template, resource, text},
};

#[test]
fn every_queue_has_dead_letters_and_an_alarm_for_them() {
    let template = Template::read("template.yaml");
    let queues = template.resources("AWS::SQS::Queue");
    let target = |queue: &Yaml| {
        let target = text(queue["Properties"].get("RedrivePolicy")?.get("deadLetterTargetArn")?)?;
        Some(resource(target).to_owned())
    };
    let dead: BTreeSet<_> =
        queues.keys().filter(|name| name.ends_with("DeadLetters")).map(|name| (*name).to_owned()).collect();
    for (name, queue) in &queues {
        match target(queue) {
            Some(target) => assert!(dead.contains(&target), "{name} sends its dead letters to {target}"),
            None => assert!(dead.contains(*name), "{name} has no dead letters"),
        }
    }
    let watched: BTreeSet<_> = template
        .resources("AWS::CloudWatch::Alarm")
        .values()
        .map(|alarm| Metric::of_alarm(&alarm["Properties"]))
        .filter(|metric| metric.name == "ApproximateNumberOfMessagesVisible")
        .map(|metric| resource(&metric.dimensions["QueueName"]).to_owned())
        .collect();
    assert_eq!(dead, watched);
    for (name, subscription) in template.resources("AWS::SNS::Subscription") {
        assert!(target(subscription).is_some_and(|target| dead.contains(&target)), "{name} has no dead letters");
    }
}

#[test]
fn what_holds_data_outlives_the_stack() {
    let template = Template::read("template.yaml");
    let kinds = ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool"];
    let all: Vec<_> = kinds.iter().flat_map(|kind| template.resources(kind)).collect();
    assert!(all.len() >= 9, "found only {all:?}");
    for (name, resource) in all {
        assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
    }
    for (name, table) in template.resources("AWS::DynamoDB::Table") {
        let recovery = &table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        assert_eq!(*recovery, true, "{name} cannot be brought back");
    }
}

/// All statements of policies below `value`, also behind conditions.
fn statements<'a>(value: &'a Yaml, found: &mut Vec<&'a Yaml>) {
    match value {
        Yaml::Tagged(tagged) => statements(&tagged.value, found),
        Yaml::Sequence(items) => items.iter().for_each(|item| statements(item, found)),
        Yaml::Mapping(fields) => {
            if fields.contains_key("Effect") {
                found.push(value);
            }
            fields.values().for_each(|field| statements(field, found));
        }
        _ => {}
    }
}

/// Whether a text is said that has one of `words`, wherever `condition` does not hold.
fn says_without(value: &Yaml, condition: &str, words: &[&str]) -> bool {
    let says = |value: &Yaml| says_without(value, condition, words);
    match value {
        Yaml::Tagged(tagged) if tagged.value.get(0).and_then(text) == Some(condition) => {
            tagged.value.get(2).is_some_and(says)
        }
        Yaml::Tagged(tagged) => says(&tagged.value),
        Yaml::Sequence(items) => items.iter().any(says),
        Yaml::Mapping(fields) => fields.get("Condition").and_then(text) != Some(condition) && fields.values().any(says),
        value => text(value).is_some_and(|text| words.iter().any(|word| text.contains(word))),
    }
}

#[test]
fn without_a_name_there_is_no_mirror() {
    let template = Template::read("template.yaml");
    assert_eq!(template.yaml["Parameters"]["NeptuneTextIndex"]["Default"], "");
    let words = ["MirrorTable", "NeptuneTextIndex"];
    assert!(says_without(&template.yaml["Resources"], "HasGraph", &words), "it would notice");
    assert!(!says_without(&template.yaml["Resources"], "HasMirror", &words));
}

/// One text or several.
fn texts(value: &Yaml) -> Vec<&str> {
    text(value).map_or_else(|| value.as_sequence().into_iter().flatten().filter_map(text).collect(), |one| vec![one])
}

#[test]
fn policies_name_actions_and_resources() {
    // A key's policy is about that key, which it can only call "*", and its first statement lets the account
    // manage it. Buckets' names do not tell whose they are: there, a condition says which.
    let allowed = [("infra/key.yaml", "kms:*"), ("infra/key.yaml", "*"), ("infra/network.yaml", "*")];
    let mut seen = 0;
    for template in Template::all() {
        let mut found = Vec::new();
        statements(&template.yaml["Resources"], &mut found);
        for statement in found.into_iter().filter(|statement| statement["Effect"] == "Allow") {
            let actions = texts(&statement["Action"]);
            assert!(!actions.is_empty(), "{}: {statement:?}", template.path);
            let actions = actions.into_iter().filter(|action| action.contains('*'));
            let resources = statement.get("Resource").map(texts).unwrap_or_default();
            for star in actions.chain(resources.into_iter().filter(|resource| *resource == "*")) {
                assert!(allowed.contains(&(template.path.as_str(), star)), "{}: {statement:?}", template.path);
            }
            seen += 1;
        }
    }
    assert!(seen >= 50, "found only {seen}");
}
