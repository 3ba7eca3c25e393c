//! Fake SNS and DynamoDB with shared state, as far as this function uses them. Any call can be made to fail.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use aws_sdk_dynamodb::{
    operation::{
        delete_item::{DeleteItemError, DeleteItemOutput},
        get_item::GetItemOutput,
        put_item::{PutItemError, PutItemOutput},
        query::QueryOutput,
    },
    types::{AttributeValue, error::ConditionalCheckFailedException},
};
use aws_sdk_sns::operation::{
    create_platform_endpoint::CreatePlatformEndpointOutput, delete_endpoint::DeleteEndpointOutput,
    get_endpoint_attributes::GetEndpointAttributesOutput, set_endpoint_attributes::SetEndpointAttributesOutput,
};
use aws_smithy_mocks::{MockResponse, Rule, RuleBuilder, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::body::SdkBody;
use store::devices::DeviceTable;

use super::fixtures::{APPLICATION, already_exists, endpoint_arn, sns_error};
use crate::{devices::Ports, endpoints::Endpoints};

type Attributes = HashMap<String, String>;
type Row = HashMap<String, AttributeValue>;

/// Change by a concurrent request.
type ConcurrentChange = Box<dyn FnOnce(&mut State) + Send>;

#[derive(Clone, Default)]
pub struct FakeAws(Arc<Mutex<State>>);

#[derive(Default)]
pub struct State {
    /// By ARN.
    pub endpoints: BTreeMap<String, Attributes>,
    /// By user and item.
    pub rows: BTreeMap<(String, String), Row>,
    /// Calls in order.
    pub calls: Vec<&'static str>,
    /// Number of calls that succeed before all fail. `None`: all succeed.
    pub calls_until_failure: Option<usize>,
    /// The index by token misses all rows.
    pub index_is_stale: bool,
    /// Applied just before the next row is stored.
    pub before_put: Option<ConcurrentChange>,
    created: usize,
}

impl State {
    /// Records a call and returns whether it fails.
    fn fails(&mut self, call: &'static str) -> bool {
        self.calls.push(call);
        match &mut self.calls_until_failure {
            None => false,
            Some(0) => true,
            Some(remaining) => {
                *remaining -= 1;
                false
            }
        }
    }

    fn with_token(&self, token: &str) -> Option<(&String, &Attributes)> {
        self.endpoints.iter().find(|(_, attributes)| attributes["Token"] == token)
    }

    /// Users whose notifications arrive at `token`: their rows have its endpoint.
    pub fn users_at(&self, token: &str) -> Vec<&str> {
        let Some((endpoint_arn, _)) = self.with_token(token) else { return vec![] };
        let rows = self.rows.iter().filter(|(_, row)| text(row, "endpoint_arn") == Some(endpoint_arn));
        rows.map(|((user, _), _)| user.as_str()).collect()
    }

    /// Evaluates a condition expression of the table.
    fn holds(&self, key: &(String, String), condition: Option<&str>, values: Option<&Row>) -> bool {
        let row = self.rows.get(key);
        let same =
            |name: &str, value: &str| row.and_then(|row| row.get(name)) == values.and_then(|values| values.get(value));
        match condition {
            None => true,
            Some("attribute_not_exists(#item)") => row.is_none(),
            Some("token_hash = :hash AND endpoint_arn = :endpoint") => {
                row.is_some() && same("token_hash", ":hash") && same("endpoint_arn", ":endpoint")
            }
            Some("token_hash = :hash OR endpoint_arn = :endpoint") => {
                row.is_some() && (same("token_hash", ":hash") || same("endpoint_arn", ":endpoint"))
            }
            Some(other) => panic!("unknown condition: {other}"),
        }
    }
}

fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.get(name)?.as_s().ok().map(String::as_str)
}

fn key(row: Option<&Row>) -> (String, String) {
    let row = row.expect("a key");
    (text(row, "user").expect("a user").to_owned(), text(row, "item").expect("an item").to_owned())
}

fn dynamodb_denied() -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(403).expect("a status"), SdkBody::from("{}"))
}

fn sns_denied() -> HttpResponse {
    sns_error(403, "AuthorizationError", "no")
}

fn not_found() -> HttpResponse {
    sns_error(404, "NotFound", "Endpoint does not exist")
}

