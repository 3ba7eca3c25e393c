//! Compares a plan with an account.

use std::collections::BTreeSet;

use super::{
    account::{
        API_RATE, Account, ApiThrottle, DISTRIBUTIONS, Fact, LambdaLimits, Mail, NEPTUNE_ROLE, OPENSEARCH_ROLE, Stack,
    },
    plan::Plan,
};
use crate::findings::Finding;

/// Executions that Lambda keeps without reservation (Lambda Developer Guide, "Configuring reserved concurrency").
const MIN_UNRESERVED: u64 = 100;
/// Default of accounts that are no longer new (Lambda quotas).
const GROWN_ACCOUNT: u64 = 1_000;
/// Maximum memory of functions in new accounts, in MB. No API returns it.
const NEW_ACCOUNT_MEMORY: u64 = 3_008;
/// Mails that Cognito sends in a day without SES ("Email settings for Amazon Cognito user pools").
const COGNITO_MAILS: u64 = 50;
/// Maximum length of a bucket's name.
const MAX_BUCKET_NAME: usize = 63;
/// Regions with platform applications ("Amazon SNS mobile application supported Regions").
const PUSH_REGIONS: [&str; 24] = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "me-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// All findings.
pub fn judge(plan: &Plan, account: &Account) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.push(match &account.id {
        Ok(id) => Finding::fine("account", id.clone()),
        Err(reason) => Finding::unknown("account", reason),
    });
    findings.extend(parameters(plan));
    findings.extend(architecture(plan));
    findings.extend(known("stack", &account.stack, |found| stack(plan, found.as_ref(), &account.names)));
    findings.extend(known("Lambda concurrency", &account.lambda, |limits| {
        concurrency(plan, *limits, matches!(account.stack, Ok(Some(_))))
    }));
    findings.extend(known("Lambda memory", &account.lambda, |limits| vec![memory(plan, *limits)]));
    findings.extend(known("API Gateway", &account.api_throttle, |throttle| api_rates(plan, *throttle)));
    findings.extend(known("region", &account.services, |services| vec![region(plan, services)]));
    findings.extend(push_region(plan));
    findings.extend(known("CloudFront", &account.distributions, |count| {
        vec![cloudfront(*count, &account.max_distributions)]
    }));
    findings.extend(known("mail", &account.mail, |mail| vec![mails(plan, *mail)]));
    findings.extend(roles(plan, account));
    findings
}

/// The findings of a known fact, or why it is unknown.
fn known<T>(subject: &'static str, fact: &Fact<T>, judge: impl FnOnce(&T) -> Vec<Finding>) -> Vec<Finding> {
    match fact {
        Ok(value) => judge(value),
        Err(reason) => vec![Finding::unknown(subject, reason)],
    }
}

fn parameters(plan: &Plan) -> Vec<Finding> {
    let value = |name: &str| plan.parameters.get(name).map_or("", String::as_str);
    let missing =
        Plan::REQUIRED_TOGETHER.into_iter().filter(|(one, other)| !value(one).is_empty() && value(other).is_empty());
    let mut findings: Vec<_> = missing
        .map(|(one, other)| {
            Finding::fails("parameters", format!("{one} is set, {other} is empty"), format!("set {other}"))
        })
        .collect();
    if value("ApiCanary") == "true" && value("Release").is_empty() {
        let text = "ApiCanary is true, Release is empty: a change of parameters alone does not reach the API functions";
        findings.push(Finding::warns("parameters", text, "Release=NAME, another one at each deployment"));
    }
    let certificate = value("DeliveryCertificateArn");
    if !certificate.is_empty() && certificate.split(':').nth(3) != Some("us-east-1") {
        let text = "CloudFront accepts certificates of us-east-1 only";
        findings.push(Finding::fails("parameters", text, "request DeliveryCertificateArn in us-east-1"));
    }
    findings
}

fn architecture(plan: &Plan) -> Option<Finding> {
    let built_for = plan.built_for?;
    if built_for == plan.architecture {
        return Some(Finding::fine("architecture", format!("the functions are built for {built_for}")));
    }
    let text = format!("the functions are built for {built_for}, but Architecture is {}", plan.architecture);
    Some(Finding::fails("architecture", text, "sam build with the same --config-env or --parameter-overrides"))
}

