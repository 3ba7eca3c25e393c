//! People who use the API: signed up with Cognito, and signed in.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_client::{AwsClient, Response};
use http::{Method, StatusCode, header::RETRY_AFTER};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Stack;

/// The stack's user pool, as its administrator sees it.
#[derive(Debug, Clone)]
pub struct Users {
    aws: AwsClient,
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
    /// What tells the app who is signed in, and what the API is not to take.
    pub id_token: String,
}

/// What a sign-in gives.
pub struct Tokens {
    /// For the API.
    pub access: String,
    /// For the app.
    pub id: String,
}

impl Users {
    /// The users of `stack`.
    pub fn of(stack: &Stack) -> Result<Self> {
        Ok(Self::new(stack.aws(), stack.output("UserPoolId")?, stack.output("UserPoolClientId")?))
    }

    /// The users of a pool, who sign in with this client.
    pub fn new(aws: AwsClient, pool: &str, client: &str) -> Self {
        Self { aws, pool: pool.to_owned(), client: client.to_owned() }
    }

    /// Somebody new, with an address of their own, confirmed and signed in.
    pub async fn sign_up(&self, name: &str) -> Result<User> {
        let email = format!("{}@iyagi.example", Uuid::new_v4().simple());
        let password = format!("Aa1!{}", Uuid::new_v4().simple());
        self.sign_up_as(name, &email, &password).await
    }

    /// The same with this address and this password.
    pub async fn sign_up_as(&self, name: &str, email: &str, password: &str) -> Result<User> {
        let id = self.create(email, password).await?;
        let Tokens { access, id: id_token } = self.sign_in(email, password).await?;
        Ok(User { id, name: name.to_owned(), access_token: access, id_token })
    }

    /// A new account with this address and password, confirmed; its `sub`.
    pub async fn create(&self, email: &str, password: &str) -> Result<String> {
        let input = json!({
            "ClientId": self.client, "Username": email, "Password": password,
            "UserAttributes": [{"Name": "email", "Value": email}],
        });
        let signed_up = self.call("SignUp", &input).await?;
        if signed_up["UserConfirmed"] != true {
            let input = json!({"UserPoolId": self.pool, "Username": email});
            self.call("AdminConfirmSignUp", &input).await?;
        }
        Ok(signed_up["UserSub"].as_str().context("an account without sub")?.to_owned())
    }

    /// Signs in, by a flow with a password that the app's client allows.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Tokens> {
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
        let token = |name: &str| {
            let token = signed_in["AuthenticationResult"][name].as_str();
            Ok::<_, anyhow::Error>(token.with_context(|| format!("a sign-in without {name}"))?.to_owned())
        };
        Ok(Tokens { access: token("AccessToken")?, id: token("IdToken")? })
    }

    /// The `sub` of whoever this access token was made for.
    pub async fn sub_from_token(&self, access_token: &str) -> Result<String> {
        let user = self.call("GetUser", &json!({"AccessToken": access_token})).await?;
        let attributes = user["UserAttributes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let sub = attributes.iter().find(|attribute| attribute["Name"] == "sub");
        Ok(sub.and_then(|sub| sub["Value"].as_str()).context("an account without sub")?.to_owned())
    }

    async fn call(&self, action: &str, input: &Value) -> Result<Value> {
        self.aws.json("cognito-idp", &format!("AWSCognitoIdentityProviderService.{action}"), input).await
    }
}

impl User {
    /// Asks the API as this user; an answer that is no success is a failure.
    pub async fn ask(&self, stack: &Stack, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let answer = self.send(stack, method.clone(), path, &[], body).await?;
        if !answer.status.is_success() {
            bail!("{method} {path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        if answer.body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&answer.body)?) }
    }

    /// Asks the API as this user; any answer is one, but that they ask too often: then this waits as
    /// long as it is told, as apps ought to.
    pub async fn send(
        &self,
        stack: &Stack,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Response> {
        loop {
            let answer = self.send_once(stack, method.clone(), path, headers, body).await?;
            if answer.status != StatusCode::TOO_MANY_REQUESTS {
                return Ok(answer);
            }
            let seconds = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let seconds = seconds.and_then(|seconds| seconds.parse().ok()).context("when to come again is not said")?;
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
    }

    async fn send_once(
        &self,
        stack: &Stack,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Response> {
        let mut request = reqwest::Client::new().request(method, stack.api_url(path)?);
        request = request.header("authorization", format!("Bearer {}", self.access_token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.context("the API does not answer")?;
        Ok(Response { status: answer.status(), headers: answer.headers().clone(), body: answer.bytes().await?.into() })
    }
}
