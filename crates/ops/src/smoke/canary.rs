//! An account for the checks. It is created without a mail, and deleted at the end.

use anyhow::{Context, Result, ensure};
use http::{Method, Request};
use serde_json::{Value, json};
use uuid::Uuid;

use super::http::Http;
use crate::{session::Session, signed_calls::Service};

/// An account, signed in.
pub struct Canary<'a> {
    session: &'a Session,
    pub http: Http,
    /// Its `sub`.
    pub id: String,
    email: String,
    access_token: String,
    id_token: String,
}

/// A response of the API.
pub struct ApiResponse {
    pub status: u16,
    /// `null` if it is no JSON.
    pub body: Value,
}

impl ApiResponse {
    /// The body of a response with this status.
    pub fn expect(self, status: u16) -> Result<Value> {
        let kind = self.body["type"].as_str().unwrap_or_default();
        ensure!(self.status == status, "the API returns {} {kind} instead of {status}", self.status);
        Ok(self.body)
    }
}

impl<'a> Canary<'a> {
    /// Creates the account, and signs in.
    pub async fn create(session: &'a Session) -> Result<Self> {
        let (pool, client) = (session.output("UserPoolId")?, session.output("UserPoolAdminClientId")?);
        let email = format!("smoke-{}@iyagi.invalid", Uuid::new_v4().simple());
        let password = format!("Aa1!{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let attributes = json!([{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]);
        let input = json!({
            "UserPoolId": pool, "Username": email, "UserAttributes": attributes, "MessageAction": "SUPPRESS",
        });
        let created = cognito(session, "AdminCreateUser", &input).await?;
        let attributes = created["User"]["Attributes"].as_array().context("the account has no attributes")?;
        let sub = attributes.iter().find(|attribute| attribute["Name"] == "sub");
        let id = sub.and_then(|sub| sub["Value"].as_str()).context("the account has no sub")?.to_owned();
        let mut canary =
            Self { session, http: Http::new(), id, email, access_token: String::new(), id_token: String::new() };
        match canary.sign_in(pool, client, &password).await {
            Ok(()) => Ok(canary),
            Err(error) => canary.delete().await.and(Err(error)),
        }
    }

    async fn sign_in(&mut self, pool: &str, client: &str, password: &str) -> Result<()> {
        let email = &self.email;
        let input = json!({"UserPoolId": pool, "Username": email, "Password": password, "Permanent": true});
        cognito(self.session, "AdminSetUserPassword", &input).await?;
        let input = json!({
            "UserPoolId": pool, "ClientId": client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": email, "PASSWORD": password},
        });
        let signed_in = cognito(self.session, "AdminInitiateAuth", &input).await?;
        let token = |name: &str| {
            let token = signed_in["AuthenticationResult"][name].as_str();
            token.map(str::to_owned).with_context(|| format!("the sign-in returned no {name}"))
        };
        (self.access_token, self.id_token) = (token("AccessToken")?, token("IdToken")?);
        Ok(())
    }

    /// Deletes the account.
    pub async fn delete(&self) -> Result<()> {
        let input = json!({"UserPoolId": self.session.output("UserPoolId")?, "Username": self.email});
        cognito(self.session, "AdminDeleteUser", &input).await.map(drop)
    }

    /// Calls the API as this account.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<ApiResponse> {
        self.call_with(&self.access_token, method, path, body).await
    }

    pub async fn get(&self, path: &str) -> Result<ApiResponse> {
        self.call(Method::GET, path, None).await
    }

    /// The API accepts access tokens, and no ID tokens.
    pub async fn checks_scope(&self) -> Result<String> {
        let path = format!("/v1/media?owner={}&limit=1", self.id);
        self.get(&path).await?.expect(200)?;
        let status = self.call_with(&self.id_token, Method::GET, &path, None).await?.status;
        ensure!(matches!(status, 401 | 403), "the API returns {status} to an ID token");
        Ok("the API accepts the access token and refuses the ID token".to_owned())
    }

    async fn call_with(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Result<ApiResponse> {
        let request = Request::builder().method(method).uri(self.session.api_url(path)?);
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string().into_bytes())?,
            None => request.body(Vec::new())?,
        };
        let response = self.http.send(request).await?;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Ok(ApiResponse { status: response.status().as_u16(), body })
    }
}

async fn cognito(session: &Session, action: &str, input: &Value) -> Result<Value> {
    let target = format!("AWSCognitoIdentityProviderService.{action}");
    let answer = session.calls.json(Service::COGNITO, &target, input).await?;
    let body = answer.ok().with_context(|| format!("Cognito refuses {action}"))?;
    Ok(if body.trim().is_empty() { Value::Null } else { serde_json::from_str(&body)? })
}
