//! What the tests share: requests, SNS's words, and a small world of SNS and DynamoDB.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
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
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::body::SdkBody;
use domain::push::Token;
use serde_json::json;
use store::devices::DeviceTable;

use crate::{devices::Ports, endpoints::Endpoints};

pub const APPLICATION: &str = "arn:aws:sns:ap-northeast-2:123456789012:app/GCM/iyagi-push";

/// A request as API Gateway hands it on; nobody asks if `user` is empty.
pub fn request(user: &str, route: &str, id: &str, body: &str) -> ApiGatewayV2httpRequest {
    let claims = if user.is_empty() { json!({}) } else { json!({"sub": user, "token_use": "access"}) };
    let request = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": "", "headers": {},
        "pathParameters": {"id": id}, "body": body, "isBase64Encoded": false,
        "requestContext": {"http": {"method": "GET"}, "authorizer": {"jwt": {"claims": claims, "scopes": []}}}
    });
    serde_json::from_value(request).expect("a request")
}

pub fn token(text: &str) -> Token {
    text.to_owned().try_into().expect("a token")
}

pub fn endpoint_arn(name: &str) -> String {
    format!("arn:aws:sns:ap-northeast-2:123456789012:endpoint/GCM/iyagi-push/{name}")
}

/// An error of SNS, as it comes over the wire.
pub fn sns_error(status: u16, code: &str, message: &str) -> HttpResponse {
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body))
}

/// What SNS says to a second endpoint for a token.
pub fn already_exists(endpoint_arn: &str) -> HttpResponse {
    let message = format!(
        "Invalid parameter: Token Reason: Endpoint {endpoint_arn} already exists with the same Token, \
         but different attributes."
    );
    sns_error(400, "InvalidParameter", &message)
}

type Attributes = HashMap<String, String>;
type Row = HashMap<String, AttributeValue>;

/// What somebody else does.
type Meanwhile = Box<dyn FnOnce(&mut State) + Send>;

/// SNS and DynamoDB, as far as this function uses them, with one state; each call can fail.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<State>>);

#[derive(Default)]
pub struct State {
    /// By ARN.
    pub endpoints: BTreeMap<String, Attributes>,
    /// By user and item.
    pub rows: BTreeMap<(String, String), Row>,
    /// What is asked, in order.
    pub calls: Vec<&'static str>,
    /// How many calls succeed from now on; all, if none is given.
    pub calls_until_failure: Option<usize>,
    /// The index by token has not seen the latest writes.
    pub index_is_behind: bool,
    /// What happens at the next put of a row, just before it.
    pub before_put: Option<Meanwhile>,
    created: usize,
}

impl State {
    /// Notes a call; whether it fails.
    fn fails(&mut self, call: &'static str) -> bool {
        self.calls.push(call);
        match &mut self.calls_until_failure {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        }
    }

    fn with_token(&self, token: &str) -> Option<(&String, &Attributes)> {
        self.endpoints.iter().find(|(_, attributes)| attributes["Token"] == token)
    }

    /// The users who are reached at the phone that has `token`: whose rows lead to its endpoint.
    pub fn reached_at(&self, token: &str) -> Vec<&str> {
        let Some((endpoint_arn, _)) = self.with_token(token) else { return vec![] };
        let rows = self.rows.iter().filter(|(_, row)| text(row, "endpoint_arn") == Some(endpoint_arn));
        rows.map(|((user, _), _)| user.as_str()).collect()
    }

    /// The conditions that the table uses, on the row as it is.
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
            Some(other) => panic!("an unknown condition: {other}"),
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

fn refused() -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(403).expect("a status"), SdkBody::from("{}"))
}

fn not_found() -> HttpResponse {
    sns_error(404, "NotFound", "Endpoint does not exist")
}

