//! Replaces the code of deployed functions without a deployment, as `sam sync --code` does for a stack on AWS.

use std::{collections::BTreeMap, fs, time::UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use aws_client::AwsClient;
use http::Method;
use roxmltree::{Document, Node};
use serde_json::json;

use crate::functions;

/// Length and modification time of each function's packaged binary, by the function's logical id.
pub(crate) type Versions = BTreeMap<String, String>;

/// The versions of the packages that `functions::package` has made.
pub(crate) fn packaged_versions() -> Result<Versions> {
    let mut versions = Versions::new();
    for entry in fs::read_dir(functions::packages())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let logical_id = entry.file_name().into_string().ok().context("a package whose name is not UTF-8")?;
            let metadata = fs::metadata(functions::packaged_binary(&logical_id))?;
            let modified = metadata.modified()?.duration_since(UNIX_EPOCH)?;
            versions.insert(logical_id, format!("{}-{}", metadata.len(), modified.as_nanos()));
        }
    }
    Ok(versions)
}

/// The logical ids in `new` whose version is not that in `old`.
pub(crate) fn changed<'a>(old: &Versions, new: &'a Versions) -> Vec<&'a str> {
    new.iter().filter(|(id, version)| old.get(*id) != Some(version)).map(|(id, _)| id.as_str()).collect()
}

/// The stack in which `sam deploy --resolve-s3` keeps its bucket for code.
const SAM_STACK: &str = "aws-sam-cli-managed-default";

/// Uploads the packaged binaries of these functions of a stack.
pub(crate) async fn update(aws: &AwsClient, stack: &str, logical_ids: &[&str]) -> Result<()> {
    let names = resources(aws, stack).await?;
    let bucket = resources(aws, SAM_STACK).await?;
    let bucket = bucket.get("SamCliSourceBucket").context("the SAM CLI has no bucket")?;
    for logical_id in logical_ids {
        let name = names.get(*logical_id).with_context(|| format!("{logical_id} is not in the stack {stack}"))?;
        // In a request of its own, which may be larger than the API of Lambda takes.
        let key = format!("functions/{logical_id}.zip");
        let archive = fs::read(functions::packaged_archive(logical_id))?;
        aws.put_object(bucket, &key, "application/zip", archive).await?;
        let code = json!({"S3Bucket": bucket, "S3Key": key}).to_string().into_bytes();
        let path = format!("/2015-03-31/functions/{name}/code");
        let response = aws.send("lambda", Method::PUT, &path, &[("content-type", "application/json")], code).await?;
        let body = String::from_utf8_lossy(&response.body);
        ensure!(response.status.is_success(), "cannot update {logical_id}: {} {body}", response.status);
    }
    Ok(())
}

/// Physical by logical ids of a stack.
pub(crate) async fn resources(aws: &AwsClient, stack: &str) -> Result<BTreeMap<String, String>> {
    let input = [("Action", "DescribeStackResources"), ("Version", "2010-05-15"), ("StackName", stack)];
    physical_ids(&aws.query("cloudformation", &input).await?)
}

/// Physical by logical ids in a response of DescribeStackResources.
fn physical_ids(response: &str) -> Result<BTreeMap<String, String>> {
    let document = Document::parse(response)?;
    let resources = document.descendants().filter(|node| node.has_tag_name("member"));
    Ok(resources
        .filter_map(|resource| Some((child(resource, "LogicalResourceId")?, child(resource, "PhysicalResourceId")?)))
        .collect())
}

fn child(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.children().find(|child| child.has_tag_name(name))?.text().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_and_new_functions_are_updated_and_others_are_not() {
        let versions = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(id, version)| ((*id).to_owned(), (*version).to_owned())).collect::<Versions>()
        };
        let old = versions(&[("A", "1-1"), ("B", "1-1"), ("Gone", "1-1")]);
        let new = versions(&[("A", "1-1"), ("B", "1-2"), ("C", "1-1")]);
        assert_eq!(changed(&old, &new), ["B", "C"]);
        assert_eq!(changed(&new, &new), [""; 0]);
    }

    #[test]
    fn physical_ids_are_read_from_the_resources_of_a_stack() {
        let response = r#"<DescribeStackResourcesResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
            <DescribeStackResourcesResult><StackResources>
                <member><LogicalResourceId>Thumbnailer</LogicalResourceId>
                    <PhysicalResourceId>iyagi-thumbnailer</PhysicalResourceId></member>
                <member><LogicalResourceId>Pending</LogicalResourceId></member>
            </StackResources></DescribeStackResourcesResult></DescribeStackResourcesResponse>"#;
        let expected = BTreeMap::from([("Thumbnailer".to_owned(), "iyagi-thumbnailer".to_owned())]);
        assert_eq!(physical_ids(response).expect("resources"), expected);
    }
}
