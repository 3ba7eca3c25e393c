use anyhow::{Context, Result, bail, ensure};
use aws_client::AwsClient;
use percent_encoding::percent_decode_str;
use roxmltree::{Document, Node};
use serde::Deserialize;

use super::{role::function_of_role, usage::Use};

/// One action that a role is allowed on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The function's name in the template.
    pub function: String,
    /// Perhaps with wildcards.
    pub action: String,
    /// Perhaps with wildcards.
    pub resource: String,
}

impl Grant {
    /// Whether it is this that was made use of.
    pub fn covers(&self, used: &Use) -> bool {
        // Actions are the same in any case.
        self.function == used.function
            && matches(&self.action.to_ascii_lowercase(), &used.action.to_ascii_lowercase())
            && matches(&self.resource, &used.resource)
    }
}

/// What the policies of the deployed functions' roles allow. AWS's own policy for logs, which every function has,
/// is not among them.
pub async fn of(aws: &AwsClient) -> Result<Vec<Grant>> {
    let parameters =
        [("Action", "GetAccountAuthorizationDetails"), ("Version", "2010-05-08"), ("Filter.member.1", "Role")];
    grants(&aws.query("iam", &parameters).await?)
}

/// Whether `text` is as `pattern`, in which `*` is any text and `?` any character.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some('?') => (p, t) = (p + 1, t + 1),
            Some(c) if *c == text[t] => (p, t) = (p + 1, t + 1),
            // The last star takes one more.
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The grants in IAM's answer.
fn grants(xml: &str) -> Result<Vec<Grant>> {
    let document = Document::parse(xml)?;
    let mut grants = Vec::new();
    for list in document.descendants().filter(|node| is_named(node, "RolePolicyList")) {
        let role = list.parent().and_then(|role| text(role, "RoleName")).context("a role without a name")?;
        let Some(function) = function_of_role(role) else { continue };
        for policy in list.children().filter_map(|member| text(member, "PolicyDocument")) {
            // IAM encodes them (RFC 3986).
            let policy: Policy = serde_json::from_str(&percent_decode_str(policy).decode_utf8()?)?;
            for statement in policy.statements {
                ensure!(statement.effect == "Allow", "{function} has a statement that is no grant");
                for action in statement.actions.all() {
                    for resource in statement.resources.all() {
                        let (action, resource) = (action.clone(), resource.clone());
                        grants.push(Grant { function: function.clone(), action, resource });
                    }
                }
            }
        }
    }
    if grants.is_empty() {
        bail!("IAM knows no policies of functions");
    }
    Ok(grants)
}

/// In whatever namespace.
fn is_named(node: &Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name
}

fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.children().find(|child| is_named(child, name))?.text()
}

#[derive(Deserialize)]
struct Policy {
    #[serde(rename = "Statement")]
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: String,
    #[serde(rename = "Action")]
    actions: OneOrMore,
    #[serde(rename = "Resource")]
    resources: OneOrMore,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_of_action_and_resource_is_a_grant() {
        let policy = r#"{"Statement": [{"Effect": "Allow", "Action": ["a:B", "a:C"], "Resource": ["r", "s/*"]}]}"#;
        let encoded = percent_encoding::utf8_percent_encode(policy, percent_encoding::NON_ALPHANUMERIC);
        let role = |name: &str| {
            format!(
                "<member><RoleName>{name}</RoleName><RolePolicyList><member><PolicyName>p</PolicyName>\
                 <PolicyDocument>{encoded}</PolicyDocument></member></RolePolicyList></member>"
            )
        };
        let xml = format!("<A xmlns=\"n\"><L>{}{}</L></A>", role("iyagi-MediaApiRole-26D0"), role("other"));
        let grants = grants(&xml).expect("grants");
        let pairs: Vec<_> = grants.iter().map(|grant| (grant.action.as_str(), grant.resource.as_str())).collect();
        assert_eq!(pairs, [("a:B", "r"), ("a:B", "s/*"), ("a:C", "r"), ("a:C", "s/*")]);
        assert!(grants.iter().all(|grant| grant.function == "MediaApi"));
    }

    #[test]
    fn patterns_match_as_iams_do() {
        for (pattern, text) in
            [("*", ""), ("a*c", "abbc"), ("a*c", "ac"), ("a?c", "abc"), ("*/index/*", "t/index/i"), ("a**", "a")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*c", "abcd"), ("a?c", "ac"), ("", "a"), ("arn:b/*", "arn:b")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
