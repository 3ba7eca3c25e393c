use std::collections::BTreeMap;

use mobile_push::Notification;

use super::Findings;
use crate::{
    driver::Driver,
    model::{self, Certainty, Telling},
};

/// What phones showed: all that had to be, nothing that must not, nothing twice.
pub fn check(driver: &Driver<'_>, shown: &[Notification], findings: &mut Findings) {
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
