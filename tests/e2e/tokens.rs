//! Access tokens that the deployed API must refuse.
//!
//! Functions: media-api, upload-api, device-api, inbox-api, search-api.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use stack::users::{Tokens, User, Users};
use test_support::wait::wait_until;
use uuid::Uuid;

use crate::deployed::Deployed;

const PASSWORD: &str = "correct horse 7 Battery!";

// Exclusive: for a time, all tokens of the user pool's client are valid for one second.
#[tokio::test]
async fn forged_foreign_and_expired_tokens_are_refused() {
    let deployed = Deployed::exclusive().await;
    let mina = deployed.sign_up("Mina").await;
    assert_eq!(status(&deployed, &mina.access_token).await, 200);

    for (what, token) in forgeries(&mina.access_token) {
        assert_refused(&deployed, &what, &token).await;
    }
    assert_refused(&deployed, "an ID token", &mina.id_token).await;
    assert_refused(&deployed, "an empty token", "").await;
    assert_refused(&deployed, "not a JWT", "not.a.token").await;
    assert_refused(&deployed, "a token of another pool", &token_of_other_pool(&deployed).await).await;
    assert_refused(&deployed, "a token of another app", &token_of_other_app(&deployed).await).await;

    let short = short_lived_token(&deployed).await;
    let claims = claims(&short);
    let lifetime = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(end, begin)| end - begin);
    assert_eq!(lifetime, Some(1), "{claims}");
    wait_until("the token to expire", async || matches!(status(&deployed, &short).await, 401 | 403)).await;
    assert_eq!(status(&deployed, &mina.access_token).await, 200);
}

/// The token with another value in each claim, with another algorithm, and without its signature.
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
    let payload = token.split('.').nth(1).expect("payload");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("claims")
}

async fn token_of_other_pool(deployed: &Deployed) -> String {
    let pool = cognito(deployed, "CreateUserPool", json!({"PoolName": "elsewhere"})).await;
    let pool = pool["UserPool"]["Id"].as_str().expect("pool").to_owned();
    token_of_new_client(deployed, &pool).await
}

async fn token_of_other_app(deployed: &Deployed) -> String {
    token_of_new_client(deployed, deployed.output("UserPoolId")).await
}

async fn token_of_new_client(deployed: &Deployed, pool: &str) -> String {
    let client = json!({
        "UserPoolId": pool, "ClientName": "another", "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
    });
    let client = cognito(deployed, "CreateUserPoolClient", client).await;
    let client = client["UserPoolClient"]["ClientId"].as_str().expect("client").to_owned();
    new_account(&Users::new(deployed.aws.clone(), pool, &client)).await.access
}

/// A token that is valid for one second. AWS itself issues none for less than five minutes.
async fn short_lived_token(deployed: &Deployed) -> String {
    let (pool, client) = (deployed.output("UserPoolId"), deployed.output("UserPoolAdminClientId"));
    let of = json!({"UserPoolId": pool, "ClientId": client});
    let before = cognito(deployed, "DescribeUserPoolClient", of).await["UserPoolClient"].clone();
    let mut short = before.clone();
    short["AccessTokenValidity"] = json!(1);
    short["TokenValidityUnits"]["AccessToken"] = json!("seconds");
    cognito(deployed, "UpdateUserPoolClient", short).await;
    let tokens = new_account(&Users::from_stack(&deployed.stack).expect("user pool")).await;
    cognito(deployed, "UpdateUserPoolClient", before).await;
    tokens.access
}

async fn new_account(users: &Users) -> Tokens {
    let email = format!("{}@iyagi.example", Uuid::new_v4().simple());
    users.create(&email, PASSWORD).await.expect("account");
    users.sign_in(&email, PASSWORD).await.expect("tokens")
}

async fn cognito(deployed: &Deployed, action: &str, input: Value) -> Value {
    let target = format!("AWSCognitoIdentityProviderService.{action}");
    deployed.aws.json("cognito-idp", &target, &input).await.expect(action)
}

async fn status(deployed: &Deployed, token: &str) -> u16 {
    let user = User { id: String::new(), name: String::new(), access_token: token.to_owned(), id_token: String::new() };
    deployed.get(&user, "/v1/media").await.status
}

async fn assert_refused(deployed: &Deployed, what: &str, token: &str) {
    let status = status(deployed, token).await;
    assert!(matches!(status, 401 | 403), "{what}: {status}");
}
