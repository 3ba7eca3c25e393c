use std::collections::{BTreeMap, BTreeSet};

use domain::graph::{GenerationPosition, Position};
use mobile_push::Notification;

use super::findings::Findings;
use crate::{
    driver::Driver,
    model::{self, Certainty, ExpectedNotification, ExportPhones},
};

/// Checks that phones displayed all required notifications, no forbidden ones, and none twice.
pub fn check(driver: &Driver<'_>, shown: &[Notification], findings: &mut Findings) {
    let allowed = model::expected(&driver.executed);
    let mut displays: BTreeMap<ExpectedNotification, u64> = BTreeMap::new();
    for notification in check_exports(driver, shown, findings) {
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

/// Checks the notifications that exports are ready. Returns the other ones.
fn check_exports<'a>(driver: &Driver<'_>, shown: &'a [Notification], findings: &mut Findings) -> Vec<&'a Notification> {
    let is_export =
        |notification: &&Notification| notification.data.get("rule").is_some_and(|rule| rule == model::EXPORT_READY);
    let (exports, others): (Vec<_>, Vec<_>) = shown.iter().partition(is_export);
    let phones = model::exports(&driver.executed);
    let requested = driver.actors.exports();
    let mut shown_on = BTreeSet::new();
    for export in exports {
        findings.shown += 1;
        findings.replaced += u64::from(export.replaced);
        let (phone, id) = (driver.actors.phone_of(&export.token), export.data.get("source"));
        // An attempt whose answer was lost may have requested an unknown one.
        let is_of = |person: &usize| requested.get(person) == id || !requested.values().any(|known| Some(known) == id);
        let is_allowed = phones
            .iter()
            .any(|(person, phones)| is_of(person) && phone.is_some_and(|phone| phones.allowed.contains(&phone)));
        let is_first = shown_on.insert((phone, id));
        if !is_allowed || !(is_first || export.replaced) {
            findings.violations.push(format!("must not be displayed: {:?} on {phone:?}", export.data));
        }
    }
    for (person, ExportPhones { required, .. }) in phones.iter().filter(|(_, phones)| phones.required.is_some()) {
        findings.required += 1;
        if !shown_on.contains(&(*required, requested.get(person))) {
            findings.violations.push(format!("the export of person {person} was not displayed on {required:?}"));
        }
    }
    others
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