fn stack(plan: &Plan, stack: Option<&Stack>, names: &Fact<BTreeSet<String>>) -> Vec<Finding> {
    let name = &plan.stack;
    let fails = |text: String, mend: String| vec![Finding::fails("stack", text, mend)];
    let Some(stack) = stack.filter(|stack| stack.status != "REVIEW_IN_PROGRESS") else { return new_stack(plan, names) };
    match stack.status.as_str() {
        status @ ("ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "DELETE_FAILED" | "CREATE_FAILED") => fails(
            format!("{name} is {status}: it cannot be updated"),
            format!("aws cloudformation delete-stack --stack-name {name}"),
        ),
        "UPDATE_ROLLBACK_FAILED" => fails(
            format!("{name} is UPDATE_ROLLBACK_FAILED"),
            format!("aws cloudformation continue-update-rollback --stack-name {name}"),
        ),
        status if status.ends_with("_IN_PROGRESS") => {
            fails(format!("{name} is {status}"), "wait until it has ended".to_owned())
        }
        status => {
            let mut findings = changed_keys(plan, stack);
            findings.push(Finding::fine("stack", format!("{name} is {status} and will be updated")));
            findings
        }
    }
}

/// CloudFront refuses to change a key.
fn changed_keys(plan: &Plan, stack: &Stack) -> Vec<Finding> {
    let is_changed = |slot: &&str| {
        let (old, new) = (stack.parameters.get(*slot), plan.parameters.get(*slot));
        old.zip(new).is_some_and(|(old, new)| !old.is_empty() && !new.is_empty() && old.trim() != new.trim())
    };
    let changed = ["DeliveryPublicKey", "DeliveryPublicKeyB"].into_iter().filter(is_changed);
    changed
        .map(|slot| {
            let text = format!("{slot} has another key, and CloudFront refuses to change one");
            Finding::fails(
                "delivery key",
                text,
                "put the new key into the other slot (docs/operations/ops-tool.md#jobs)",
            )
        })
        .collect()
}

/// Names that a new stack will create must be free.
fn new_stack(plan: &Plan, names: &Fact<BTreeSet<String>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_dns_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    for bucket in plan.buckets.iter().filter(|name| name.len() > MAX_BUCKET_NAME || !is_dns_name(name)) {
        let text = format!("{bucket} is no name of a bucket: at most {MAX_BUCKET_NAME} lower-case characters");
        findings.push(Finding::fails("names", text, "use a short stack name in lower case"));
    }
    findings.extend(known("names", names, |names| {
        let taken = names.iter().map(|name| {
            let text = format!("{name} exists, but the stack {} does not: an earlier stack left it", plan.stack);
            Finding::fails("names", text, "import it (docs/operations/ops-tool.md#jobs), or choose another stack name")
        });
        taken.collect()
    }));
    if findings.is_empty() {
        findings.push(Finding::fine("stack", format!("{} is new, and its names are free", plan.stack)));
    }
    findings
}

/// `has_stack`: the account's reservations include those of an existing stack.
fn concurrency(plan: &Plan, limits: LambdaLimits, has_stack: bool) -> Vec<Finding> {
    const SUBJECT: &str = "Lambda concurrency";
    let raise = |value: u64| {
        format!(
            "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 \
             --desired-value {value}"
        )
    };
    if !plan.starved.is_empty() {
        let text = format!("queues can use all executions that are reserved for each of {}", plan.starved.join(", "));
        return vec![Finding::fails(SUBJECT, text, "ApiConcurrency=0, or at least 3")];
    }
    let available = if has_stack { limits.all } else { limits.unreserved };
    let left = available.saturating_sub(plan.reserved);
    if plan.reserved > 0 && (left < MIN_UNRESERVED || plan.reserved > available) {
        let text =
            format!("{} reserved executions leave {left} of {available}; Lambda keeps {MIN_UNRESERVED}", plan.reserved);
        let mend = format!("ApiConcurrency=0 PollerConcurrency=0, or {}", raise(GROWN_ACCOUNT));
        return vec![Finding::fails(SUBJECT, text, mend)];
    }
    let others = plan.unreserved_schedules * 2 + plan.unreserved_apis;
    if left < plan.workers + others {
        let text = format!(
            "queue workers can use {} of {left} executions. Throttled API functions answer 503; throttled messages \
             are retried and can become dead letters",
            plan.workers
        );
        let needed = (plan.workers + others + plan.reserved + MIN_UNRESERVED).max(GROWN_ACCOUNT);
        return vec![Finding::warns(SUBJECT, text, format!("a smaller Scale, or {}", raise(needed)))];
    }
    vec![Finding::fine(
        SUBJECT,
        format!("queue workers use at most {} of {left} executions; {} more are reserved", plan.workers, plan.reserved),
    )]
}

fn memory(plan: &Plan, limits: LambdaLimits) -> Finding {
    let (function, megabytes) = &plan.largest;
    if *megabytes <= NEW_ACCOUNT_MEMORY {
        return Finding::fine("Lambda memory", format!("at most {megabytes} MB"));
    }
    let text = format!("{function} has {megabytes} MB; new accounts allow {NEW_ACCOUNT_MEMORY}, which no API tells");
    if limits.all < GROWN_ACCOUNT {
        return Finding::warns("Lambda memory", text, "AudioMemoryMegabytes=3008, or ask AWS Support for more");
    }
    Finding::fine(
        "Lambda memory",
        format!("{function} has {megabytes} MB; the account's other limits are not those of a new one"),
    )
}

