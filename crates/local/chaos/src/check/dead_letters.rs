use std::collections::BTreeSet;

use anyhow::Result;

use super::Findings;
use crate::{driver::Driver, model, operation::Queue, queues};

/// The dead letters: what was planted, and nothing else.
pub async fn check(driver: &Driver<'_>, findings: &mut Findings) -> Result<()> {
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
