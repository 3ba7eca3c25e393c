use std::collections::BTreeMap;

use super::*;
use crate::{findings::Level, preflight::TEMPLATE};

const NEW: LambdaLimits = LambdaLimits { all: 10, unreserved: 10 };
const GROWN: LambdaLimits = LambdaLimits { all: 1_000, unreserved: 1_000 };

/// Parameters of a stack with all parts.
const ALL_PARTS: [(&str, &str); 7] = [
    ("NeptuneEndpointUrl", "https://graph"),
    ("NeptuneClusterResourceId", "cluster-1"),
    ("OpenSearchEndpointUrl", "https://search"),
    ("OpenSearchDomainArn", "arn"),
    ("OpenSearchSubnetIds", "subnet-1"),
    ("OpenSearchSecurityGroupIds", "sg-1"),
    ("PushCredentialsSecretArn", "arn"),
];

/// A plan with mails through SES.
fn plan_in(region: &str, stack: &str, parameters: &[(&str, &str)]) -> Plan {
    let mail = [("MailIdentityArn", "arn"), ("MailFrom", "no-reply@iyagi.example")];
    let parameters =
        mail.iter().chain(parameters).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Plan::of(TEMPLATE, stack, region, "123456789012", parameters).expect("a plan")
}

fn plan(parameters: &[(&str, &str)]) -> Plan {
    plan_in("ap-northeast-2", "iyagi", parameters)
}

/// An account that lacks nothing.
fn account(lambda: LambdaLimits) -> Account {
    let services = ["apigateway", "cognito-idp", "dynamodb", "es", "lambda", "neptune", "secretsmanager", "sns", "sqs"];
    Account {
        id: Ok("123456789012".to_owned()),
        lambda: Ok(lambda),
        api_throttle: Ok(ApiThrottle { rate: 10_000.0, burst: 5_000 }),
        services: Ok(services.map(str::to_owned).into()),
        distributions: Ok(1),
        max_distributions: Ok(200),
        mail: Ok(Mail { is_in_production: true, daily: 50_000 }),
        roles: BTreeMap::from([(OPENSEARCH_ROLE, Ok(true)), (NEPTUNE_ROLE, Ok(true))]),
        stack: Ok(None),
        names: Ok(BTreeSet::new()),
    }
}

fn existing(status: &str, parameters: &[(&str, &str)]) -> Stack {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Stack { status: status.to_owned(), parameters }
}

/// The findings that are not fine: level and subject.
fn concerns(plan: &Plan, account: &Account) -> Vec<(Level, &'static str)> {
    let findings = judge(plan, account).into_iter().filter(|finding| finding.level != Level::Fine);
    findings.map(|finding| (finding.level, finding.subject)).collect()
}

/// A new account has ten executions: fewer than two for each of five queues and one for each of four API functions.
const NEW_ACCOUNT: (Level, &str) = (Level::Warns, "Lambda concurrency");

#[test]
fn defaults_deploy_in_a_new_account() {
    assert_eq!(concerns(&plan(&[]), &account(NEW)), [NEW_ACCOUNT]);
}

#[test]
fn all_parts_in_a_grown_account_are_fine() {
    assert_eq!(concerns(&plan(&ALL_PARTS), &account(GROWN)), []);
}

#[test]
fn reservation_fails_where_too_few_executions_remain() {
    let fails = vec![(Level::Fails, "Lambda concurrency")];
    assert_eq!(concerns(&plan(&[("ApiConcurrency", "3")]), &account(NEW)), fails);
    // Other stacks have reserved: 2 × 100 of 250 leave 50.
    let limits = LambdaLimits { all: 1_000, unreserved: 250 };
    let reserving = plan(&[("ApiConcurrency", "100")]);
    assert_eq!(concerns(&reserving, &account(limits)), fails);
    // An update, whose reservations are among those.
    let updated = Account { stack: Ok(Some(existing("UPDATE_COMPLETE", &[]))), ..account(limits) };
    assert_eq!(concerns(&reserving, &updated), []);
}

