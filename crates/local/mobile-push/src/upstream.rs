use anyhow::{Context, Result};
use aws_client::AwsClient;
use axum::{
    body::{Body, Bytes},
    http::{Request, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};

use super::{sns_error::SnsError, xml};

/// Maximum size of a response about permissions, in bytes.
const MAX_RESPONSE: usize = 1 << 20;

/// The emulator of the other AWS services.
pub struct Upstream {
    server: http_server::Upstream,
    /// Calls it as its administrator.
    pub admin: AwsClient,
}

impl Upstream {
    /// The emulator at `endpoint`, such as `http://127.0.0.1:4566`.
    pub fn new(endpoint: &str) -> Result<Self> {
        Ok(Self { server: http_server::Upstream::new(endpoint)?, admin: AwsClient::new(endpoint.to_owned()) })
    }

    /// Forwards a request unchanged, so that its signature stays valid.
    pub async fn forward(&self, request: Request<Body>) -> Response {
        self.server.forward(request).await.unwrap_or_else(|error| bad_gateway(&error))
    }

    /// Asks the emulator whether IAM allows this call, by forwarding the request: only the emulator can verify the
    /// signature and find the caller's policies.
    ///
    /// The emulator looks for the resource in parameters that the mobile push calls do not have. It therefore checks
    /// them for the resource `*`, and denies what a policy allows for one application. In that case its error names the
    /// caller, and `SimulatePrincipalPolicy` decides for the actual resource. An explicit `Deny` of one resource among
    /// others that `*` allows is not detected.
    pub async fn authorize(&self, parts: &Parts, body: &Bytes, action: &str, resource: &str) -> Result<(), Response> {
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let (response, body) = self.forward(request).await.into_parts();
        let body = axum::body::to_bytes(body, MAX_RESPONSE).await.map_err(|error| bad_gateway(&error.into()))?;
        let text = String::from_utf8_lossy(&body);
        let code = xml::text_of(&text, "Code").unwrap_or_default();
        if action == "CreatePlatformApplication" && response.status.is_success() {
            self.delete_duplicate_application(&text).await;
        }
        let is_about_credentials = response.status == StatusCode::FORBIDDEN || code == "IncompleteSignature";
        if !is_about_credentials && response.status != StatusCode::BAD_GATEWAY {
            return Ok(());
        }
        if code == "AuthorizationError" {
            let principal = principal(&xml::text_of(&text, "Message").unwrap_or_default());
            return match self.is_allowed(&principal, action, resource).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(xml::error(&SnsError::not_authorized(&principal, action, resource))),
                Err(error) => Err(bad_gateway(&error)),
            };
        }
        Err(Response::from_parts(response, Body::from(body)))
    }

    /// Deletes the application that the emulator has created because of [`Self::authorize`].
    async fn delete_duplicate_application(&self, response: &str) {
        let Some(arn) = xml::text_of(response, "PlatformApplicationArn") else { return };
        let call = [
            ("Action", "DeletePlatformApplication"),
            ("Version", "2010-03-31"),
            ("PlatformApplicationArn", arn.as_str()),
        ];
        if let Err(error) = self.admin.query("sns", &call).await {
            eprintln!("cannot delete {arn} from the AWS emulator: {error:#}");
        }
    }

    async fn is_allowed(&self, principal: &str, action: &str, resource: &str) -> Result<bool> {
        let source = policy_source(principal);
        let action = format!("sns:{action}");
        let call = [
            ("Action", "SimulatePrincipalPolicy"),
            ("Version", "2010-05-08"),
            ("PolicySourceArn", source.as_str()),
            ("ActionNames.member.1", action.as_str()),
            ("ResourceArns.member.1", resource),
        ];
        let response = self.admin.query("iam", &call).await?;
        let decision = xml::text_of(&response, "EvalDecision").context("the simulation has no decision")?;
        Ok(decision == "allowed")
    }
}

fn bad_gateway(error: &anyhow::Error) -> Response {
    (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response()
}

/// The ARN in `User: <ARN> is not authorized to perform: …`.
fn principal(message: &str) -> String {
    let arn = message.strip_prefix("User: ").and_then(|rest| rest.split(' ').next());
    arn.unwrap_or("unknown").to_owned()
}

/// The ARN of the principal that has the policies: for a session, its role.
fn policy_source(principal: &str) -> String {
    let session = principal.split_once(":sts::").and_then(|(partition, rest)| {
        let (account, rest) = rest.split_once(":assumed-role/")?;
        let (role, _) = rest.split_once('/')?;
        Some(format!("{partition}:iam::{account}:role/{role}"))
    });
    session.unwrap_or_else(|| principal.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_has_the_policies_of_its_role() {
        let denied = "User: arn:aws:sts::000000000000:assumed-role/device-api/f1 is not authorized to perform: x";
        let session = principal(denied);
        assert_eq!(policy_source(&session), "arn:aws:iam::000000000000:role/device-api");
        let user = principal("User: arn:aws:iam::000000000000:user/mina is not authorized");
        assert_eq!(policy_source(&user), "arn:aws:iam::000000000000:user/mina");
        assert_eq!(principal("Access Denied"), "unknown");
    }
}