fn api_rates(plan: &Plan, throttle: ApiThrottle) -> Vec<Finding> {
    let (rate, burst) = plan.api_rate;
    let check = |parameter: &str, wanted: u64, limit: u64, raise: &str| {
        if wanted <= limit {
            return Finding::fine("API Gateway", format!("{parameter} {wanted} of {limit}"));
        }
        Finding::warns(
            "API Gateway",
            format!("{parameter} is {wanted}, but all APIs of the account together may have {limit}"),
            format!("{parameter}={limit} or less, or {raise}"),
        )
    };
    let raise = format!(
        "aws service-quotas request-service-quota-increase --service-code apigateway --quota-code {API_RATE} \
         --desired-value {rate}"
    );
    let rates = check("ApiRate", rate, throttle.rate.max(0.0) as u64, &raise);
    vec![rates, check("ApiBurst", burst, throttle.burst, "a raise of the rate, which AWS derives the burst from")]
}

fn region(plan: &Plan, services: &BTreeSet<String>) -> Finding {
    let mut needed = vec!["apigateway", "cognito-idp", "dynamodb", "lambda", "secretsmanager", "sns", "sqs"];
    needed.extend(plan.parts.graph.then_some("neptune"));
    needed.extend(plan.parts.search.then_some("es"));
    let missing: Vec<_> = needed.into_iter().filter(|name| !services.contains(*name)).collect();
    if missing.is_empty() {
        return Finding::fine("region", format!("{} has all services", plan.region));
    }
    let text = format!("AWS does not list {} in {}", missing.join(", "), plan.region);
    Finding::warns("region", text, "choose another region")
}

fn push_region(plan: &Plan) -> Option<Finding> {
    if !plan.parts.push {
        return None;
    }
    if PUSH_REGIONS.contains(&plan.region.as_str()) {
        return Some(Finding::fine("push", format!("{} has mobile push", plan.region)));
    }
    let text = format!("SNS has no mobile push in {}", plan.region);
    Some(Finding::fails("push", text, "choose another region, or leave PushCredentialsSecretArn empty"))
}

fn cloudfront(distributions: u64, quota: &Fact<u64>) -> Finding {
    if let Ok(quota) = quota
        && distributions >= *quota
    {
        let text = format!("the account has {distributions} of {quota} distributions");
        return Finding::fails("CloudFront", text, format!("a raise of the quota {DISTRIBUTIONS} of cloudfront"));
    }
    if distributions == 0 {
        return Finding::warns(
            "CloudFront",
            "the account has no distribution yet. New accounts are refused with \"Your account must be verified before \
             you can add new CloudFront resources\", which shows only then",
            "if so, open a case with AWS Support that quotes the message, then deploy again",
        );
    }
    Finding::fine("CloudFront", format!("the account has distributions: {distributions}"))
}

fn mails(plan: &Plan, mail: Mail) -> Finding {
    if plan.parameters.get("MailIdentityArn").is_none_or(String::is_empty) {
        let text = format!("Cognito itself sends {COGNITO_MAILS} mails a day: so many people can sign up");
        return Finding::warns("mail", text, "verify a domain in SES, and set MailIdentityArn and MailFrom");
    }
    if mail.is_in_production {
        return Finding::fine("mail", format!("SES sends {} mails a day", mail.daily));
    }
    Finding::warns(
        "mail",
        "SES is in its sandbox: it sends mails to verified addresses only",
        "request production access: aws sesv2 put-account-details --production-access-enabled …",
    )
}

fn roles(plan: &Plan, account: &Account) -> Vec<Finding> {
    let needed = [
        (plan.parts.search_in_vpc, OPENSEARCH_ROLE, "opensearchservice.amazonaws.com"),
        (plan.parts.graph, NEPTUNE_ROLE, "rds.amazonaws.com"),
    ];
    let judge = |(_, role, service): (bool, &'static str, &str)| match account.roles.get(role) {
        Some(Ok(true)) => Finding::fine("roles", format!("{role} exists")),
        Some(Ok(false)) => Finding::fails(
            "roles",
            format!("the service-linked role {role} does not exist"),
            format!("aws iam create-service-linked-role --aws-service-name {service}"),
        ),
        Some(Err(reason)) => Finding::unknown("roles", reason),
        None => Finding::unknown("roles", "the role was not read"),
    };
    needed.into_iter().filter(|(is_needed, ..)| *is_needed).map(judge).collect()
}

#[cfg(test)]
mod tests;
