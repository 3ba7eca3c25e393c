//! Reads a page of a query straight from DynamoDB's response.

use aws_sdk_dynamodb::{
    config::RuntimePlugin,
    operation::query::{Query, QueryOutput, builders::QueryFluentBuilder},
};
use aws_smithy_runtime_api::client::interceptors::context::Output;
use function_kit::failure::Failure;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::{
    direct_response::{DirectResponse, Operation},
    typed_json::TypedRow,
};

const QUERY: Operation =
    Operation { config: || Query::new().config(), empty: || Output::erase(QueryOutput::builder().build()) };

/// A page of rows, and the key after which the next page starts, if there may be one.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound = "Row: DeserializeOwned, Key: DeserializeOwned")]
pub struct QueryPage<Row, Key> {
    /// The rows.
    #[serde(default, deserialize_with = "rows")]
    pub items: Vec<Row>,
    /// The last row's key.
    #[serde(default, deserialize_with = "key")]
    pub last_evaluated_key: Option<Key>,
}

/// Sends a query and reads its response. It must not select counts only.
///
/// # Errors
/// `Failure::bug` if a row does not have the form that this version writes; else the SDK's error.
pub async fn query_page<Row, Key>(
    query: QueryFluentBuilder,
    doing: &'static str,
) -> Result<QueryPage<Row, Key>, Failure>
where
    Row: DeserializeOwned + Send + 'static,
    Key: DeserializeOwned + Send + 'static,
{
    let response = DirectResponse::of(QUERY);
    let sent = query.customize().interceptor(response.interceptor()).send().await;
    sent.map_err(|error| Failure::aws(doing, error))?;
    response.read(doing)
}

fn rows<'de, D: Deserializer<'de>, Row: DeserializeOwned>(deserializer: D) -> Result<Vec<Row>, D::Error> {
    let rows = Option::<Vec<TypedRow<Row>>>::deserialize(deserializer)?;
    Ok(rows.unwrap_or_default().into_iter().map(|TypedRow(row)| row).collect())
}

fn key<'de, D: Deserializer<'de>, Key: DeserializeOwned>(deserializer: D) -> Result<Option<Key>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map(|TypedRow(key)| key))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use dynamodb_responses::{query as query_response, response};
    use function_kit::failure::Kind;

    use super::*;
    use crate::attribute::{Attributes, number, text};

    #[derive(Debug, PartialEq, Deserialize)]
    struct Example {
        id: String,
        size: Option<u64>,
    }

    async fn read(rule: &Rule) -> Result<QueryPage<Example, Example>, Failure> {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [rule]);
        query_page(client.query().table_name("t"), "read a page").await
    }

    fn row(id: &str) -> Attributes {
        Attributes::from([("id".to_owned(), text(id)), ("other".to_owned(), number(7))])
    }

    #[tokio::test]
    async fn page_has_its_rows_and_its_last_key() {
        let query = mock!(Client::query).then_http_response(|| query_response(&[row("a"), row("b")], Some(&row("b"))));
        let page = read(&query).await.expect("a page");
        let expected = |id: &str| Example { id: id.into(), size: None };
        assert_eq!((page.items, page.last_evaluated_key), (vec![expected("a"), expected("b")], Some(expected("b"))));
        let empty = mock!(Client::query).then_http_response(|| response(200, "{}"));
        let page = read(&empty).await.expect("a page");
        assert_eq!((page.items, page.last_evaluated_key), (vec![], None));
    }

    #[tokio::test]
    async fn unexpected_row_is_a_bug_that_is_not_retried_and_quotes_no_value() {
        for (row, expected) in [
            (Attributes::from([("size".to_owned(), number(1))]), "missing field `id`"),
            (Attributes::from([("id".to_owned(), number(31337))]), "the row has an unexpected form"),
            (Attributes::from([("id".to_owned(), text("x")), ("size".to_owned(), text("s3cr3t"))]), "the row has"),
        ] {
            let query =
                mock!(Client::query).then_http_response(move || query_response(std::slice::from_ref(&row), None));
            let failure = read(&query).await.err().expect("a failure");
            let text = failure.to_string();
            assert_eq!((failure.kind, query.num_calls()), (Kind::Bug, 1), "{text}");
            assert!(text.contains(expected) && !text.contains("31337") && !text.contains("s3cr3t"), "{text}");
        }
    }

    #[tokio::test]
    async fn errors_and_their_retries_are_those_of_the_sdk() {
        let throttled = r#"{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}"#;
        let query = mock!(Client::query)
            .sequence()
            .http_status(400, Some(throttled.to_owned()))
            .http_status(503, None)
            .http_response(|| query_response(&[row("a")], None))
            .build();
        assert_eq!(read(&query).await.expect("a page").items.len(), 1);
        assert_eq!(query.num_calls(), 3);
        let denied = r#"{"__type": "com.amazon.coral.service#AccessDeniedException", "message": "no"}"#;
        let query = mock!(Client::query).then_http_response(|| response(400, denied));
        let failure = read(&query).await.err().expect("a failure").to_string();
        assert!(failure.contains("AccessDeniedException"), "{failure}");
    }

    #[tokio::test]
    async fn text_that_is_no_json_is_an_error_of_the_sdk() {
        for body in ["{", "{\"Items\": [{\"id\": {\"S\": \"a\"}}", "<html>"] {
            let query = mock!(Client::query).then_http_response(move || response(200, body));
            let direct = read(&query).await.err().expect("a failure");
            let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query]);
            let sdk = client.query().table_name("t").send().await.expect_err("an error of the SDK");
            let sdk = Failure::aws("read a page", sdk);
            assert_eq!((direct.kind, direct.to_string()), (sdk.kind, sdk.to_string()), "{body}");
        }
        // The SDK reads an empty body as an empty page, which would end a list.
        let query = mock!(Client::query).then_http_response(|| response(200, ""));
        assert_eq!(read(&query).await.err().map(|failure| failure.kind), Some(function_kit::failure::Kind::Bug));
    }
}
