use std::{collections::BTreeMap, fmt::Write};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use super::sns_error::SnsError;

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The response to `action`; `elements` is the content of its result.
pub fn result(action: &str, elements: &str) -> Response {
    let request = uuid::Uuid::new_v4();
    let result =
        if elements.is_empty() { String::new() } else { format!("<{action}Result>{elements}</{action}Result>") };
    let body = format!(
        "<{action}Response xmlns=\"{NAMESPACE}\">{result}<ResponseMetadata><RequestId>{request}</RequestId>\
         </ResponseMetadata></{action}Response>"
    );
    xml_response(StatusCode::OK, body)
}

/// The response of an error.
pub fn error(error: &SnsError) -> Response {
    let request = uuid::Uuid::new_v4();
    let kind = if error.status.is_server_error() { "Receiver" } else { "Sender" };
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request}</RequestId></ErrorResponse>",
        error.code,
        escape(&error.message)
    );
    xml_response(error.status, body)
}

/// An element that contains text.
pub fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// A map in the format of SNS.
pub fn attributes(attributes: &BTreeMap<String, String>) -> String {
    let mut text = String::from("<Attributes>");
    for (name, value) in attributes {
        // Writing to a string cannot fail.
        let _ = write!(text, "<entry>{}{}</entry>", element("key", name), element("value", value));
    }
    text + "</Attributes>"
}

/// The text of the first element `name` that contains only text.
pub fn text_of(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let characters = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(characters.iter().fold(text.to_owned(), |text, (escaped, character)| text.replace(escaped, character)))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // XML 1.0 allows no other control characters.
            control if control.is_control() && !matches!(control, '\n' | '\r' | '\t') => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}

fn xml_response(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_round_trips() {
        for text in ["plain", "a<b>&\"c'", "&lt; escaped already", "한국어"] {
            assert_eq!(text_of(&element("Message", text), "Message").as_deref(), Some(text));
        }
        assert_eq!(text_of("<Error></Error>", "Message"), None);
        assert_eq!(element("a", "\u{7}"), "<a>\u{fffd}</a>");
    }
}
