//! What a stack stores about a person.

use std::fmt;

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::stack::Stack;

/// Buckets with files of persons.
const BUCKETS: [&str; 3] = ["OriginalsBucketName", "DerivedBucketName", "ExportsBucketName"];
/// Tables that are projections of the graph. The mirror's has no output.
const PROJECTIONS: [&str; 3] = ["AudienceTableName", "FollowsTableName", "SearchTableName"];
/// Part of the name of the mirror's table.
const MIRROR: &str = "MirrorTable";

/// What identifies a person.
#[derive(Debug, Clone)]
pub struct Person {
    /// The `sub` of the account, which is also the id of the vertex.
    pub id: String,
    /// Texts that are only this person's, such as a name or the title of a story.
    pub texts: Vec<String>,
}

/// Where something of a person was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Name of the table, bucket or log group.
    pub place: String,
    /// The row, the key or the line.
    pub text: String,
    /// Whether it is a copy of the graph: in a projection, or who was notified of an edge. After a reset it stays until an
    /// operator empties the table, or until it expires.
    pub is_copied: bool,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

impl Person {
    fn is_named_in(&self, text: &str) -> bool {
        self.texts.iter().any(|trace| text.contains(trace.as_str()))
    }

    fn is_in(&self, text: &str) -> bool {
        text.contains(&self.id) || self.is_named_in(text)
    }
}

/// Everything in tables and buckets about a person, but for the tombstones that the design needs.
pub async fn stored(stack: &Stack, person: &Person) -> Result<Vec<Trace>> {
    let mut found = Vec::new();
    for (table, row) in rows(stack).await? {
        let text = row.to_string();
        if person.is_named_in(&text) || (text.contains(&person.id) && !is_tombstone(stack, &table, &row)?) {
            let is_copied = is_projection(stack, &table)? || row["pk"]["S"].as_str().is_some_and(is_edge);
            found.push(Trace { place: table, text, is_copied });
        }
    }
    for bucket in BUCKETS {
        for key in keys(stack, stack.output(bucket)?).await?.into_iter().filter(|key| person.is_in(key)) {
            found.push(Trace { place: bucket.to_owned(), text: key, is_copied: false });
        }
    }
    Ok(found)
}

/// The lines about a person in all logs since a time in milliseconds since 1970.
///
/// # Errors
/// Also if the logs have no lines at all.
pub async fn logged(stack: &Stack, person: &Person, since: i64) -> Result<Vec<Trace>> {
    let aws = stack.aws();
    let call = async |action: &str, input: Value| aws.json("logs", &format!("Logs_20140328.{action}"), &input).await;
    let groups = call("DescribeLogGroups", json!({})).await?;
    let groups = groups["logGroups"].as_array().context("no log groups")?;
    let (mut found, mut lines) = (Vec::new(), 0);
    for group in groups.iter().filter_map(|group| group["logGroupName"].as_str()) {
        let mut input = json!({"logGroupName": group, "startTime": since});
        loop {
            let page = call("FilterLogEvents", input.clone()).await?;
            let events = page["events"].as_array().into_iter().flatten();
            let events = events.inspect(|_| lines += 1).filter_map(|event| event["message"].as_str());
            found.extend(events.filter(|line| person.is_in(line)).map(|line| Trace {
                place: group.to_owned(),
                text: line.to_owned(),
                is_copied: false,
            }));
            if page["nextToken"].is_null() || page["nextToken"] == input["nextToken"] {
                break;
            }
            input["nextToken"] = page["nextToken"].clone();
        }
    }
    ensure!(lines > 0, "there are no lines in the logs");
    Ok(found)
}

/// All rows of all tables, with the table's name.
pub async fn rows(stack: &Stack) -> Result<Vec<(String, Value)>> {
    let aws = stack.aws();
    let mut all = Vec::new();
    let tables = aws.json("dynamodb", "DynamoDB_20120810.ListTables", &json!({})).await?;
    for table in tables["TableNames"].as_array().context("no tables")?.iter().filter_map(Value::as_str) {
        let mut input = json!({"TableName": table});
        loop {
            let page = aws.json("dynamodb", "DynamoDB_20120810.Scan", &input).await?;
            let rows = page["Items"].as_array().context("no rows")?;
            all.extend(rows.iter().map(|row| (table.to_owned(), row.clone())));
            if page["LastEvaluatedKey"].is_null() {
                break;
            }
            input["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
        }
    }
    Ok(all)
}

/// The keys of all versions of all objects of a bucket.
async fn keys(stack: &Stack, bucket: &str) -> Result<Vec<String>> {
    let (aws, mut keys) = (stack.aws(), Vec::new());
    let mut query = "?versions".to_owned();
    loop {
        let listed = aws.send("s3", Method::GET, &format!("/{bucket}{query}"), &[], Vec::new()).await?;
        let listed = String::from_utf8(listed.body)?;
        let values = |name: &str| {
            let (start, end) = (format!("<{name}>"), format!("</{name}>"));
            let values = listed.split(start.as_str()).skip(1).filter_map(|rest| rest.split(end.as_str()).next());
            values.map(str::to_owned).collect::<Vec<_>>()
        };
        keys.extend(values("Key"));
        match (values("NextKeyMarker").pop(), values("NextVersionIdMarker").pop()) {
            (Some(key), Some(version)) => {
                query = format!("?versions&key-marker={key}&version-id-marker={version}");
            }
            _ => return Ok(keys),
        }
    }
}

/// Whether it is the partition of an edge in the inbox.
fn is_edge(partition: &str) -> bool {
    partition.starts_with("edge#")
}

/// Whether a table is a projection of the graph.
fn is_projection(stack: &Stack, table: &str) -> Result<bool> {
    let mut is_projection = table.contains(MIRROR);
    for output in PROJECTIONS {
        is_projection |= stack.output(output)? == table;
    }
    Ok(is_projection)
}

/// Whether a row with a person's id is a tombstone that the design needs.
fn is_tombstone(stack: &Stack, table: &str, row: &Value) -> Result<bool> {
    let is = |output: &str| Ok::<_, anyhow::Error>(table == stack.output(output)?);
    if is("MediaTableName")? {
        return Ok(row["state"]["S"] == "deleted");
    }
    if is("DevicesTableName")? {
        return Ok(row["item"]["S"] == "erased" && row.as_object().is_some_and(|row| row.len() == 3));
    }
    if is("InboxTableName")? {
        // Of an edge that was removed, for the other one's inbox.
        return Ok(!row["withdrawn"].is_null() && !row["recipient"]["S"].is_null());
    }
    if table.contains(MIRROR) {
        return Ok(!row["element"]["S"].as_str().is_some_and(|element| element.contains(r#""holds":true"#)));
    }
    if is_projection(stack, table)? {
        // All registers are removed ones, or hold ids only.
        let columns = row.as_object().into_iter().flatten();
        let registers = columns.filter(|(name, _)| name.starts_with("r:")).map(|(_, value)| value["S"].as_str());
        let registers: Vec<_> = registers.collect();
        let is_removed =
            |register: &Option<&str>| register.is_some_and(|text| text.ends_with('-') || text.ends_with('+'));
        // Notes of events have no registers: they hold ids only, and expire.
        let is_note = registers.is_empty() && !row["expires_at"].is_null();
        return Ok(is_note || (!registers.is_empty() && registers.iter().all(is_removed)));
    }
    Ok(false)
}
