//! Tokens that the deployed API must not take, each beside one that it takes.
//!
//! A file of its own, since it changes for a moment what the user pool gives to everybody.

mod support;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::Method;
use local::users::{Tokens, User, Users};
use serde_json::{Value, json};
use support::{Deployed, eventually};
use uuid::Uuid;

const PASSWORD: &str = "correct horse 7 Battery!";

#[tokio::test]
async fn only_whole_fresh_access_tokens_of_this_app_are_taken() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    assert_eq!(status(&deployed, &mina.access_token).await, 200);

    for (what, token) in forgeries(&mina.access_token) {
        refused(&deployed, &what, &token).await;
    }
    refused(&deployed, "an ID token", &mina.id_token).await;
    refused(&deployed, "no token", "").await;
    refused(&deployed, "no token at all", "not.a.token").await;
    refused(&deployed, "a token of another pool", &of_another_pool(&deployed).await).await;
    refused(&deployed, "a token of another app", &of_another_app(&deployed).await).await;

    let short = short_lived(&deployed).await;
    let claims = claims(&short);
    assert_eq!(claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(end, begin)| end - begin), Some(1), "{claims}");
    eventually("a token to expire", async || matches!(status(&deployed, &short).await, 401 | 403).then_some(())).await;
    assert_eq!(status(&deployed, &mina.access_token).await, 200);
}

/// The token with each of its claims changed, with another algorithm, and without its signature.
fn forgeries(token: &str) -> Vec<(String, String)> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("a token has three parts") };
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let mut forged = vec![
        ("no signature".to_owned(), format!("{header}.{payload}.")),
        ("no algorithm".to_owned(), format!("{}.{payload}.", encode(&json!({"alg": "none", "typ": "JWT"})))),
        (
            "a signature by its public key".to_owned(),
            format!("{}.{payload}.{signature}", encode(&json!({"alg": "HS256"}))),
        ),
    ];
    let claims = claims(token);
    for (name, value) in claims.as_object().expect("claims") {
        let mut changed = claims.clone();
        changed[name] = match value {
            Value::Number(number) => json!(number.as_i64().unwrap_or_default() + 86_400),
            _ => json!(format!("{}x", value.as_str().unwrap_or_default())),
        };
        forged.push((format!("another `{name}`"), format!("{header}.{}.{signature}", encode(&changed))));
    }
    assert!(forged.len() > 8, "{claims}");
    forged
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).expect("base 64")).expect("claims")
}

async fn of_another_pool(deployed: &Deployed) -> String {
    let pool = cognito(deployed, "CreateUserPool", json!({"PoolName": "elsewhere"})).await;
    let pool = pool["UserPool"]["Id"].as_str().expect("a pool").to_owned();
    token_of_new_client(deployed, &pool).await
}

async fn of_another_app(deployed: &Deployed) -> String {
    token_of_new_client(deployed, deployed.output("UserPoolId")).await
}

async fn token_of_new_client(deployed: &Deployed, pool: &str) -> String {
    let client = json!({
        "UserPoolId": pool, "ClientName": "another", "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
    });
    let client = cognito(deployed, "CreateUserPoolClient", client).await;
    let client = client["UserPoolClient"]["ClientId"].as_str().expect("a client").to_owned();
    new_account(&Users::new(deployed.aws.clone(), pool, &client)).await.access
}

/// A token that works for a second: AWS itself gives none for less than five minutes.
async fn short_lived(deployed: &Deployed) -> String {
    let (pool, client) = (deployed.output("UserPoolId"), deployed.output("UserPoolClientId"));
    let of = json!({"UserPoolId": pool, "ClientId": client});
    let before = cognito(deployed, "DescribeUserPoolClient", of).await["UserPoolClient"].clone();
    let mut brief = before.clone();
    brief["AccessTokenValidity"] = json!(1);
    brief["TokenValidityUnits"]["AccessToken"] = json!("seconds");
    cognito(deployed, "UpdateUserPoolClient", brief).await;
    let tokens = new_account(&Users::of(&deployed.stack).expect("a user pool")).await;
    cognito(deployed, "UpdateUserPoolClient", before).await;
    tokens.access
}

async fn new_account(users: &Users) -> Tokens {
    let email = format!("{}@iyagi.example", Uuid::new_v4().simple());
    users.create(&email, PASSWORD).await.expect("an account");
    users.sign_in(&email, PASSWORD).await.expect("tokens")
}

async fn cognito(deployed: &Deployed, action: &str, input: Value) -> Value {
    let target = format!("AWSCognitoIdentityProviderService.{action}");
    deployed.aws.json("cognito-idp", &target, &input).await.expect(action)
}

async fn status(deployed: &Deployed, token: &str) -> u16 {
    let user = User { id: String::new(), name: String::new(), access_token: token.to_owned(), id_token: String::new() };
    deployed.ask(&user, Method::GET, "/v1/media", None).await.status
}

async fn refused(deployed: &Deployed, what: &str, token: &str) {
    let status = status(deployed, token).await;
    assert!(matches!(status, 401 | 403), "{what}: {status}");
}
