//! A workaround for MiniStack: it stores a CORS configuration with CloudFormation's names (`AllowOrigins`), but reads it
//! with the names of API Gateway's API (`allowOrigins`). Without the workaround, the template's CORS has no effect.

use anyhow::{Result, ensure};
use aws_client::AwsClient;
use http::Method;
use serde_json::{Map, Value, json};

/// Writes the CORS configuration of the API again, with the names that MiniStack reads.
pub async fn rename_keys(aws: &AwsClient, api_id: &str) -> Result<()> {
    let path = format!("/v2/apis/{api_id}");
    let response = aws.send("apigateway", Method::GET, &path, &[], Vec::new()).await?;
    ensure!(response.status.is_success(), "cannot read the API {api_id}: {}", response.status);
    let api: Value = serde_json::from_slice(&response.body)?;
    let Some(cors) = api["corsConfiguration"].as_object() else { return Ok(()) };
    let body = json!({"corsConfiguration": camel_case(cors)}).to_string().into_bytes();
    let headers = [("content-type", "application/json")];
    let response = aws.send("apigateway", Method::PATCH, &path, &headers, body).await?;
    ensure!(response.status.is_success(), "cannot change the API {api_id}: {}", response.status);
    Ok(())
}

/// The same object with keys in camelCase.
fn camel_case(cors: &Map<String, Value>) -> Map<String, Value> {
    let rename = |name: &String| {
        let mut letters = name.chars();
        letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
    };
    cors.iter().map(|(name, value)| (rename(name), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_renamed_to_camel_case() {
        let cors = json!({"AllowOrigins": ["https://iyagi.example"], "maxAge": 7200});
        let renamed = camel_case(cors.as_object().unwrap());
        assert_eq!(Value::Object(renamed), json!({"allowOrigins": ["https://iyagi.example"], "maxAge": 7200}));
    }
}
