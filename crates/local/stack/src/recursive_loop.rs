//! A workaround for MiniStack: its CloudFormation ignores `RecursiveLoop`, which the operator's tool checks.

use anyhow::{Context, Result, ensure};
use aws_client::AwsClient;
use http::Method;

use crate::function_code::resources;

/// Allows the functions that the template lets feed themselves to do so.
pub(crate) async fn allow(aws: &AwsClient, stack: &str, template: &str) -> Result<()> {
    let names = resources(aws, stack).await?;
    for logical_id in feeding_themselves(template) {
        let name = names.get(logical_id).with_context(|| format!("{logical_id} is not in the stack {stack}"))?;
        let path = format!("/2024-08-31/functions/{name}/recursion-config");
        let headers = [("content-type", "application/json")];
        let response =
            aws.send("lambda", Method::PUT, &path, &headers, br#"{"RecursiveLoop":"Allow"}"#.to_vec()).await?;
        ensure!(response.status.is_success(), "cannot allow loops of {logical_id}: {}", response.status);
    }
    Ok(())
}

/// The logical ids of the functions with `RecursiveLoop: Allow`.
fn feeding_themselves(template: &str) -> Vec<&str> {
    let mut logical_id = "";
    let mut found = Vec::new();
    for line in template.lines() {
        if line.len() - line.trim_start().len() == 2 {
            logical_id = line.trim().trim_end_matches(':');
        }
        if line.trim() == "RecursiveLoop: Allow" {
            found.push(logical_id);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_feed_themselves_are_found_in_the_template() {
        assert_eq!(
            feeding_themselves(include_str!("../../../../template.yaml")),
            ["MediaApi", "DeviceApi", "PushFanout", "AccountApi", "ExportWorker"]
        );
    }
}
