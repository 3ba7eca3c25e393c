use anyhow::{Context, Result, bail, ensure};
use aws_client::AwsClient;
use http::Method;
use roxmltree::{Document, Node};

use super::CacheBehavior;

/// A distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Domain name at cloudfront.net.
    pub domain: String,
    /// Cache behaviors in the order of precedence; the default one is last.
    pub behaviors: Vec<CacheBehavior>,
}

impl Distribution {
    /// Reads the only distribution of the AWS emulator.
    pub async fn deployed(aws: &AwsClient) -> Result<Self> {
        let list = call(aws, "/2020-05-31/distribution").await?;
        let list = Document::parse(&list).context("the list of distributions is not XML")?;
        let mut summaries = list.descendants().filter(|node| node.has_local_name("DistributionSummary"));
        let (summary, others) = (summaries.next(), summaries.count());
        let Some(summary) = summary else { bail!("there is no distribution") };
        ensure!(others == 0, "there are {} distributions; only one is supported", others + 1);
        let id = text_of(summary, "Id").context("the distribution has no id")?;
        let domain = text_of(summary, "DomainName").context("the distribution has no domain name")?;
        let config = call(aws, &format!("/2020-05-31/distribution/{id}/config")).await?;
        Ok(Self { domain: domain.to_owned(), behaviors: behaviors(&config)? })
    }
}

async fn call(aws: &AwsClient, path: &str) -> Result<String> {
    let response = aws.send("cloudfront", Method::GET, path, &[], Vec::new()).await?;
    let body = String::from_utf8(response.body)?;
    ensure!(response.status.is_success(), "{path}: {} {body}", response.status);
    Ok(body)
}

/// The cache behaviors of a `DistributionConfig`.
fn behaviors(config: &str) -> Result<Vec<CacheBehavior>> {
    let document = Document::parse(config).context("the configuration of the distribution is not XML")?;
    let mut behaviors = Vec::new();
    for node in document.descendants().filter(|node| node.has_local_name("CacheBehavior")) {
        let pattern = text_of(node, "PathPattern").context("a cache behavior has no path pattern")?.to_owned();
        behaviors.push(CacheBehavior { pattern, is_signed: is_signed(node) });
    }
    let default = document.descendants().find(|node| node.has_local_name("DefaultCacheBehavior"));
    let default = default.context("the distribution has no default cache behavior")?;
    behaviors.push(CacheBehavior { pattern: "*".to_owned(), is_signed: is_signed(default) });
    Ok(behaviors)
}

fn is_signed(behavior: Node<'_, '_>) -> bool {
    let groups = behavior.children().find(|node| node.has_local_name("TrustedKeyGroups"));
    groups.and_then(|groups| text_of(groups, "Enabled")) == Some("true")
}

/// The text of the child element `name`.
fn text_of<'d>(node: Node<'d, '_>, name: &str) -> Option<&'d str> {
    node.children().find(|child| child.has_local_name(name))?.text()
}

trait LocalName {
    fn has_local_name(&self, name: &str) -> bool;
}

impl LocalName for Node<'_, '_> {
    /// Compares the name without the namespace, which only parts of CloudFront's documents have.
    fn has_local_name(&self, name: &str) -> bool {
        self.tag_name().name() == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behaviors_with_trusted_key_groups_require_signed_urls() {
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
