//! Data and messages are retained, and policies are narrow.

use std::collections::BTreeSet;

use yaml_serde::Value as Yaml;

use super::{
    metrics::Metric,
    roles::{find_statements, texts},
    template::{ALARMS, Template, resource, text},
};

#[test]
fn queue_has_a_dead_letter_queue_with_an_alarm() {
    let template = Template::read("template.yaml");
    let queues = template.resources("AWS::SQS::Queue");
    let target = |queue: &Yaml| {
        let target = text(queue["Properties"].get("RedrivePolicy")?.get("deadLetterTargetArn")?)?;
        Some(resource(target).to_owned())
    };
    let dead_letter_queues: BTreeSet<_> =
        queues.keys().filter(|name| name.ends_with("DeadLetters")).map(|name| (*name).to_owned()).collect();
    for (name, queue) in &queues {
        match target(queue) {
            Some(target) => assert!(
                dead_letter_queues.contains(&target),
                "{target}, the dead-letter queue of {name}, does not exist"
            ),
            None => assert!(dead_letter_queues.contains(*name), "{name} has no dead-letter queue"),
        }
    }
    let with_alarm = queues_with_alarm_of("ApproximateNumberOfMessagesVisible");
    assert_eq!(dead_letter_queues, with_alarm);
    for (name, subscription) in template.resources("AWS::SNS::Subscription") {
        assert!(
            target(subscription).is_some_and(|target| dead_letter_queues.contains(&target)),
            "{name} has no dead-letter queue"
        );
    }
}

/// The queues with an alarm of a metric.
fn queues_with_alarm_of(metric: &str) -> BTreeSet<String> {
    Template::read(ALARMS)
        .resources("AWS::CloudWatch::Alarm")
        .values()
        .map(|alarm| Metric::of_alarm(&alarm["Properties"]))
        .filter(|alarm| alarm.name == metric)
        .map(|alarm| resource(&alarm.dimensions["QueueName"]).to_owned())
        .collect()
}

/// Failures that are retried for long are no dead letters.
#[test]
fn queue_that_a_function_consumes_has_an_alarm_of_its_oldest_message() {
    let template = Template::read("template.yaml");
    let consumed: BTreeSet<_> = template
        .resources("AWS::Lambda::EventSourceMapping")
        .values()
        .filter_map(|mapping| text(&mapping["Properties"]["EventSourceArn"]))
        .map(|queue| resource(queue).to_owned())
        .collect();
    assert!(consumed.len() >= 10, "found only {consumed:?}");
    assert_eq!(queues_with_alarm_of("ApproximateAgeOfOldestMessage"), consumed);
}

#[test]
fn data_is_retained_without_the_stack() {
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
        assert_eq!(*recovery, true, "{name} cannot be restored");
    }
}

#[test]
fn tables_and_pool_can_be_protected_against_deletion() {
    let template = Template::read("template.yaml");
    for (name, table) in template.resources("AWS::DynamoDB::Table") {
        let protection = &table["Properties"]["DeletionProtectionEnabled"];
        assert_eq!(protection.get(0).and_then(text), Some("ProtectsData"), "{name}");
    }
    for (name, pool) in template.resources("AWS::Cognito::UserPool") {
        let protection = &pool["Properties"]["DeletionProtection"];
        assert_eq!(protection.get(0).and_then(text), Some("ProtectsData"), "{name}");
    }
}

#[test]
fn refresh_tokens_are_used_once_and_not_by_the_flow_that_cognito_refuses_with_it() {
    let template = Template::read("template.yaml");
    let mut rotating = Vec::new();
    for (name, client) in template.resources("AWS::Cognito::UserPoolClient") {
        let client = &client["Properties"];
        // By the tier: LITE has no rotation.
        let rotation = client.get("RefreshTokenRotation").and_then(|rotation| rotation.get(1));
        let rotates = rotation.is_some_and(|rotation| rotation["Feature"] == "ENABLED");
        let flows = client["ExplicitAuthFlows"].as_sequence().expect("flows");
        let allows_refresh = flows.iter().any(|flow| flow == "ALLOW_REFRESH_TOKEN_AUTH");
        assert!(!allows_refresh, "{name}");
        if rotates {
            rotating.push(name);
        }
    }
    assert_eq!(rotating, ["UserPoolClient"], "tokens of the other client cannot be refreshed at all");
}

