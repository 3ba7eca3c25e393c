//! Signing up and in with MiniStack's Cognito.

use aws_client::AwsClient;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use stack::{emulator::Emulator, users::Users};

/// Stops the emulator when dropped, also when a test fails.
struct Running(Emulator);

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.0.stop() {
            eprintln!("{error:#}");
        }
    }
}

async fn cognito(aws: &AwsClient, action: &str, input: Value) -> Value {
    aws.json("cognito-idp", &format!("AWSCognitoIdentityProviderService.{action}"), &input).await.expect(action)
}

#[tokio::test]
async fn sign_up_signs_in_by_a_flow_that_the_client_allows() {
    let emulator = Running(Emulator::start("users", true).expect("an emulator: has `cargo xtask test` installed it?"));
    let aws = AwsClient::new(emulator.0.endpoint());
    let input = json!({"PoolName": "users", "UsernameAttributes": ["email"]});
    let pool = cognito(&aws, "CreateUserPool", input).await["UserPool"]["Id"].as_str().expect("an id").to_owned();
    for (flow, is_supported) in
        [("ALLOW_USER_PASSWORD_AUTH", true), ("ALLOW_ADMIN_USER_PASSWORD_AUTH", true), ("ALLOW_USER_SRP_AUTH", false)]
    {
        let input = json!({"UserPoolId": pool, "ClientName": flow, "ExplicitAuthFlows": [flow]});
        let client = cognito(&aws, "CreateUserPoolClient", input).await;
        let users = Users::new(aws.clone(), &pool, client["UserPoolClient"]["ClientId"].as_str().expect("an id"));
        let signed_up = users.sign_up("미나").await;
        if !is_supported {
            let error = signed_up.err().expect("the flow has no password").to_string();
            assert!(error.contains(flow), "{error}");
            continue;
        }
        let user = signed_up.unwrap_or_else(|error| panic!("{flow}: {error:#}"));
        let claims = user.access_token.split('.').nth(1).expect("a JWT");
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64");
        let claims: Value = serde_json::from_slice(&claims).expect("claims");
        assert_eq!((&claims["sub"], &claims["token_use"]), (&json!(user.id), &json!("access")), "{flow}");
    }
}