impl FakeAws {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("a state")
    }

    pub fn ports(&self) -> Ports {
        Ports {
            table: DeviceTable::new(self.dynamodb(), "devices".to_owned()),
            endpoints: Endpoints::new(self.sns(), APPLICATION.to_owned()),
        }
    }

    /// Rule that answers with `respond`, or with `denied` when calls fail.
    fn rule<I, O, E>(
        &self,
        operation: RuleBuilder<I, O, E>,
        call: &'static str,
        denied: fn() -> HttpResponse,
        respond: impl Fn(&mut State, &I) -> MockResponse<O, E> + Send + Sync + 'static,
    ) -> Rule
    where
        I: fmt::Debug + Send + Sync + 'static,
        O: fmt::Debug + Send + Sync + 'static,
        E: fmt::Debug + Error + Send + Sync + 'static,
    {
        let aws = self.clone();
        operation.then_compute_response(move |request| {
            let mut state = aws.state();
            if state.fails(call) { MockResponse::Http(denied()) } else { respond(&mut state, request) }
        })
    }

    fn sns(&self) -> aws_sdk_sns::Client {
        use aws_sdk_sns::Client;
        let create =
            self.rule(mock!(Client::create_platform_endpoint), "create endpoint", sns_denied, |state, request| {
                assert_eq!(request.platform_application_arn(), Some(APPLICATION));
                let mut requested = request.attributes().cloned().expect("attributes");
                requested.insert("Token".into(), request.token().expect("a token").into());
                requested.insert("CustomUserData".into(), request.custom_user_data().expect("user data").into());
                let existing = state.with_token(&requested["Token"]);
                let arn = match existing.map(|(arn, existing)| (arn.clone(), *existing == requested)) {
                    Some((arn, true)) => arn,
                    Some((arn, false)) => return MockResponse::Http(already_exists(&arn)),
                    None => {
                        state.created += 1;
                        let arn = endpoint_arn(&format!("e{}", state.created));
                        state.endpoints.insert(arn.clone(), requested);
                        arn
                    }
                };
                MockResponse::Output(CreatePlatformEndpointOutput::builder().endpoint_arn(arn).build())
            });
        let get =
            self.rule(mock!(Client::get_endpoint_attributes), "get endpoint", sns_denied, |state, request| match state
                .endpoints
                .get(request.endpoint_arn().expect("an ARN"))
            {
                None => MockResponse::Http(not_found()),
                Some(attributes) => MockResponse::Output(
                    GetEndpointAttributesOutput::builder().set_attributes(Some(attributes.clone())).build(),
                ),
            });
        let set = self.rule(mock!(Client::set_endpoint_attributes), "set endpoint", sns_denied, |state, request| {
            let arn = request.endpoint_arn().expect("an ARN");
            let new = request.attributes().cloned().expect("attributes");
            if let Some((other, _)) = state.with_token(&new["Token"]).filter(|(other, _)| *other != arn) {
                return MockResponse::Http(already_exists(other));
            }
            match state.endpoints.get_mut(arn) {
                None => MockResponse::Http(not_found()),
                Some(attributes) => {
                    attributes.extend(new);
                    MockResponse::Output(SetEndpointAttributesOutput::builder().build())
                }
            }
        });
        let delete = self.rule(mock!(Client::delete_endpoint), "delete endpoint", sns_denied, |state, request| {
            state.endpoints.remove(request.endpoint_arn().expect("an ARN"));
            MockResponse::Output(DeleteEndpointOutput::builder().build())
        });
        mock_client!(aws_sdk_sns, RuleMode::MatchAny, [&create, &get, &set, &delete])
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        use aws_sdk_dynamodb::Client;
        let query = self.rule(mock!(Client::query), "query", dynamodb_denied, |state, request| {
            let values = request.expression_attribute_values().expect("values");
            let is_found = |((user, item), row): &(&(String, String), &Row)| match request.index_name() {
                Some("by-token") => !state.index_is_stale && row.get("token_hash") == values.get(":hash"),
                _ => item.starts_with("device#") && Some(&**user) == text(values, ":user"),
            };
            let rows: Vec<Row> = state.rows.iter().filter(is_found).map(|(_, row)| row.clone()).collect();
            MockResponse::Output(QueryOutput::builder().set_items(Some(rows)).build())
        });
        let get = self.rule(mock!(Client::get_item), "get row", dynamodb_denied, |state, request| {
            let row = state.rows.get(&key(request.key())).cloned();
            MockResponse::Output(GetItemOutput::builder().set_item(row).build())
        });
        let put = self.rule(mock!(Client::put_item), "put row", dynamodb_denied, |state, request| {
            if let Some(change) = state.before_put.take() {
                change(state);
            }
            let (key, values) = (key(request.item()), request.expression_attribute_values());
            if !state.holds(&key, request.condition_expression(), values) {
                let failed = ConditionalCheckFailedException::builder().build();
                return MockResponse::Error(PutItemError::ConditionalCheckFailedException(failed));
            }
            state.rows.insert(key, request.item().cloned().expect("a row"));
            MockResponse::Output(PutItemOutput::builder().build())
        });
        let delete = self.rule(mock!(Client::delete_item), "delete row", dynamodb_denied, |state, request| {
            let (key, values) = (key(request.key()), request.expression_attribute_values());
            if !state.holds(&key, request.condition_expression(), values) {
                let failed = ConditionalCheckFailedException::builder().build();
                return MockResponse::Error(DeleteItemError::ConditionalCheckFailedException(failed));
            }
            state.rows.remove(&key);
            MockResponse::Output(DeleteItemOutput::builder().build())
        });
        mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query, &get, &put, &delete])
    }
}