/// Callers who are signed in have a quota. Others could use up the rate limit of all.
#[test]
fn route_without_sign_in_has_a_throttle_of_its_own() {
    let template = Template::read("template.yaml");
    let routes = template.resources("AWS::ApiGatewayV2::Route");
    let open: BTreeSet<_> = routes
        .values()
        .filter(|route| route["Properties"].get("AuthorizationType").and_then(text) != Some("JWT"))
        .map(|route| text(&route["Properties"]["RouteKey"]).expect("a route key"))
        .collect();
    assert!(routes.len() > 15 && !open.is_empty(), "{open:?}");
    for (name, stage) in template.resources("AWS::ApiGatewayV2::Stage") {
        let settings = &stage["Properties"]["RouteSettings"];
        for route in &open {
            for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
                let limit = settings.get(*route).and_then(|settings| settings.get(limit)).and_then(Yaml::as_u64);
                assert!(limit.is_some_and(|limit| (1..=100).contains(&limit)), "{name}: {route}");
            }
        }
    }
}

#[test]
fn stage_waits_for_the_routes_that_its_settings_name() {
    let template = Template::read("template.yaml");
    let routes = template.resources("AWS::ApiGatewayV2::Route");
    for (name, stage) in template.resources("AWS::ApiGatewayV2::Stage") {
        let variables = &stage["Properties"]["StageVariables"];
        let waits_for: Vec<_> = stage["DependsOn"].as_sequence().expect("names").iter().filter_map(text).collect();
        for key in stage["Properties"]["RouteSettings"].as_mapping().expect("settings").keys() {
            let route = routes.iter().find(|(_, route)| route["Properties"]["RouteKey"] == *key);
            let (route, _) = route.unwrap_or_else(|| panic!("{name}: {key:?} is no route"));
            let refers = format!("{variables:?}").contains(&format!("\"{route}\""));
            assert!(waits_for.contains(route) || refers, "{name} does not wait for {route}");
        }
    }
}

#[test]
fn access_log_is_json_also_for_errors() {
    let template = Template::read("template.yaml");
    for (name, stage) in template.resources("AWS::ApiGatewayV2::Stage") {
        let format = text(&stage["Properties"]["AccessLogSettings"]["Format"]).expect("a text");
        // API Gateway quotes this one itself, and writes `-` without an error.
        assert!(!format.contains("messageString"), "{name}");
        let fields: serde_json::Value = serde_json::from_str(format).expect("JSON");
        let fields = fields.as_object().expect("an object");
        assert!(fields.len() >= 9 && fields.values().all(serde_json::Value::is_string), "{format}");
    }
}

/// Whether a text contains one of `words` where `condition` is false.
fn mentions_without(value: &Yaml, condition: &str, words: &[&str]) -> bool {
    let mentions = |value: &Yaml| mentions_without(value, condition, words);
    match value {
        Yaml::Tagged(tagged) if tagged.value.get(0).and_then(text) == Some(condition) => {
            tagged.value.get(2).is_some_and(mentions)
        }
        Yaml::Tagged(tagged) => mentions(&tagged.value),
        Yaml::Sequence(items) => items.iter().any(mentions),
        Yaml::Mapping(fields) => {
            fields.get("Condition").and_then(text) != Some(condition) && fields.values().any(mentions)
        }
        value => text(value).is_some_and(|text| words.iter().any(|word| text.contains(word))),
    }
}

#[test]
fn search_replication_is_conditional() {
    let template = Template::read("template.yaml");
    assert_eq!(template.yaml["Parameters"]["NeptuneTextIndex"]["Default"], "");
    let words = ["MirrorTable", "NeptuneTextIndex"];
    assert!(mentions_without(&template.yaml["Resources"], "HasGraph", &words), "the check finds nothing");
    assert!(!mentions_without(&template.yaml["Resources"], "HasMirror", &words));
}

#[test]
fn policy_has_no_wildcard_action_or_resource() {
    // In the policy of a key, "*" is the key itself, and the account needs all actions. The policy for buckets limits
    // the account with a condition.
    let allowed = [("infra/key.yaml", "kms:*"), ("infra/key.yaml", "*"), ("infra/network.yaml", "*")];
    let mut count = 0;
    for template in Template::all() {
        let mut found = Vec::new();
        find_statements(&template.yaml["Resources"], &mut found);
        for statement in found.into_iter().filter(|statement| statement["Effect"] == "Allow") {
            let actions = texts(&statement["Action"]);
            assert!(!actions.is_empty(), "{}: {statement:?}", template.path);
            let actions = actions.into_iter().filter(|action| action.contains('*'));
            let resources = statement.get("Resource").map(texts).unwrap_or_default();
            for wildcard in actions.chain(resources.into_iter().filter(|resource| *resource == "*")) {
                assert!(allowed.contains(&(template.path.as_str(), wildcard)), "{}: {statement:?}", template.path);
            }
            count += 1;
        }
    }
    assert!(count >= 50, "found only {count}");
}
