use serde_json::{Map, Value, json};

use super::{SCOPE, answers, reference};

/// An operation of the API: a route of the gateway.
pub struct Operation {
    pub method: &'static str,
    pub path: &'static str,
    /// How generators call it.
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    /// Names of components.
    pub parameters: &'static [&'static str],
    /// The schema of the body.
    pub body: Option<String>,
    pub answers: Vec<Answer>,
    /// The statuses of all other answers, beside those that every operation has.
    pub problems: &'static [u16],
    pub is_open: bool,
}

/// What is answered when all goes well.
pub struct Answer {
    pub status: u16,
    pub description: &'static str,
    /// Nothing for an answer without a body.
    pub schema: Option<String>,
    /// Names of components.
    pub headers: &'static [&'static str],
}

impl Answer {
    /// 304.
    pub fn not_modified() -> Self {
        Self {
            status: 304,
            description: "What the client has still holds.",
            schema: None,
            headers: &["ETag", "Cache-Control"],
        }
    }

    /// 204.
    pub fn no_content(description: &'static str) -> Self {
        Self { status: 204, description, schema: None, headers: &[] }
    }
}

impl Operation {
    /// As it stands in the document.
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
        operation["responses"] = self.responses();
        operation["security"] = if self.is_open { json!([]) } else { json!([{"accessToken": [SCOPE]}]) };
        operation
    }

    fn responses(&self) -> Value {
        let mut responses = Map::new();
        for Answer { status, description, schema, headers } in &self.answers {
            let mut response = json!({"description": description, "headers": answers::references(headers)});
            if let Some(schema) = schema {
                response["content"] = json!({"application/json": {"schema": reference("schemas", schema)}});
            }
            responses.insert(status.to_string(), response);
        }
        let signed_in = if self.is_open { &[][..] } else { &[401, 403] };
        let mut problems = [self.problems, signed_in, &[429, 500, 503]].concat();
        problems.sort_unstable();
        for status in problems {
            responses.insert(status.to_string(), reference("responses", answers::name(status)));
        }
        responses.into()
    }
}
