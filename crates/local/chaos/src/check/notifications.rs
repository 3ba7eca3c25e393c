use std::collections::BTreeMap;

use domain::graph::{GenerationPosition, Position};
use mobile_push::Notification;

use super::findings::Findings;
use crate::{
    driver::Driver,
    model::{self, Certainty, ExpectedNotification},
};

/// Checks that phones displayed all required notifications, no forbidden ones, and none twice.
pub fn check(driver: &Driver<'_>, shown: &[Notification], findings: &mut Findings) {
    let allowed = model::expected(&driver.executed);
    let mut displays: BTreeMap<ExpectedNotification, u64> = BTreeMap::new();
    for notification in shown {
        findings.shown += 1;
        let description = format!("{:?} on {}", notification.data, notification.token);
        let Some(key) = notification_key(driver, notification) else {
            findings.violations.push(format!("unknown notification: {description}"));
            continue;
        };
        if !allowed.contains_key(&key) {
            findings.violations.push(format!("must not be displayed: {key:?} ({})", notification.notice.body));
        }
        let count = displays.entry(key).or_default();
        *count += 1;
        if *count > 1 {
            findings.replaced += 1;
            if !notification.replaced {
                findings.violations.push(format!("displayed twice: {description}"));
            }
        }
    }
    for (key, certainty) in &allowed {
        if *certainty == Certainty::Must {
            findings.required += 1;
            if !displays.contains_key(key) {
                findings.violations.push(format!("was not displayed: {key:?}"));
            }
        }
    }
    for one_of in model::alternatives(&driver.executed) {
        findings.required += 1;
        if !one_of.iter().any(|key| displays.contains_key(key)) {
            findings.violations.push(format!("none was displayed: {one_of:?}"));
        }
    }
}

fn notification_key(driver: &Driver<'_>, notification: &Notification) -> Option<ExpectedNotification> {
    // `<cluster>/<commitNum>/<opNum>`
    let (event, op_num) = notification.data.get("event")?.rsplit_once('/')?;
    let (cluster, commit) = event.rsplit_once('/')?;
    let commit = commit.parse().ok()?;
    let position = GenerationPosition::of(cluster, Position::new(commit, op_num.parse().ok()?));
    let rule = &domain::push::rules::by_id(notification.data.get("rule")?)?.id;
    let phone = driver.actors.phone_of(&notification.token)?;
    Some(ExpectedNotification { generation: position.generation.into(), commit, rule, phone })
}
