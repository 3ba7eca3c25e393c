use anyhow::{Context, Result};
use aws_client::AwsClient;
use axum::{
    body::{Body, Bytes},
    http::{HeaderName, Request, StatusCode, Uri, header, request::Parts, uri::Authority},
    response::{IntoResponse, Response},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::{sns_error::SnsError, xml};

/// Headers that are about a connection, not about the request.
const HOP_BY_HOP: [HeaderName; 4] = [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::EXPECT];
/// The most that an answer about permissions takes, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// The emulator that plays the rest of AWS.
pub struct Upstream {
    authority: Authority,
    http: Client<HttpConnector, Body>,
    /// Its administrator.
    pub admin: AwsClient,
}

impl Upstream {
    /// The one at `endpoint`, as in `http://127.0.0.1:4566`.
    pub fn new(endpoint: &str) -> Result<Self> {
        let uri: Uri = endpoint.parse().with_context(|| format!("{endpoint} is no address"))?;
        let authority = uri.authority().cloned().with_context(|| format!("{endpoint} names no host"))?;
        let http = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { authority, http, admin: AwsClient::new(endpoint.to_owned()) })
    }

    /// Passes a request on as it is, also its `Host`, so that its signature holds; and the answer back.
    pub async fn forward(&self, mut request: Request<Body>) -> Response {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let Ok(uri) = format!("http://{}{path}", self.authority).parse::<Uri>() else {
            return (StatusCode::BAD_REQUEST, "not an address").into_response();
        };
        *request.uri_mut() = uri;
        for name in &HOP_BY_HOP {
            request.headers_mut().remove(name);
        }
        match self.http.request(request).await {
            Ok(answer) => {
                let mut answer = answer.map(Body::new);
                for name in &HOP_BY_HOP {
                    answer.headers_mut().remove(name);
                }
                answer
            }
            Err(error) => {
                (StatusCode::BAD_GATEWAY, format!("the emulator of AWS does not answer: {error}")).into_response()
            }
        }
    }

    /// Asks the emulator whether IAM allows this call, with the very request: it alone can verify
    /// the signature, and it knows the caller's policies.
    ///
    /// It looks for the resource in parameters that the calls for platforms do not have, and so
    /// checks those on `*`, which denies what is allowed on one application only. Where it denies,
    /// its message names the caller, and `SimulatePrincipalPolicy` has the answer for the resource
    /// that is meant. What a policy denies expressly, on one resource among others that `*` allows,
    /// goes unnoticed.
    pub async fn authorise(&self, parts: &Parts, body: &Bytes, action: &str, resource: &str) -> Result<(), Response> {
        let mut request = Request::new(Body::from(body.clone()));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.headers_mut() = parts.headers.clone();
        let (answer, body) = self.forward(request).await.into_parts();
        let Ok(body) = axum::body::to_bytes(body, MAX_ANSWER).await else {
            return Err((StatusCode::BAD_GATEWAY, "the emulator of AWS broke off").into_response());
        };
        let text = String::from_utf8_lossy(&body);
        let code = xml::text_of(&text, "Code").unwrap_or_default();
        if action == "CreatePlatformApplication" && answer.status.is_success() {
            self.delete_duplicate_application(&text).await;
        }
        let is_about_credentials = answer.status == StatusCode::FORBIDDEN || code == "IncompleteSignature";
        if !is_about_credentials && answer.status != StatusCode::BAD_GATEWAY {
            return Ok(());
        }
        if code == "AuthorizationError" {
            let principal = principal(&xml::text_of(&text, "Message").unwrap_or_default());
            return match self.is_allowed(&principal, action, resource).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(xml::sns_error(&SnsError::not_authorised(&principal, action, resource))),
                Err(error) => Err((StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response()),
            };
        }
        Err(Response::from_parts(answer, Body::from(body)))
    }

    /// The emulator has made an application of its own, only because it was asked for permission.
    async fn delete_duplicate_application(&self, answer: &str) {
        let Some(arn) = xml::text_of(answer, "PlatformApplicationArn") else { return };
        let call = [
            ("Action", "DeletePlatformApplication"),
            ("Version", "2010-03-31"),
            ("PlatformApplicationArn", arn.as_str()),
        ];
        if let Err(error) = self.admin.query("sns", &call).await {
            eprintln!("the emulator of AWS keeps {arn}: {error:#}");
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
        let answer = self.admin.query("iam", &call).await?;
        let decision = xml::text_of(&answer, "EvalDecision").context("a simulation without decision")?;
        Ok(decision == "allowed")
    }
}

/// Who it is that `User: <ARN> is not authorized to perform: …` tells of.
fn principal(message: &str) -> String {
    let arn = message.strip_prefix("User: ").and_then(|rest| rest.split(' ').next());
    arn.unwrap_or("unknown").to_owned()
}

/// Whose policies hold for a principal: a session has those of its role.
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
    fn a_denial_names_whose_policies_hold() {
        let denied = "User: arn:aws:sts::000000000000:assumed-role/device-api/f1 is not authorized to perform: x";
        let session = principal(denied);
        assert_eq!(policy_source(&session), "arn:aws:iam::000000000000:role/device-api");
        let user = principal("User: arn:aws:iam::000000000000:user/mina is not authorized");
        assert_eq!(policy_source(&user), "arn:aws:iam::000000000000:user/mina");
        assert_eq!(principal("Access Denied"), "unknown");
    }
}
