use serde_json::{Map, Value, json};

use super::{reference::reference, responses};

/// OAuth scope of access tokens. ID tokens do not have it.
const SCOPE: &str = "aws.cognito.signin.user.admin";

/// An operation of the API.
#[derive(Default)]
pub struct Operation {
    /// Route of the gateway: method and path.
    pub route: &'static str,
    /// Operation id, from which generators make a name.
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    /// Names of parameter components.
    pub parameters: &'static [&'static str],
    /// Schema of the body.
    pub body: Option<String>,
    /// Successful responses.
    pub responses: Vec<Response>,
    /// Statuses of errors, beside those of every operation.
    pub problems: &'static [u16],
    /// Whether the operation needs no access token.
    pub is_open: bool,
}

/// A successful response.
pub struct Response {
    pub status: u16,
    pub description: &'static str,
    /// Schema of the body, if any.
    pub schema: Option<String>,
    /// Names of header components.
    pub headers: &'static [&'static str],
}

impl Response {
    /// 304.
    pub fn not_modified() -> Self {
        Self {
            status: 304,
            description: "The client's response is current.",
            schema: None,
            headers: &["ETag", "Cache-Control"],
        }
    }

    /// 204.
    pub fn no_content(description: &'static str) -> Self {
        Self { status: 204, description, schema: None, headers: &[] }
    }

    /// A JSON response that must not be cached.
    pub fn uncached(status: u16, description: &'static str, schema: String) -> Self {
        Self { status, description, schema: Some(schema), headers: &["Cache-Control"] }
    }
}

impl Operation {
    /// Method, as the document writes it, and path.
    pub fn method_and_path(&self) -> (String, &'static str) {
        let (method, path) = self.route.split_once(' ').unwrap_or_default();
        (method.to_lowercase(), path)
    }

    /// The operation as JSON.
    pub fn to_json(&self) -> Value {
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description,
        });
        if !self.parameters.is_empty() {
            operation["parameters"] = self.parameters.iter().map(|name| reference("parameters", name)).collect();
        }
        if let Some(schema) = &self.body {
            operation["requestBody"] =
                json!({"required": true, "content": {"application/json": {"schema": reference("schemas", schema)}}});
        }
        operation["responses"] = self.responses_json();
        operation["security"] = if self.is_open { json!([]) } else { json!([{"accessToken": [SCOPE]}]) };
        operation
    }

    fn responses_json(&self) -> Value {
        let mut all = Map::new();
        for Response { status, description, schema, headers } in &self.responses {
            let mut response = json!({"description": description, "headers": responses::header_references(headers)});
            if let Some(schema) = schema {
                response["content"] = json!({"application/json": {"schema": reference("schemas", schema)}});
            }
            all.insert(status.to_string(), response);
        }
        let token_errors = if self.is_open { &[][..] } else { &[401, 403] };
        let mut problems = [self.problems, token_errors, &[429, 500, 503]].concat();
        problems.sort_unstable();
        for status in problems {
            all.insert(status.to_string(), reference("responses", responses::name(status)));
        }
        all.into()
    }
}
