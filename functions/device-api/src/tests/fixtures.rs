//! Requests, and errors of SNS.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::body::SdkBody;
use domain::push::Token;
use serde_json::json;

pub const APPLICATION: &str = "arn:aws:sns:ap-northeast-2:123456789012:app/GCM/iyagi-push";

/// Request as API Gateway delivers it; not authenticated if `user` is empty.
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

/// Error response of SNS.
pub fn sns_error(status: u16, code: &str, message: &str) -> HttpResponse {
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body))
}

/// Error of SNS for a token that another endpoint has.
pub fn already_exists(endpoint_arn: &str) -> HttpResponse {
    let message = format!(
        "Invalid parameter: Token Reason: Endpoint {endpoint_arn} already exists with the same Token, \
         but different attributes."
    );
    sns_error(400, "InvalidParameter", &message)
}
