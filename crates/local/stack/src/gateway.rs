//! API Gateway, where the emulator needs help: CloudFormation writes a CORS configuration with
//! capitals (`AllowOrigins`), the API of API Gateway without (`allowOrigins`). MiniStack keeps the
//! one and reads the other, so that what the template says has no effect there.

use anyhow::{Result, ensure};
use aws_client::AwsClient;
use http::Method;
use serde_json::{Map, Value, json};

/// Tells the emulator again what the template says of CORS, in the words that it reads.
pub async fn respell_cors(aws: &AwsClient, api_id: &str) -> Result<()> {
    let path = format!("/v2/apis/{api_id}");
    let answer = aws.send("apigateway", Method::GET, &path, &[], Vec::new()).await?;
    ensure!(answer.status.is_success(), "cannot read the API {api_id}: {}", answer.status);
    let api: Value = serde_json::from_slice(&answer.body)?;
    let Some(cors) = api["corsConfiguration"].as_object() else { return Ok(()) };
    let body = json!({"corsConfiguration": respelled(cors)}).to_string().into_bytes();
    let headers = [("content-type", "application/json")];
    let answer = aws.send("apigateway", Method::PATCH, &path, &headers, body).await?;
    ensure!(answer.status.is_success(), "cannot change the API {api_id}: {}", answer.status);
    Ok(())
}

/// The same with names that begin small.
fn respelled(cors: &Map<String, Value>) -> Map<String, Value> {
    let respell = |name: &String| {
        let mut letters = name.chars();
        letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
    };
    cors.iter().map(|(name, value)| (respell(name), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_small() {
        let cors = json!({"AllowOrigins": ["https://iyagi.example"], "maxAge": 7200});
        let respelled = respelled(cors.as_object().unwrap());
        assert_eq!(Value::Object(respelled), json!({"allowOrigins": ["https://iyagi.example"], "maxAge": 7200}));
    }
}
