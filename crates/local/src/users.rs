//! People who use the API: signed up with Cognito, and signed in.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{aws::Aws, stack::Stack};

/// The stack's user pool, as its administrator sees it.
#[derive(Debug, Clone)]
pub struct Users {
    aws: Aws,
    pool: String,
    client: String,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct User {
    /// The `sub` of their account: the id of their vertex in the graph.
    pub id: String,
    /// Their name.
    pub name: String,
    /// What the API's authorizer wants to see.
    pub access_token: String,
}

impl Users {
    /// The users of `stack`.
    pub fn of(stack: &Stack) -> Result<Self> {
        Ok(Self::new(stack.aws(), stack.output("UserPoolId")?, stack.output("UserPoolClientId")?))
    }

    /// The users of a pool, who sign in with this client.
    pub fn new(aws: Aws, pool: &str, client: &str) -> Self {
        Self { aws, pool: pool.to_owned(), client: client.to_owned() }
    }

    /// Somebody new, with an address of their own, confirmed and signed in.
    pub async fn sign_up(&self, name: &str) -> Result<User> {
        let email = format!("{}@iyagi.example", Uuid::new_v4().simple());
        let password = format!("Aa1!{}", Uuid::new_v4().simple());
        let input = json!({
            "ClientId": self.client, "Username": email, "Password": password,
            "UserAttributes": [{"Name": "email", "Value": email}],
        });
        let signed_up = self.call("SignUp", &input).await?;
        let id = signed_up["UserSub"].as_str().context("an account without sub")?.to_owned();
        if signed_up["UserConfirmed"] != true {
            let input = json!({"UserPoolId": self.pool, "Username": email});
            self.call("AdminConfirmSignUp", &input).await?;
        }
        let access_token = self.sign_in(&email, &password).await?;
        Ok(User { id, name: name.to_owned(), access_token })
    }

    /// An access token, by a flow with a password that the app's client allows.
    async fn sign_in(&self, email: &str, password: &str) -> Result<String> {
        let input = json!({"UserPoolId": self.pool, "ClientId": self.client});
        let client = self.call("DescribeUserPoolClient", &input).await?;
        let flows = &client["UserPoolClient"]["ExplicitAuthFlows"];
        let allows = |flow: &str| flows.as_array().is_some_and(|flows| flows.iter().any(|known| known == flow));
        let mut input = json!({
            "ClientId": self.client, "AuthParameters": {"USERNAME": email, "PASSWORD": password},
        });
        let action = if allows("ALLOW_USER_PASSWORD_AUTH") {
            input["AuthFlow"] = "USER_PASSWORD_AUTH".into();
            "InitiateAuth"
        } else if allows("ALLOW_ADMIN_USER_PASSWORD_AUTH") {
            input["AuthFlow"] = "ADMIN_USER_PASSWORD_AUTH".into();
            input["UserPoolId"] = self.pool.as_str().into();
            "AdminInitiateAuth"
        } else {
            bail!("the user pool's client lets nobody sign in with a password: {flows}");
        };
        let signed_in = self.call(action, &input).await?;
        let token = signed_in["AuthenticationResult"]["AccessToken"].as_str();
        Ok(token.context("a sign-in without access token")?.to_owned())
    }

    async fn call(&self, action: &str, input: &Value) -> Result<Value> {
        self.aws.json("cognito-idp", &format!("AWSCognitoIdentityProviderService.{action}"), input).await
    }
}

impl User {
    /// Asks the API as this user.
    pub async fn ask(&self, stack: &Stack, method: reqwest::Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut request = reqwest::Client::new().request(method.clone(), stack.api(path)?);
        request = request.header("authorization", format!("Bearer {}", self.access_token));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.context("the API does not answer")?;
        let (status, body) = (answer.status(), answer.bytes().await?);
        if !status.is_success() {
            bail!("{method} {path}: {status} {}", String::from_utf8_lossy(&body));
        }
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&body)?) }
    }
}