#[test]
fn reservation_that_queues_can_use_up_fails() {
    let findings = |executions| concerns(&plan(&[("ApiConcurrency", executions)]), &account(GROWN));
    assert_eq!(findings("2"), [(Level::Fails, "Lambda concurrency")]);
    assert_eq!(findings("3"), []);
}

#[test]
fn workers_that_can_take_all_executions_are_a_concern() {
    let warns = vec![(Level::Warns, "Lambda concurrency")];
    assert_eq!(concerns(&plan(&[("Scale", "small")]), &account(NEW)), warns);
    assert_eq!(concerns(&plan(&[("Scale", "large")]), &account(GROWN)), warns);
    assert_eq!(concerns(&plan(&[("Scale", "medium")]), &account(GROWN)), []);
}

#[test]
fn memory_of_a_grown_account_is_a_concern_in_a_new_one() {
    let large = plan(&[("AudioMemoryMegabytes", "3538")]);
    assert_eq!(concerns(&large, &account(NEW)), [NEW_ACCOUNT, (Level::Warns, "Lambda memory")]);
    assert_eq!(concerns(&large, &account(GROWN)), []);
}

#[test]
fn names_and_state_of_earlier_stacks_are_found() {
    let left = Account { names: Ok(BTreeSet::from(["iyagi-push.fifo".to_owned()])), ..account(GROWN) };
    assert_eq!(concerns(&plan(&[]), &left), [(Level::Fails, "names")]);
    // The names of an existing stack are its own.
    let updated = Account { stack: Ok(Some(existing("UPDATE_COMPLETE", &[]))), ..left };
    assert_eq!(concerns(&plan(&[]), &updated), []);
    for status in ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "UPDATE_IN_PROGRESS"] {
        let stuck = Account { stack: Ok(Some(existing(status, &[]))), ..account(GROWN) };
        assert_eq!(concerns(&plan(&[]), &stuck), [(Level::Fails, "stack")], "{status}");
    }
    for name in ["Iyagi", "a-stack-whose-name-is-too-long"] {
        assert_eq!(
            concerns(&plan_in("ap-northeast-2", name, &[]), &account(GROWN)),
            [(Level::Fails, "names")],
            "{name}"
        );
    }
}

#[test]
fn key_must_not_change_within_its_slot() {
    let updated =
        |slots: &[(&str, &str)]| Account { stack: Ok(Some(existing("UPDATE_COMPLETE", slots))), ..account(GROWN) };
    let secret = ("DeliveryKeySecretArn", "arn");
    let same = plan(&[("DeliveryPublicKey", "one"), secret]);
    assert_eq!(concerns(&same, &updated(&[("DeliveryPublicKey", "one\n")])), []);
    assert_eq!(concerns(&same, &updated(&[("DeliveryPublicKey", "")])), []);
    assert_eq!(concerns(&same, &updated(&[("DeliveryPublicKey", "two")])), [(Level::Fails, "delivery key")]);
    let rotated = plan(&[("DeliveryPublicKey", "one"), ("DeliveryPublicKeyB", "two"), secret]);
    assert_eq!(concerns(&rotated, &updated(&[("DeliveryPublicKey", "one"), ("DeliveryPublicKeyB", "")])), []);
}

#[test]
fn functions_must_be_built_for_the_architecture() {
    let with = |built_for| Plan { built_for, ..plan(&[("Architecture", "arm64")]) };
    assert_eq!(concerns(&with(Some("arm64")), &account(GROWN)), []);
    assert_eq!(concerns(&with(None), &account(GROWN)), []);
    assert_eq!(concerns(&with(Some("x86_64")), &account(GROWN)), [(Level::Fails, "architecture")]);
}

#[test]
fn region_without_a_service_is_found() {
    let without = Account { services: Ok(BTreeSet::from(["lambda".to_owned()])), ..account(GROWN) };
    assert_eq!(concerns(&plan(&[]), &without), [(Level::Warns, "region")]);
    let push = [("PushCredentialsSecretArn", "arn")];
    assert_eq!(concerns(&plan_in("eu-central-2", "iyagi", &push), &account(GROWN)), [(Level::Fails, "push")]);
    assert_eq!(concerns(&plan_in("eu-central-2", "iyagi", &[]), &account(GROWN)), []);
}

