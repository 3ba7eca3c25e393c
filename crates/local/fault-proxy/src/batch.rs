//! Partial failure of batches: removes entries from the request and reports them as failed in the response.

use serde_json::{Map, Value, json};

use super::call::Call;

/// A batch without the omitted entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The request for the remaining entries. `None` if all are omitted.
    pub body: Option<Vec<u8>>,
    omitted: Omitted,
}

#[derive(Debug, Clone, PartialEq)]
enum Omitted {
    /// Ids of entries of `SendMessageBatch`.
    Messages(Vec<Value>),
    /// Ids of entries of `PublishBatch`.
    Publications(Vec<String>),
    /// The name of the list of unprocessed entries in DynamoDB's response, and the entries by table.
    Items(&'static str, Map<String, Value>),
    /// Indices of PartiQL statements.
    Statements(Vec<usize>),
    /// Actions of a bulk request with their indices.
    Actions(Vec<(usize, Value)>),
}

/// Omits the entries of a batch whose index satisfies `is_omitted`. `None` if the call is not a batch, or if its service
/// does not report partial failures for it.
pub fn split(call: &Call, body: &[u8], is_omitted: impl Fn(usize) -> bool) -> Option<Split> {
    match (call.service.as_str(), call.operation.as_str()) {
        ("sqs", "SendMessageBatch") => messages(body, is_omitted),
        ("sns", "PublishBatch") => publications(body, is_omitted),
        ("dynamodb", "BatchGetItem") => items(body, "UnprocessedKeys", is_omitted),
        ("dynamodb", "BatchWriteItem") => items(body, "UnprocessedItems", is_omitted),
        ("dynamodb", "BatchExecuteStatement") => statements(body, is_omitted),
        ("es", "_bulk") => actions(body, is_omitted),
        _ => None,
    }
}

impl Split {
    /// The response to the whole batch: `response`, to the remaining entries, plus the omitted ones. `None` if `response`
    /// is not the response to a batch.
    pub fn complete(&self, response: Option<&[u8]>) -> Option<Vec<u8>> {
        if let Omitted::Publications(ids) = &self.omitted {
            return complete_publications(ids, response);
        }
        let mut document = match response {
            Some(response) => serde_json::from_slice(response).ok()?,
            None => json!({}),
        };
        let response = document.as_object_mut()?;
        match &self.omitted {
            Omitted::Messages(ids) => {
                response.entry("Successful").or_insert_with(|| json!([]));
                let failed = response.entry("Failed").or_insert_with(|| json!([])).as_array_mut()?;
                failed.extend(ids.iter().map(|id| {
                    json!({"Id": id, "Code": "InternalError", "SenderFault": false, "Message": "injected by the fault proxy"})
                }));
            }
            Omitted::Items(name, items) => {
                // Entries that the service itself did not process stay in the list.
                let unprocessed = response.entry(*name).or_insert_with(|| json!({})).as_object_mut()?;
                for (table, left) in items {
                    unprocessed.entry(table.clone()).or_insert_with(|| left.clone());
                }
            }
            Omitted::Statements(indices) => {
                let responses = response.entry("Responses").or_insert_with(|| json!([])).as_array_mut()?;
                let error = json!({"Error": {"Code": "ThrottlingError", "Message": "injected by the fault proxy"}});
                for index in indices {
                    responses.insert((*index).min(responses.len()), error.clone());
                }
            }
            Omitted::Actions(actions) => {
                response.insert("errors".to_owned(), true.into());
                response.entry("took").or_insert_with(|| 0.into());
                let items = response.entry("items").or_insert_with(|| json!([])).as_array_mut()?;
                for (index, action) in actions {
                    items.insert((*index).min(items.len()), rejected(action)?);
                }
            }
            Omitted::Publications(_) => {}
        }
        serde_json::to_vec(&document).ok()
    }
}

fn messages(body: &[u8], is_omitted: impl Fn(usize) -> bool) -> Option<Split> {
    let mut document: Value = serde_json::from_slice(body).ok()?;
    let entries = document.get_mut("Entries")?.as_array_mut()?;
    let (out, left) = partition(std::mem::take(entries), is_omitted);
    let ids = out.into_iter().map(|(_, entry)| entry["Id"].clone()).collect();
    let is_empty = left.is_empty();
    *entries = left;
    let body = if is_empty { None } else { Some(serde_json::to_vec(&document).ok()?) };
    Some(Split { body, omitted: Omitted::Messages(ids) })
}

fn statements(body: &[u8], is_omitted: impl Fn(usize) -> bool) -> Option<Split> {
    let mut document: Value = serde_json::from_slice(body).ok()?;
    let statements = document.get_mut("Statements")?.as_array_mut()?;
    let (out, left) = partition(std::mem::take(statements), is_omitted);
    let is_empty = left.is_empty();
    *statements = left;
    let body = if is_empty { None } else { Some(serde_json::to_vec(&document).ok()?) };
    Some(Split { body, omitted: Omitted::Statements(out.into_iter().map(|(index, _)| index).collect()) })
}

fn publications(body: &[u8], is_omitted: impl Fn(usize) -> bool) -> Option<Split> {
    const ENTRY: &str = "PublishBatchRequestEntries.member.";
    let mut entries: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(body) {
        match name.strip_prefix(ENTRY).and_then(|rest| rest.split_once('.')) {
            Some((number, field)) => {
                let field = (field.to_owned(), value.into_owned());
                match entries.iter_mut().find(|(known, _)| known == number) {
                    Some((_, fields)) => fields.push(field),
                    None => entries.push((number.to_owned(), vec![field])),
                }
            }
            None => {
                form.append_pair(&name, &value);
            }
        }
    }
    let (out, left) = partition(entries, is_omitted);
    for ((_, fields), number) in left.iter().zip(1..) {
        for (field, value) in fields {
            form.append_pair(&format!("{ENTRY}{number}.{field}"), value);
        }
    }
    let id = |(_, (_, fields)): (usize, (String, Vec<(String, String)>))| {
        fields.into_iter().find(|(field, _)| field == "Id").map(|(_, value)| value)
    };
    let ids = out.into_iter().map(id).collect::<Option<Vec<_>>>()?;
    let body = (!left.is_empty()).then(|| form.finish().into_bytes());
    (!ids.is_empty()).then_some(Split { body, omitted: Omitted::Publications(ids) })
}

fn complete_publications(ids: &[String], response: Option<&[u8]>) -> Option<Vec<u8>> {
    const EMPTY: &str = "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
                         <Successful/></PublishBatchResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
                         </PublishBatchResponse>";
    let response = response.map_or(Some(EMPTY), |response| str::from_utf8(response).ok())?;
    let failed: String = ids
        .iter()
        .map(|id| {
            format!(
                "<member><Id>{id}</Id><Code>InternalError</Code><SenderFault>false</SenderFault>\
                 <Message>injected by the fault proxy</Message></member>"
            )
        })
        .collect();
    for (tag, before, after) in [
        ("<Failed/>", "<Failed>", "</Failed>"),
        ("<Failed />", "<Failed>", "</Failed>"),
        ("</Failed>", "", "</Failed>"),
    ] {
        if response.contains(tag) {
            return Some(response.replacen(tag, &format!("{before}{failed}{after}"), 1).into_bytes());
        }
    }
    let (head, tail) = response.split_once("</PublishBatchResult>")?;
    Some(format!("{head}<Failed>{failed}</Failed></PublishBatchResult>{tail}").into_bytes())
}

fn items(body: &[u8], name: &'static str, is_omitted: impl Fn(usize) -> bool) -> Option<Split> {
    let mut document: Value = serde_json::from_slice(body).ok()?;
    let tables = document.get_mut("RequestItems")?.as_object_mut()?;
    let mut at = 0;
    let mut omitted = Map::new();
    for (table, request) in tables.iter_mut() {
        let entries = match request.get_mut("Keys") {
            Some(keys) => keys.as_array_mut()?,
            None => request.as_array_mut()?,
        };
        let start = at;
        at += entries.len();
        let (out, left) = partition(std::mem::take(entries), |entry| is_omitted(start + entry));
        *entries = left;
        if out.is_empty() {
            continue;
        }
        let out: Vec<Value> = out.into_iter().map(|(_, entry)| entry).collect();
        let mut unprocessed = request.clone();
        match unprocessed.get_mut("Keys") {
            Some(keys) => *keys = out.into(),
            None => unprocessed = out.into(),
        }
        omitted.insert(table.clone(), unprocessed);
    }
    tables.retain(|_, request| request.get("Keys").unwrap_or(request).as_array().is_some_and(|left| !left.is_empty()));
    // If no entry is processed, DynamoDB rejects the whole call.
    if tables.is_empty() || omitted.is_empty() {
        return None;
    }
    Some(Split { body: Some(serde_json::to_vec(&document).ok()?), omitted: Omitted::Items(name, omitted) })
}

fn actions(body: &[u8], is_omitted: impl Fn(usize) -> bool) -> Option<Split> {
    let mut lines = str::from_utf8(body).ok()?.lines();
    let mut actions: Vec<(Value, String)> = Vec::new();
    while let Some(line) = lines.next() {
        let action: Value = serde_json::from_str(line).ok()?;
        let mut text = format!("{line}\n");
        // A delete action has no document.
        if action.get("delete").is_none() {
            text.extend([lines.next()?, "\n"]);
        }
        actions.push((action, text));
    }
    let (out, left) = partition(actions, is_omitted);
    let body = (!left.is_empty()).then(|| left.into_iter().map(|(_, text)| text).collect::<String>().into_bytes());
    let omitted = out.into_iter().map(|(index, (action, _))| (index, action)).collect();
    Some(Split { body, omitted: Omitted::Actions(omitted) })
}

/// The result of a rejected action `{"index": {"_id": …}}`.
fn rejected(action: &Value) -> Option<Value> {
    let (verb, target) = action.as_object()?.iter().next()?;
    let error = json!({"type": "es_rejected_execution_exception", "reason": "injected by the fault proxy"});
    Some(json!({ verb: {"_id": target["_id"], "status": 429, "error": error} }))
}

/// Separates the omitted entries, with their indices, from the others.
fn partition<T>(entries: Vec<T>, is_omitted: impl Fn(usize) -> bool) -> (Vec<(usize, T)>, Vec<T>) {
    let (mut out, mut left) = (Vec::new(), Vec::new());
    for (index, entry) in entries.into_iter().enumerate() {
        if is_omitted(index) {
            out.push((index, entry));
        } else {
            left.push(entry);
        }
    }
    (out, left)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json_of(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).expect("JSON")
    }

