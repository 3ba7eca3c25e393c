//! The OpenAPI document: schemas from the types that the functions read and write, and beside them what
//! types do not say.

mod answers;
mod devices;
mod enums;
mod examples;
mod media;
mod operation;
mod parameters;
mod schemas;
mod search;
mod uploads;

use serde_json::{Map, Value, json};

pub use schemas::ContentType;

/// What an access token has from sign-in, and an ID token has not.
const SCOPE: &str = "aws.cognito.signin.user.admin";

/// The document as text, in one order whatever it is built with.
///
/// # Errors
/// None that are known: it is made of strings, numbers, lists and maps.
pub fn text() -> serde_json::Result<String> {
    serde_json::to_string_pretty(&value()).map(|text| text + "\n")
}

/// The document.
pub fn value() -> Value {
    let mut paths = Map::new();
    let operations = [media::operations(), uploads::operations(), search::operations(), devices::operations()];
    for operation in operations.into_iter().flatten() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = operation.to_json();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "IYAGI",
            "version": "1.0.0",
            "summary": "The media, the search and the notifications of IYAGI, a social network for stories told in sound.",
            "description": include_str!("document/about.md"),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "Where this document was found."}],
        "tags": [
            {"name": "media", "description": "What people uploaded, and what was made of it."},
            {"name": "uploads", "description": "Sending files: declared here, sent to S3, held by it to what was declared."},
            {"name": "search", "description": "Finding stories, people and tags."},
            {"name": "devices", "description": "Where a user is reached by notifications."},
            {"name": "notifications", "description": "What a user wants to be told of."},
            {"name": "document", "description": "This document."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "responses": answers::all(),
            "parameters": parameters::all(),
            "headers": answers::headers(),
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": include_str!("document/sign-in.md"),
                },
            },
        },
    })
}

/// A reference to a component.
fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

#[cfg(test)]
mod tests;