#[test]
fn quotas_and_verification_are_judged() {
    let first = Account { distributions: Ok(0), ..account(GROWN) };
    assert_eq!(concerns(&plan(&[]), &first), [(Level::Warns, "CloudFront")]);
    let full = Account { distributions: Ok(200), ..account(GROWN) };
    assert_eq!(concerns(&plan(&[]), &full), [(Level::Fails, "CloudFront")]);
    assert_eq!(concerns(&plan(&[("ApiRate", "20000")]), &account(GROWN)), [(Level::Warns, "API Gateway")]);
    // A newer region.
    let slower = Account { api_throttle: Ok(ApiThrottle { rate: 2_500.0, burst: 1_250 }), ..account(GROWN) };
    assert_eq!(concerns(&plan(&[]), &slower), [(Level::Warns, "API Gateway")]);
    assert_eq!(concerns(&plan(&[("ApiBurst", "1250")]), &slower), []);
    let sandbox = Account { mail: Ok(Mail { is_in_production: false, daily: 200 }), ..account(GROWN) };
    assert_eq!(concerns(&plan(&[]), &sandbox), [(Level::Warns, "mail")]);
    assert_eq!(concerns(&plan(&[("MailIdentityArn", "")]), &account(GROWN)), [(Level::Warns, "mail")]);
}

#[test]
fn role_matters_only_to_the_part_that_needs_it() {
    let none =
        Account { roles: BTreeMap::from([(OPENSEARCH_ROLE, Ok(false)), (NEPTUNE_ROLE, Ok(false))]), ..account(GROWN) };
    assert_eq!(concerns(&plan(&[]), &none), []);
    assert_eq!(concerns(&plan(&ALL_PARTS), &none), [(Level::Fails, "roles"), (Level::Fails, "roles")]);
}

#[test]
fn parameters_that_belong_together_are_checked() {
    let lonely = plan(&[("NeptuneEndpointUrl", "https://graph")]);
    assert_eq!(concerns(&lonely, &account(GROWN)), [(Level::Fails, "parameters")]);
    let certificate = |region: &str| {
        let arn = format!("arn:aws:acm:{region}:123456789012:certificate/1");
        plan(&[("DeliveryDomainName", "media.iyagi.example"), ("DeliveryCertificateArn", &arn)])
    };
    assert_eq!(concerns(&certificate("ap-northeast-2"), &account(GROWN)), [(Level::Fails, "parameters")]);
    assert_eq!(concerns(&certificate("us-east-1"), &account(GROWN)), []);
    let google = [("GoogleClientId", "id"), ("SignInDomainPrefix", "iyagi"), ("SignInSecretArn", "arn")];
    assert_eq!(concerns(&plan(&google), &account(GROWN)), []);
    assert_eq!(concerns(&plan(&google[..2]), &account(GROWN)), [(Level::Fails, "parameters")]);
    let canary = [("ApiCanary", "true"), ("Release", "3fd1")];
    assert_eq!(concerns(&plan(&canary), &account(GROWN)), []);
    assert_eq!(concerns(&plan(&canary[..1]), &account(GROWN)), [(Level::Warns, "parameters")]);
}

#[test]
fn unknown_facts_are_reported_and_fail_nothing() {
    let unknown = Account {
        id: Err("denied".to_owned()),
        lambda: Err("denied".to_owned()),
        api_throttle: Err("denied".to_owned()),
        services: Err("denied".to_owned()),
        distributions: Err("denied".to_owned()),
        max_distributions: Err("denied".to_owned()),
        mail: Err("denied".to_owned()),
        roles: BTreeMap::new(),
        stack: Err("denied".to_owned()),
        names: Err("denied".to_owned()),
    };
    let findings = concerns(&plan(&ALL_PARTS), &unknown);
    assert!(findings.len() >= 10 && findings.iter().all(|(level, _)| *level == Level::Unknown), "{findings:?}");
}
