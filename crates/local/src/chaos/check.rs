//! The end of a history, held against the model.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use domain::media::MediaId;
use http::Method;
use serde_json::Value;

use super::{
    driver::Driver,
    model::{self, Certainty, State, Telling},
    operation::Queue,
    queues,
};
use crate::{aws::Aws, phones::Notification};

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is not as it must be.
    pub violations: Vec<String>,
    /// How many notifications phones have shown.
    pub shown: u64,
    /// How many of them took the place of an earlier showing of the same.
    pub shown_again: u64,
    /// How many had to be shown.
    pub required: u64,
    /// How many files are shown.
    pub ready: u64,
}

/// Looks at all there is. `since` is where the phones stood before; `others` are the items of earlier
/// histories that are shown, to which this one's are added.
pub async fn check(driver: &Driver<'_>, since: u64, others: &mut BTreeSet<MediaId>) -> Result<Findings> {
    let mut findings = Findings::default();
    let shown = driver.stack.phones().notifications(since).await?;
    notifications(driver, &shown, &mut findings);
    media(driver, others, &mut findings).await?;
    dead_letters(driver, &mut findings).await?;
    Ok(findings)
}

fn notifications(driver: &Driver<'_>, shown: &[Notification], findings: &mut Findings) {
    let right = model::tellings(&driver.done);
    let mut times: BTreeMap<Telling, u64> = BTreeMap::new();
    for notification in shown {
        findings.shown += 1;
        let about = format!("{:?} on {}", notification.data, notification.token);
        let Some(telling) = telling(driver, notification) else {
            findings.violations.push(format!("nobody knows of this notification: {about}"));
            continue;
        };
        if !right.contains_key(&telling) {
            findings.violations.push(format!("must not be told: {telling:?} ({})", notification.notice.body));
        }
        let times = times.entry(telling).or_default();
        *times += 1;
        if *times > 1 {
            findings.shown_again += 1;
            if !notification.replaced {
                findings.violations.push(format!("stands twice on one phone: {about}"));
            }
        }
    }
    for (telling, certainty) in &right {
        if *certainty == Certainty::Must {
            findings.required += 1;
            if !times.contains_key(telling) {
                findings.violations.push(format!("was not told: {telling:?}"));
            }
        }
    }
}

fn telling(driver: &Driver<'_>, notification: &Notification) -> Option<Telling> {
    let commit = notification.data.get("event")?.rsplit('/').nth(1)?.parse().ok()?;
    let rule = domain::push::rules::by_id(notification.data.get("rule")?)?;
    Some(Telling { commit, rule: &rule.id, phone: driver.cast.phone_of(&notification.token)? })
}

async fn media(driver: &Driver<'_>, others: &mut BTreeSet<MediaId>, findings: &mut Findings) -> Result<()> {
    let bucket = driver.stack.output("DerivedBucketName")?;
    let aws = driver.stack.aws();
    let mut kept = all_keys(&aws, bucket).await?;
    let states = model::media(&driver.done);
    for (place, stored) in driver.cast.stored() {
        let state = states.get(place).copied().unwrap_or(State::Gone);
        let user = driver.cast.user(stored.owner);
        let answer = user.send(driver.stack, Method::GET, &format!("/v1/media/{}", stored.id), &[], None).await?;
        let item: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        let found = match (answer.status.as_u16(), item["state"].as_str()) {
            (404, _) => "gone".to_owned(),
            (200, Some(state)) => state.to_owned(),
            (status, _) => format!("status {status}"),
        };
        let expected = match state {
            State::Ready => "ready",
            State::Failed => "failed",
            State::Gone => "gone",
        };
        if found != expected {
            findings.violations.push(format!("{place:?} ({}) is {found}, not {expected}", stored.id));
        }
        let files = kept.remove(&stored.id.to_string()).unwrap_or_default();
        let linked = match state {
            State::Ready => links(&item),
            State::Failed | State::Gone => BTreeSet::new(),
        };
        let unlinked: Vec<_> = files.difference(&linked).collect();
        let missing: Vec<_> = linked.difference(&files).collect();
        if !unlinked.is_empty() || !missing.is_empty() || (state == State::Ready && linked.is_empty()) {
            findings
                .violations
                .push(format!("{place:?}: files without item {unlinked:?}, item without files {missing:?}"));
        }
        if state == State::Ready {
            findings.ready += 1;
            others.insert(stored.id);
        }
    }
    for id in others.iter() {
        kept.remove(&id.to_string());
    }
    findings.violations.extend(kept.keys().map(|id| format!("files of {id}, which is no item")));
    Ok(())
}

/// The keys of the files that an item links to.
fn links(item: &Value) -> BTreeSet<String> {
    let urls = item["variants"].as_array().into_iter().flatten().filter_map(|variant| variant["url"].as_str());
    let key = |url: &str| {
        let path = url.split_once("://")?.1.split_once('/')?.1;
        Some(path.split('?').next().unwrap_or(path).to_owned())
    };
    urls.filter_map(key).collect()
}

/// All keys of a bucket, by the item that they begin with.
async fn all_keys(aws: &Aws, bucket: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last = String::new();
    loop {
        let page = aws.list_objects_after(bucket, "", &last).await?;
        let Some(end) = page.last() else { return Ok(keys) };
        last = end.clone();
        for key in page {
            let id = key.split('/').next().context("a key without an item")?.to_owned();
            keys.entry(id).or_default().insert(key);
        }
    }
}

async fn dead_letters(driver: &Driver<'_>, findings: &mut Findings) -> Result<()> {
    let planted = model::poison(&driver.done);
    for queue in Queue::ALL {
        let found = queues::dead_letters(driver.stack, &queue.dead_letters()).await?;
        let numbers = planted.get(&queue).into_iter().flatten();
        let expected: BTreeSet<_> = numbers.map(|number| driver.cast.poison(*number)).collect();
        compare(&format!("{queue:?}"), &expected, &found, findings);
    }
    let found = queues::dead_letters(driver.stack, "GraphChangesDeadLettersUrl").await?;
    compare("GraphChanges", &BTreeSet::new(), &found, findings);
    Ok(())
}

fn compare(queue: &str, expected: &BTreeSet<String>, found: &BTreeSet<String>, findings: &mut Findings) {
    for missing in expected.difference(found) {
        findings.violations.push(format!("{queue}: {missing} is no dead letter"));
    }
    for letter in found.difference(expected) {
        findings.violations.push(format!("{queue}: a dead letter that nobody planted: {letter}"));
    }
}
