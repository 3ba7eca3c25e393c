//! Users of the API, with accounts in Cognito.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_client::{AwsClient, Response};
use http::{Method, StatusCode, header::RETRY_AFTER};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stack::Stack;

/// The longest wait of one call for `Retry-After`. The limits per second and minute end within it, the budget of a day
/// does not.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// A user pool, accessed by the administrator.
#[derive(Debug, Clone)]
pub struct Users {
    aws: AwsClient,
    pool: String,
    client: String,
}

/// A signed-in user.
#[derive(Clone)]
pub struct User {
    /// The `sub` of the account, which is also the id of the user's vertex in the graph.
    pub id: String,
    /// Name.
    pub name: String,
    /// The token that the API requires.
    pub access_token: String,
    /// The token for the app. The API must reject it.
    pub id_token: String,
}

/// The tokens of a sign-in.
pub struct Tokens {
    /// The token that the API requires.
    pub access: String,
    /// The token for the app.
    pub id: String,
}

impl Users {
    /// The user pool of `stack`, with its client for administration: that of the app takes no passwords.
    pub fn from_stack(stack: &Stack) -> Result<Self> {
        Ok(Self::new(stack.aws(), stack.output("UserPoolId")?, stack.output("UserPoolAdminClientId")?))
    }

    /// The user pool `pool`, with the app client `client`.
    pub fn new(aws: AwsClient, pool: &str, client: &str) -> Self {
        Self { aws, pool: pool.to_owned(), client: client.to_owned() }
    }

    /// Creates a confirmed account with a generated address and password, and signs in.
    pub async fn sign_up(&self, name: &str) -> Result<User> {
        let email = format!("{}@iyagi.example", Uuid::new_v4().simple());
        let password = format!("Aa1!{}", Uuid::new_v4().simple());
        self.sign_up_as(name, &email, &password).await
    }

    /// Creates a confirmed account with this address and password, and signs in.
    pub async fn sign_up_as(&self, name: &str, email: &str, password: &str) -> Result<User> {
        let id = self.create(email, password).await?;
        let Tokens { access, id: id_token } = self.sign_in(email, password).await?;
        Ok(User { id, name: name.to_owned(), access_token: access, id_token })
    }

    /// Creates a confirmed account and returns its `sub`.
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
        Ok(signed_up["UserSub"].as_str().context("the account has no sub")?.to_owned())
    }

    /// Signs in with a password, by a flow that the app client allows.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Tokens> {
        let input = json!({"UserPoolId": self.pool, "ClientId": self.client});
        let client = self.call("DescribeUserPoolClient", &input).await?;
        let flows = &client["UserPoolClient"]["ExplicitAuthFlows"];
        let allows = |flow: &str| flows.as_array().is_some_and(|flows| flows.iter().any(|allowed| allowed == flow));
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
            bail!("the app client allows no sign-in with a password: {flows}");
        };
        let signed_in = self.call(action, &input).await?;
        let token = |name: &str| {
            let token = signed_in["AuthenticationResult"][name].as_str();
            Ok::<_, anyhow::Error>(token.with_context(|| format!("the sign-in returned no {name}"))?.to_owned())
        };
        Ok(Tokens { access: token("AccessToken")?, id: token("IdToken")? })
    }

    /// The `sub` of the account of an access token.
    pub async fn sub_from_token(&self, access_token: &str) -> Result<String> {
        let user = self.call("GetUser", &json!({"AccessToken": access_token})).await?;
        let attributes = user["UserAttributes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let sub = attributes.iter().find(|attribute| attribute["Name"] == "sub");
        Ok(sub.and_then(|sub| sub["Value"].as_str()).context("the account has no sub")?.to_owned())
    }

    /// Calls Cognito. Status 500 is retried once, as SDKs do: the emulator fails while another account is created.
    async fn call(&self, action: &str, input: &Value) -> Result<Value> {
        let target = format!("AWSCognitoIdentityProviderService.{action}");
        match self.aws.json("cognito-idp", &target, input).await {
            Err(error) if error.to_string().contains("500 Internal Server Error") => {
                self.aws.json("cognito-idp", &target, input).await
            }
            result => result,
        }
    }
}

impl User {
    /// Calls the API and returns the JSON of the response.
    ///
    /// # Errors
    /// If the status is not 2xx.
    pub async fn request(&self, stack: &Stack, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let response = self.send(stack, method.clone(), path, &[], body).await?;
        if !response.status.is_success() {
            bail!("{method} {path}: {} {}", response.status, String::from_utf8_lossy(&response.body));
        }
        if response.body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&response.body)?) }
    }

    /// Calls the API and returns any response. Of status 429 only if the waits for `Retry-After` would be longer than
    /// [`MAX_WAIT`] in all: before, it retries.
    pub async fn send(
        &self,
        stack: &Stack,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Response> {
        let mut waited = Duration::ZERO;
        loop {
            let response = self.send_once(stack, method.clone(), path, headers, body).await?;
            if response.status != StatusCode::TOO_MANY_REQUESTS {
                return Ok(response);
            }
            let seconds = response.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let seconds = seconds.and_then(|seconds| seconds.parse().ok()).context("429 without Retry-After")?;
            waited += Duration::from_secs(seconds);
            if waited > MAX_WAIT {
                return Ok(response);
            }
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
        let response = request.send().await.context("the API does not respond")?;
        Ok(Response {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await?.into(),
        })
    }
}
