//! Formats values for the terminal.

use std::time::Instant;

use serde_json::Value;

/// The elements of a JSON array; empty for other values.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The time since `start` in milliseconds.
pub fn elapsed(start: Instant) -> String {
    format!("{:>5} ms ", start.elapsed().as_millis())
}

/// A size in kilobytes.
pub fn size(bytes: u64) -> String {
    format!("{:.1} kB", bytes as f64 / 1000.0)
}

/// A media item with shortened URLs: signed URLs are long.
pub fn shorten_urls(mut item: Value) -> Value {
    for files in ["/variants", "/renditions", "/waveform/files"] {
        let files = item.pointer_mut(files).and_then(Value::as_array_mut);
        for file in files.into_iter().flatten() {
            let url = file["url"].as_str().unwrap_or_default();
            let (path, signature) = url.split_once('?').map_or((url, ""), |(path, _)| (path, "?…"));
            file["url"] = format!("…/{}{signature}", path.rsplit('/').next().unwrap_or_default()).into();
        }
    }
    item
}

/// Indented JSON with a line per field and per element of an array.
pub fn indent(value: &Value) -> String {
    const INDENT: &str = "        ";
    let mut text = format!("{INDENT}{{");
    for (index, (name, field)) in value.as_object().into_iter().flatten().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        text += &format!("{comma}\n{INDENT}  \"{name}\": ");
        match field.as_array() {
            Some(elements) => {
                let lines: Vec<_> = elements.iter().map(|element| format!("\n{INDENT}    {element}")).collect();
                text += &format!("[{}\n{INDENT}  ]", lines.join(","));
            }
            None => text += &field.to_string(),
        }
    }
    text + &format!("\n{INDENT}}}")
}

/// Text with the special characters of HTML escaped.
pub fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
