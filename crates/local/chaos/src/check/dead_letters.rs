use std::collections::BTreeSet;

use anyhow::Result;

use super::findings::Findings;
use crate::{driver::Driver, model, operation::Queue, queues};

/// Checks that the dead letters are exactly the poison messages.
pub async fn check(driver: &Driver<'_>, findings: &mut Findings) -> Result<()> {
    let poison = model::poison(&driver.executed);
    for queue in Queue::ALL {
        let found = queues::dead_letters(driver.stack, &queue.dead_letters()).await?;
        let numbers = poison.get(&queue).into_iter().flatten();
        let expected: BTreeSet<_> = numbers.map(|number| driver.actors.poison(*number)).collect();
        compare(&format!("{queue:?}"), &expected, &found, findings);
    }
    let found = queues::dead_letters(driver.stack, "GraphChangesDeadLettersUrl").await?;
    compare("GraphChanges", &BTreeSet::new(), &found, findings);
    Ok(())
}

fn compare(queue: &str, expected: &BTreeSet<String>, found: &BTreeSet<String>, findings: &mut Findings) {
    for missing in expected.difference(found) {
        findings.violations.push(format!("{queue}: {missing} is not a dead letter"));
    }
    for unexpected in found.difference(expected) {
        findings.violations.push(format!("{queue}: unexpected dead letter: {unexpected}"));
    }
}
