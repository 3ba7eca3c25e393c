//! What the search engine says of itself.

use anyhow::{Context, Result};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use stack::Stack;

/// Words that differ between the analyzers: a noun with a particle, a compound.
const SAMPLE: &str = "골목길에서";

/// The engine that answers the searches, its version, and how the index splits a Korean word. There must be an index.
pub async fn description(stack: &Stack) -> Result<String> {
    let endpoint = stack.search_endpoint();
    let http = reqwest::Client::new();
    let about = http.get(endpoint).send().await?.error_for_status()?.bytes().await?;
    let sample = json!({"field": "text", "text": SAMPLE}).to_string();
    let analyzed =
        http.post(format!("{endpoint}/search/_analyze")).header(CONTENT_TYPE, "application/json").body(sample);
    let analyzed = analyzed.send().await?.error_for_status()?.bytes().await?;
    let engine = stack.search_engine();
    let description = text(&serde_json::from_slice(&about)?, engine.analyzer(), &serde_json::from_slice(&analyzed)?);
    Ok(format!("{engine}; {}", description.context("the engine does not describe itself")?))
}

fn text(about: &Value, analyzer: &str, analyzed: &Value) -> Option<String> {
    let version = about["version"]["number"].as_str()?;
    let terms: Option<Vec<_>> = analyzed["tokens"].as_array()?.iter().map(|token| token["token"].as_str()).collect();
    Some(format!("API {version}, analyzer {analyzer}: {SAMPLE} is {}", terms?.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_has_what_the_engine_answered() {
        let about = json!({"version": {"number": "2.19.6"}});
        let analyzed = json!({"tokens": [{"token": "골목"}, {"token": "길"}]});
        assert_eq!(
            text(&about, "nori", &analyzed).as_deref(),
            Some("API 2.19.6, analyzer nori: 골목길에서 is 골목, 길")
        );
        assert_eq!(text(&json!({}), "nori", &analyzed), None);
    }
}
