//! Batches of which a part is not done: what is left of the request, and the answer about all of it.

use serde_json::{Map, Value, json};

use super::call::Call;

/// A batch without the entries that are not to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The request for the rest; none, if nothing is left.
    pub body: Option<Vec<u8>>,
    omitted: Omitted,
}

#[derive(Debug, Clone, PartialEq)]
enum Omitted {
    /// Ids of entries of `SendMessageBatch`.
    Messages(Vec<Value>),
    /// Ids of entries of `PublishBatch`.
    Publications(Vec<String>),
    /// What DynamoDB gives back, and under which name.
    Items(&'static str, Map<String, Value>),
    /// Actions of a bulk request, each with its place.
    Actions(Vec<(usize, Value)>),
}

/// Leaves out those entries of a batch (counted from 0) that `is_omitted` names; nothing, if `call`
/// is about no batch, or if its service would not answer so.
pub fn split(call: &Call, body: &[u8], is_omitted: impl Fn(usize) -> bool) -> Option<Split> {
    match (call.service.as_str(), call.operation.as_str()) {
        ("sqs", "SendMessageBatch") => messages(body, is_omitted),
        ("sns", "PublishBatch") => publications(body, is_omitted),
        ("dynamodb", "BatchGetItem") => items(body, "UnprocessedKeys", is_omitted),
        ("dynamodb", "BatchWriteItem") => items(body, "UnprocessedItems", is_omitted),
        ("es", "_bulk") => actions(body, is_omitted),
        _ => None,
    }
}

impl Split {
    /// The answer about the whole batch: `answer`, which is about the rest, and what was left out.
    /// Nothing, if that is no answer about a batch.
    pub fn complete(&self, answer: Option<&[u8]>) -> Option<Vec<u8>> {
        if let Omitted::Publications(ids) = &self.omitted {
            return complete_publications(ids, answer);
        }
        let mut document = match answer {
            Some(answer) => serde_json::from_slice(answer).ok()?,
            None => json!({}),
        };
        let answer = document.as_object_mut()?;
        match &self.omitted {
            Omitted::Messages(ids) => {
                answer.entry("Successful").or_insert_with(|| json!([]));
                let failed = answer.entry("Failed").or_insert_with(|| json!([])).as_array_mut()?;
                failed.extend(ids.iter().map(|id| {
                    json!({"Id": id, "Code": "InternalError", "SenderFault": false, "Message": "ordered of the fault proxy"})
                }));
            }
            Omitted::Items(name, items) => {
                // What the service itself left undone stays: tables do not meet, as a table is named once.
                let unprocessed = answer.entry(*name).or_insert_with(|| json!({})).as_object_mut()?;
                for (table, left) in items {
                    unprocessed.entry(table.clone()).or_insert_with(|| left.clone());
                }
            }
            Omitted::Actions(actions) => {
                answer.insert("errors".to_owned(), true.into());
                answer.entry("took").or_insert_with(|| 0.into());
                let items = answer.entry("items").or_insert_with(|| json!([])).as_array_mut()?;
                for (place, action) in actions {
                    items.insert((*place).min(items.len()), rejected(action)?);
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
    let (out, left) = part(std::mem::take(entries), is_omitted);
    let ids = out.into_iter().map(|(_, entry)| entry["Id"].clone()).collect();
    let is_empty = left.is_empty();
    *entries = left;
    let body = if is_empty { None } else { Some(serde_json::to_vec(&document).ok()?) };
    Some(Split { body, omitted: Omitted::Messages(ids) })
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
    let (out, left) = part(entries, is_omitted);
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

fn complete_publications(ids: &[String], answer: Option<&[u8]>) -> Option<Vec<u8>> {
    const EMPTY: &str = "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
                         <Successful/></PublishBatchResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
                         </PublishBatchResponse>";
    let answer = answer.map_or(Some(EMPTY), |answer| str::from_utf8(answer).ok())?;
    let failed: String = ids
        .iter()
        .map(|id| {
            format!(
                "<member><Id>{id}</Id><Code>InternalError</Code><SenderFault>false</SenderFault>\
                 <Message>ordered of the fault proxy</Message></member>"
            )
        })
        .collect();
    for (place, before, after) in [
        ("<Failed/>", "<Failed>", "</Failed>"),
        ("<Failed />", "<Failed>", "</Failed>"),
        ("</Failed>", "", "</Failed>"),
    ] {
        if answer.contains(place) {
            return Some(answer.replacen(place, &format!("{before}{failed}{after}"), 1).into_bytes());
        }
    }
    let (head, tail) = answer.split_once("</PublishBatchResult>")?;
    Some(format!("{head}<Failed>{failed}</Failed></PublishBatchResult>{tail}").into_bytes())
}

fn items(body: &[u8], name: &'static str, is_omitted: impl Fn(usize) -> bool) -> Option<Split> {
    let mut document: Value = serde_json::from_slice(body).ok()?;
    let tables = document.get_mut("RequestItems")?.as_object_mut()?;
    let mut at = 0;
    let mut omitted = Map::new();
    for (table, asked) in tables.iter_mut() {
        let entries = match asked.get_mut("Keys") {
            Some(keys) => keys.as_array_mut()?,
            None => asked.as_array_mut()?,
        };
        let start = at;
        at += entries.len();
        let (out, left) = part(std::mem::take(entries), |entry| is_omitted(start + entry));
        *entries = left;
        if out.is_empty() {
            continue;
        }
        let out: Vec<Value> = out.into_iter().map(|(_, entry)| entry).collect();
        let mut undone = asked.clone();
        match undone.get_mut("Keys") {
            Some(keys) => *keys = out.into(),
            None => undone = out.into(),
        }
        omitted.insert(table.clone(), undone);
    }
    tables.retain(|_, asked| asked.get("Keys").unwrap_or(asked).as_array().is_some_and(|left| !left.is_empty()));
    // Where nothing is done at all, DynamoDB refuses the call instead.
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
        // A deletion has no document.
        if action.get("delete").is_none() {
            text.extend([lines.next()?, "\n"]);
        }
        actions.push((action, text));
    }
    let (out, left) = part(actions, is_omitted);
    let body = (!left.is_empty()).then(|| left.into_iter().map(|(_, text)| text).collect::<String>().into_bytes());
    let omitted = out.into_iter().map(|(place, (action, _))| (place, action)).collect();
    Some(Split { body, omitted: Omitted::Actions(omitted) })
}

/// `{"index": {"_id": …}}` as it is answered.
fn rejected(action: &Value) -> Option<Value> {
    let (verb, of) = action.as_object()?.iter().next()?;
    let error = json!({"type": "es_rejected_execution_exception", "reason": "ordered of the fault proxy"});
    Some(json!({ verb: {"_id": of["_id"], "status": 429, "error": error} }))
}

/// Those that are left out, each with its place, and the others.
fn part<T>(entries: Vec<T>, is_omitted: impl Fn(usize) -> bool) -> (Vec<(usize, T)>, Vec<T>) {
    let (mut out, mut left) = (Vec::new(), Vec::new());
    for (place, entry) in entries.into_iter().enumerate() {
        if is_omitted(place) {
            out.push((place, entry));
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
    fn messages_fail_one_by_one() {
        let body = br#"{"QueueUrl":"q","Entries":[{"Id":"0","MessageBody":"a"},{"Id":"1","MessageBody":"b"}]}"#;
        let call = Call::new("sqs", "SendMessageBatch");
        let one = split(&call, body, |place| place == 0).expect("a batch");
        let rest = json_of(one.body.as_deref().expect("a rest"));
        assert_eq!(rest, json!({"QueueUrl": "q", "Entries": [{"Id": "1", "MessageBody": "b"}]}));
        let answer = json_of(&one.complete(Some(br#"{"Successful":[{"Id":"1"}]}"#)).expect("an answer"));
        assert_eq!((&answer["Successful"][0]["Id"], &answer["Failed"][0]["Id"]), (&json!("1"), &json!("0")));
        let all = split(&call, body, |_| true).expect("a batch");
        assert_eq!(all.body, None);
        assert_eq!(json_of(&all.complete(None).expect("an answer"))["Failed"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn publications_are_numbered_anew() {
        let body = "Action=PublishBatch&TopicArn=t&PublishBatchRequestEntries.member.1.Id=0\
                    &PublishBatchRequestEntries.member.1.Message=a%26b&PublishBatchRequestEntries.member.2.Id=1\
                    &PublishBatchRequestEntries.member.2.Message=c";
        let call = Call::new("sns", "PublishBatch");
        let split = split(&call, body.as_bytes(), |place| place == 0).expect("a batch");
        assert_eq!(
            split.body.as_deref().and_then(|body| str::from_utf8(body).ok()),
            Some(
                "Action=PublishBatch&TopicArn=t&PublishBatchRequestEntries.member.1.Id=1\
                 &PublishBatchRequestEntries.member.1.Message=c"
            )
        );
        for answer in
            ["<PublishBatchResult><Failed/></PublishBatchResult>", "<PublishBatchResult></PublishBatchResult>"]
        {
            let whole = split.complete(Some(answer.as_bytes())).expect("an answer");
            let whole = String::from_utf8(whole).expect("text");
            assert!(whole.contains("<Failed><member><Id>0</Id>") && whole.contains("</Failed></PublishBatchResult>"));
        }
    }

    #[test]
    fn dynamodb_gives_keys_back() {
        let body = br#"{"RequestItems":{"t":{"Keys":[{"a":1},{"a":2}],"ConsistentRead":true},"u":{"Keys":[{"a":3}]}}}"#;
        let call = Call::new("dynamodb", "BatchGetItem");
        let some = split(&call, body, |place| place != 1).expect("a batch");
        let rest = json_of(some.body.as_deref().expect("a rest"));
        assert_eq!(rest, json!({"RequestItems": {"t": {"Keys": [{"a": 2}], "ConsistentRead": true}}}));
        let answer = json_of(&some.complete(Some(br#"{"Responses":{},"UnprocessedKeys":{}}"#)).expect("an answer"));
        let unprocessed = json!({"t": {"Keys": [{"a": 1}], "ConsistentRead": true}, "u": {"Keys": [{"a": 3}]}});
        assert_eq!(answer["UnprocessedKeys"], unprocessed);
        assert_eq!(split(&call, body, |_| true), None, "refused instead");
        let writes = br#"{"RequestItems":{"t":[{"PutRequest":1},{"PutRequest":2}]}}"#;
        let some = split(&Call::new("dynamodb", "BatchWriteItem"), writes, |place| place == 0).expect("a batch");
        let answer = json_of(&some.complete(Some(b"{}")).expect("an answer"));
        assert_eq!(answer["UnprocessedItems"], json!({"t": [{"PutRequest": 1}]}));
    }

    #[test]
    fn what_is_no_batch_is_not_split() {
        assert_eq!(split(&Call::new("sns", "Publish"), b"Action=Publish", |_| true), None);
        assert_eq!(split(&Call::new("sqs", "SendMessageBatch"), b"not JSON", |_| true), None);
    }

    proptest! {
        #[test]
        fn every_document_has_its_place_in_the_answer(omitted in prop::collection::vec(any::<bool>(), 1..12)) {
            let line = |place: usize| format!("{{\"index\":{{\"_id\":\"{place}\"}}}}\n{{\"text\":\"{place}\"}}\n");
            let body: String = (0..omitted.len()).map(line).collect();
            let split = split(&Call::new("es", "_bulk"), body.as_bytes(), |place| omitted[place]).expect("a batch");
            let rest = split.body.clone().map(|rest| String::from_utf8(rest).expect("text")).unwrap_or_default();
            let items: Vec<_> = (0..omitted.len()).filter(|place| !omitted[*place]).collect();
            prop_assert_eq!(&rest, &items.iter().map(|place| line(*place)).collect::<String>());
            let items: Vec<_> =
                items.iter().map(|place| json!({"index": {"_id": place.to_string(), "status": 200}})).collect();
            let answer = json!({"errors": false, "items": items}).to_string();
            let answer = json_of(&split.complete(split.body.as_ref().map(|_| answer.as_bytes())).expect("an answer"));
            let items = answer["items"].as_array().expect("items");
            prop_assert_eq!(items.len(), omitted.len());
            for (place, item) in items.iter().enumerate() {
                prop_assert_eq!(&item["index"]["_id"], &json!(place.to_string()));
                prop_assert_eq!(item["index"]["status"] == 429, omitted[place]);
            }
        }
    }
}
