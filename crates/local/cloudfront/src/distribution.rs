use anyhow::{Context, Result, bail, ensure};
use aws_client::AwsClient;
use http::Method;
use roxmltree::{Document, Node};

use super::CacheBehavior;

/// What an edge knows of a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its own name at cloudfront.net.
    pub domain: String,
    /// In the order in which they are tried; the default one is last.
    pub behaviors: Vec<CacheBehavior>,
}

impl Distribution {
    /// The emulator's only distribution, as it is deployed now.
    pub async fn deployed(aws: &AwsClient) -> Result<Self> {
        let list = call(aws, "/2020-05-31/distribution").await?;
        let list = Document::parse(&list).context("the list of distributions is no XML")?;
        let mut summaries = list.descendants().filter(|node| node.has_tag_name_of("DistributionSummary"));
        let (summary, others) = (summaries.next(), summaries.count());
        let Some(summary) = summary else { bail!("no distribution is deployed") };
        ensure!(others == 0, "{} distributions are deployed, and an edge is of one", others + 1);
        let id = text_of(summary, "Id").context("a distribution without an id")?;
        let domain = text_of(summary, "DomainName").context("a distribution without a domain name")?;
        let config = call(aws, &format!("/2020-05-31/distribution/{id}/config")).await?;
        Ok(Self { domain: domain.to_owned(), behaviors: behaviors(&config)? })
    }
}

async fn call(aws: &AwsClient, path: &str) -> Result<String> {
    let answer = aws.send("cloudfront", Method::GET, path, &[], Vec::new()).await?;
    let body = String::from_utf8(answer.body)?;
    ensure!(answer.status.is_success(), "{path}: {} {body}", answer.status);
    Ok(body)
}

/// The behaviors in a `DistributionConfig`.
fn behaviors(config: &str) -> Result<Vec<CacheBehavior>> {
    let document = Document::parse(config).context("the distribution's configuration is no XML")?;
    let mut behaviors = Vec::new();
    for node in document.descendants().filter(|node| node.has_tag_name_of("CacheBehavior")) {
        let pattern = text_of(node, "PathPattern").context("a behavior without a path pattern")?.to_owned();
        behaviors.push(CacheBehavior { pattern, is_signed: is_signed(node) });
    }
    let default = document.descendants().find(|node| node.has_tag_name_of("DefaultCacheBehavior"));
    let default = default.context("a distribution without a default behavior")?;
    behaviors.push(CacheBehavior { pattern: "*".to_owned(), is_signed: is_signed(default) });
    Ok(behaviors)
}

fn is_signed(behavior: Node<'_, '_>) -> bool {
    let groups = behavior.children().find(|node| node.has_tag_name_of("TrustedKeyGroups"));
    groups.and_then(|groups| text_of(groups, "Enabled")) == Some("true")
}

/// The text of the child with this name.
fn text_of<'d>(node: Node<'d, '_>, name: &str) -> Option<&'d str> {
    node.children().find(|child| child.has_tag_name_of(name))?.text()
}

trait Named {
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl Named for Node<'_, '_> {
    /// Whatever its namespace: CloudFront's documents have one, parts of them may not.
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.tag_name().name() == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_who_must_sign() {
        let config = r#"<?xml version="1.0"?>
            <DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">
              <DefaultCacheBehavior><TrustedKeyGroups><Enabled>true</Enabled><Quantity>1</Quantity>
                <Items><KeyGroup>g</KeyGroup></Items></TrustedKeyGroups></DefaultCacheBehavior>
              <CacheBehaviors><Quantity>2</Quantity><Items>
                <CacheBehavior><PathPattern>*/open/*</PathPattern></CacheBehavior>
                <CacheBehavior><PathPattern>*.json</PathPattern>
                  <TrustedKeyGroups><Enabled>false</Enabled></TrustedKeyGroups></CacheBehavior>
              </Items></CacheBehaviors>
            </DistributionConfig>"#;
        let expected = [("*/open/*", false), ("*.json", false), ("*", true)]
            .map(|(pattern, is_signed)| CacheBehavior { pattern: pattern.into(), is_signed });
        assert_eq!(behaviors(config).expect("behaviors"), expected);
        assert!(behaviors("<DistributionConfig/>").is_err());
        assert!(behaviors("no XML").is_err());
    }
}
