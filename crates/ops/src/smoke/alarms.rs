//! Alarms of the stack that are on.

use anyhow::{Result, ensure};

use crate::{session::Session, signed_calls::Service};

/// No alarm of the stack is on. Nested stacks have names that start with the stack's.
pub async fn check(session: &Session) -> Result<String> {
    let prefix = format!("{}-", session.stack);
    let input = [("AlarmNamePrefix", prefix.as_str()), ("StateValue", "ALARM"), ("MaxRecords", "100")];
    let answer = session.calls.query(Service::CLOUDWATCH, "2010-08-01", "DescribeAlarms", &input).await?;
    let on = names(&answer.ok()?)?;
    ensure!(on.is_empty(), "on: {}", on.join(", "));
    Ok("none is on".to_owned())
}

/// The names of alarms in CloudWatch's answer.
fn names(xml: &str) -> Result<Vec<String>> {
    let document = roxmltree::Document::parse(xml)?;
    let names = document.descendants().filter(|node| node.tag_name().name() == "AlarmName");
    Ok(names.filter_map(|name| Some(name.text()?.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_alarms_are_read() {
        let xml = "<R xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><DescribeAlarmsResult><MetricAlarms>\
            <member><AlarmName>iyagi-Alarms-1-PushLateAlarm-2</AlarmName></member></MetricAlarms></DescribeAlarmsResult></R>";
        assert_eq!(names(xml).expect("names"), ["iyagi-Alarms-1-PushLateAlarm-2"]);
        assert_eq!(names("<R/>").expect("names"), [""; 0]);
        names("no").expect_err("no XML");
    }
}