impl World {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("a state")
    }

    pub fn ports(&self) -> Ports {
        Ports {
            table: DeviceTable::new(self.dynamodb(), "devices".to_owned()),
            endpoints: Endpoints::new(self.sns(), APPLICATION.to_owned()),
        }
    }

    fn sns(&self) -> aws_sdk_sns::Client {
        use aws_sdk_sns::Client;
        let world = self.clone();
        let create = mock!(Client::create_platform_endpoint).then_compute_response(move |request| {
            let mut state = world.state();
            if state.fails("create endpoint") {
                return MockResponse::Http(sns_error(403, "AuthorizationError", "no"));
            }
            assert_eq!(request.platform_application_arn(), Some(APPLICATION));
            let mut wanted = request.attributes().cloned().expect("attributes");
            wanted.insert("Token".into(), request.token().expect("a token").into());
            wanted.insert("CustomUserData".into(), request.custom_user_data().expect("user data").into());
            let there = state.with_token(&wanted["Token"]).map(|(arn, there)| (arn.clone(), *there == wanted));
            let arn = match there {
                Some((arn, true)) => arn,
                Some((arn, false)) => return MockResponse::Http(already_exists(&arn)),
                None => {
                    state.created += 1;
                    let arn = endpoint_arn(&format!("e{}", state.created));
                    state.endpoints.insert(arn.clone(), wanted);
                    arn
                }
            };
            MockResponse::Output(CreatePlatformEndpointOutput::builder().endpoint_arn(arn).build())
        });
        let world = self.clone();
        let get = mock!(Client::get_endpoint_attributes).then_compute_response(move |request| {
            let mut state = world.state();
            if state.fails("get endpoint") {
                return MockResponse::Http(sns_error(403, "AuthorizationError", "no"));
            }
            match state.endpoints.get(request.endpoint_arn().expect("an ARN")) {
                None => MockResponse::Http(not_found()),
                Some(attributes) => MockResponse::Output(
                    GetEndpointAttributesOutput::builder().set_attributes(Some(attributes.clone())).build(),
                ),
            }
        });
        let world = self.clone();
        let set = mock!(Client::set_endpoint_attributes).then_compute_response(move |request| {
            let mut state = world.state();
            if state.fails("set endpoint") {
                return MockResponse::Http(sns_error(403, "AuthorizationError", "no"));
            }
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
        let world = self.clone();
        let delete = mock!(Client::delete_endpoint).then_compute_response(move |request| {
            let mut state = world.state();
            if state.fails("delete endpoint") {
                return MockResponse::Http(sns_error(403, "AuthorizationError", "no"));
            }
            state.endpoints.remove(request.endpoint_arn().expect("an ARN"));
            MockResponse::Output(DeleteEndpointOutput::builder().build())
        });
        mock_client!(aws_sdk_sns, RuleMode::MatchAny, [&create, &get, &set, &delete])
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        use aws_sdk_dynamodb::Client;
        let world = self.clone();
        let query = mock!(Client::query).then_compute_response(move |request| {
            let mut state = world.state();
            if state.fails("query") {
                return MockResponse::Http(refused());
            }
            let values = request.expression_attribute_values().expect("values");
            let rows: Vec<Row> = match request.index_name() {
                Some("by-token") if state.index_is_behind => vec![],
                Some("by-token") => {
                    state.rows.values().filter(|row| row.get("token_hash") == values.get(":hash")).cloned().collect()
                }
                _ => {
                    let devices = state.rows.iter().filter(|((_, item), _)| item.starts_with("device#"));
                    devices
                        .filter(|((user, _), _)| Some(&**user) == text(values, ":user"))
                        .map(|(_, row)| row.clone())
                        .collect()
                }
            };
            MockResponse::Output(QueryOutput::builder().set_items(Some(rows)).build())
        });
        let world = self.clone();
        let get = mock!(Client::get_item).then_compute_response(move |request| {
            let mut state = world.state();
            if state.fails("get row") {
                return MockResponse::Http(refused());
            }
            let row = state.rows.get(&key(request.key())).cloned();
            MockResponse::Output(GetItemOutput::builder().set_item(row).build())
        });
        let world = self.clone();
        let put = mock!(Client::put_item).then_compute_response(move |request| {
            let mut state = world.state();
            if state.fails("put row") {
                return MockResponse::Http(refused());
            }
            if let Some(before) = state.before_put.take() {
                before(&mut state);
            }
            let (key, values) = (key(request.item()), request.expression_attribute_values());
            if !state.holds(&key, request.condition_expression(), values) {
                let failed = ConditionalCheckFailedException::builder().build();
                return MockResponse::Error(PutItemError::ConditionalCheckFailedException(failed));
            }
            state.rows.insert(key, request.item().cloned().expect("a row"));
            MockResponse::Output(PutItemOutput::builder().build())
        });
        let world = self.clone();
        let delete = mock!(Client::delete_item).then_compute_response(move |request| {
            let mut state = world.state();
            if state.fails("delete row") {
                return MockResponse::Http(refused());
            }
            let key = key(request.key());
            if !state.holds(&key, request.condition_expression(), request.expression_attribute_values()) {
                let failed = ConditionalCheckFailedException::builder().build();
                return MockResponse::Error(DeleteItemError::ConditionalCheckFailedException(failed));
            }
            state.rows.remove(&key);
            MockResponse::Output(DeleteItemOutput::builder().build())
        });
        mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query, &get, &put, &delete])
    }
}
