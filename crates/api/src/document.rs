//! The OpenAPI document. Schemas come from the request and response types; operations, responses and
//! parameters are written here.

mod account;
mod devices;
mod enums;
mod examples;
mod inbox;
mod media;
mod operation;
mod parameters;
mod reference;
mod reports;
mod responses;
mod schemas;
mod search;
mod uploads;

use serde_json::{Map, Value, json};

/// The document as JSON text, in a fixed order.
///
/// # Errors
/// None are known: the document consists of strings, numbers, lists and maps.
pub fn text() -> serde_json::Result<String> {
    serde_json::to_string_pretty(&value()).map(|text| text + "\n")
}

/// The document.
pub fn value() -> Value {
    let mut paths = Map::new();
    let operations = [
        media::operations(),
        uploads::operations(),
        reports::operations(),
        search::operations(),
        devices::operations(),
        inbox::operations(),
        account::operations(),
    ];
    for operation in operations.into_iter().flatten() {
        let (method, path) = operation.method_and_path();
        paths.entry(path).or_insert_with(|| json!({}))[method] = operation.to_json();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "IYAGI",
            "version": "1.0.0",
            "summary": "Media, search and notifications of IYAGI, a social network for stories told in sound.",
            "description": include_str!("document/about.md"),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The server of this document."}],
        "tags": [
            {"name": "media", "description": "Uploaded items and the files rendered from them."},
            {"name": "uploads", "description": "Uploading files: declare a file, then send it to S3, which rejects any other."},
            {"name": "reports", "description": "Reporting items to the operators."},
            {"name": "search", "description": "Finding stories, persons and tags."},
            {"name": "devices", "description": "Devices of the caller that receive notifications."},
            {"name": "notifications", "description": "Notifications of the caller, and their preferences."},
            {"name": "account", "description": "The caller's account."},
            {"name": "document", "description": "This document."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "responses": responses::all(),
            "parameters": parameters::all(),
            "headers": responses::headers(),
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

#[cfg(test)]
mod tests;