    #[test]
    fn omitted_messages_are_reported_as_failed() {
        let body = br#"{"QueueUrl":"q","Entries":[{"Id":"0","MessageBody":"a"},{"Id":"1","MessageBody":"b"}]}"#;
        let call = Call::new("sqs", "SendMessageBatch");
        let one = split(&call, body, |index| index == 0).expect("a batch");
        let rest = json_of(one.body.as_deref().expect("remaining entries"));
        assert_eq!(rest, json!({"QueueUrl": "q", "Entries": [{"Id": "1", "MessageBody": "b"}]}));
        let response = json_of(&one.complete(Some(br#"{"Successful":[{"Id":"1"}]}"#)).expect("a response"));
        assert_eq!((&response["Successful"][0]["Id"], &response["Failed"][0]["Id"]), (&json!("1"), &json!("0")));
        let all = split(&call, body, |_| true).expect("a batch");
        assert_eq!(all.body, None);
        assert_eq!(json_of(&all.complete(None).expect("a response"))["Failed"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn remaining_publications_are_renumbered() {
        let body = "Action=PublishBatch&TopicArn=t&PublishBatchRequestEntries.member.1.Id=0\
                    &PublishBatchRequestEntries.member.1.Message=a%26b&PublishBatchRequestEntries.member.2.Id=1\
                    &PublishBatchRequestEntries.member.2.Message=c";
        let call = Call::new("sns", "PublishBatch");
        let split = split(&call, body.as_bytes(), |index| index == 0).expect("a batch");
        assert_eq!(
            split.body.as_deref().and_then(|body| str::from_utf8(body).ok()),
            Some(
                "Action=PublishBatch&TopicArn=t&PublishBatchRequestEntries.member.1.Id=1\
                 &PublishBatchRequestEntries.member.1.Message=c"
            )
        );
        for response in
            ["<PublishBatchResult><Failed/></PublishBatchResult>", "<PublishBatchResult></PublishBatchResult>"]
        {
            let whole = split.complete(Some(response.as_bytes())).expect("a response");
            let whole = String::from_utf8(whole).expect("text");
            assert!(whole.contains("<Failed><member><Id>0</Id>") && whole.contains("</Failed></PublishBatchResult>"));
        }
    }

    #[test]
    fn omitted_dynamodb_keys_are_unprocessed() {
        let body = br#"{"RequestItems":{"t":{"Keys":[{"a":1},{"a":2}],"ConsistentRead":true},"u":{"Keys":[{"a":3}]}}}"#;
        let call = Call::new("dynamodb", "BatchGetItem");
        let some = split(&call, body, |index| index != 1).expect("a batch");
        let rest = json_of(some.body.as_deref().expect("remaining entries"));
        assert_eq!(rest, json!({"RequestItems": {"t": {"Keys": [{"a": 2}], "ConsistentRead": true}}}));
        let response = json_of(&some.complete(Some(br#"{"Responses":{},"UnprocessedKeys":{}}"#)).expect("a response"));
        let unprocessed = json!({"t": {"Keys": [{"a": 1}], "ConsistentRead": true}, "u": {"Keys": [{"a": 3}]}});
        assert_eq!(response["UnprocessedKeys"], unprocessed);
        assert_eq!(split(&call, body, |_| true), None, "rejected as a whole");
        let writes = br#"{"RequestItems":{"t":[{"PutRequest":1},{"PutRequest":2}]}}"#;
        let some = split(&Call::new("dynamodb", "BatchWriteItem"), writes, |index| index == 0).expect("a batch");
        let response = json_of(&some.complete(Some(b"{}")).expect("a response"));
        assert_eq!(response["UnprocessedItems"], json!({"t": [{"PutRequest": 1}]}));
    }

    #[test]
    fn omitted_statements_have_errors_at_their_places() {
        let body = br#"{"Statements":[{"Statement":"a"},{"Statement":"b"},{"Statement":"c"}]}"#;
        let call = Call::new("dynamodb", "BatchExecuteStatement");
        let some = split(&call, body, |index| index != 1).expect("a batch");
        let rest = json_of(some.body.as_deref().expect("remaining statements"));
        assert_eq!(rest, json!({"Statements": [{"Statement": "b"}]}));
        let response = json_of(&some.complete(Some(br#"{"Responses":[{"TableName":"t"}]}"#)).expect("a response"));
        let responses = response["Responses"].as_array().expect("a list");
        let has_error: Vec<_> = responses.iter().map(|response| response.get("Error").is_some()).collect();
        assert_eq!(has_error, [true, false, true]);
        let all = split(&call, body, |_| true).expect("a batch");
        assert_eq!(all.body, None);
        assert_eq!(json_of(&all.complete(None).expect("a response"))["Responses"].as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn call_without_batch_is_not_split() {
        assert_eq!(split(&Call::new("sns", "Publish"), b"Action=Publish", |_| true), None);
        assert_eq!(split(&Call::new("sqs", "SendMessageBatch"), b"not JSON", |_| true), None);
    }

    proptest! {
        #[test]
        fn bulk_results_keep_the_order_of_the_actions(omitted in prop::collection::vec(any::<bool>(), 1..12)) {
            let line = |index: usize| format!("{{\"index\":{{\"_id\":\"{index}\"}}}}\n{{\"text\":\"{index}\"}}\n");
            let body: String = (0..omitted.len()).map(line).collect();
            let split = split(&Call::new("es", "_bulk"), body.as_bytes(), |index| omitted[index]).expect("a batch");
            let rest = split.body.clone().map(|rest| String::from_utf8(rest).expect("text")).unwrap_or_default();
            let items: Vec<_> = (0..omitted.len()).filter(|index| !omitted[*index]).collect();
            prop_assert_eq!(&rest, &items.iter().map(|index| line(*index)).collect::<String>());
            let items: Vec<_> =
                items.iter().map(|index| json!({"index": {"_id": index.to_string(), "status": 200}})).collect();
            let response = json!({"errors": false, "items": items}).to_string();
            let response = json_of(&split.complete(split.body.as_ref().map(|_| response.as_bytes())).expect("a response"));
            let items = response["items"].as_array().expect("items");
            prop_assert_eq!(items.len(), omitted.len());
            for (index, item) in items.iter().enumerate() {
                prop_assert_eq!(&item["index"]["_id"], &json!(index.to_string()));
                prop_assert_eq!(item["index"]["status"] == 429, omitted[index]);
            }
        }
    }
}
