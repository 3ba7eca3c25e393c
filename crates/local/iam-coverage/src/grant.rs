use anyhow::{Context, Result, bail, ensure};
use aws_client::AwsClient;
use percent_encoding::percent_decode_str;
use roxmltree::{Document, Node};
use serde::Deserialize;

use super::{call::Call, role::function_of_role};

/// Permission of a role for an action on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Logical id of the function in the template.
    pub function: String,
    /// Action. May contain wildcards.
    pub action: String,
    /// ARN of the resource. May contain wildcards.
    pub resource: String,
}

impl Grant {
    /// Whether the grant permits `call`.
    pub fn covers(&self, call: &Call) -> bool {
        // Actions are case-insensitive.
        self.function == call.function
            && matches(&self.action.to_ascii_lowercase(), &call.action.to_ascii_lowercase())
            && matches(&self.resource, &call.resource)
    }
}

/// The grants of the deployed functions' roles, without those of AWS managed policies.
pub async fn deployed(aws: &AwsClient) -> Result<Vec<Grant>> {
    let parameters =
        [("Action", "GetAccountAuthorizationDetails"), ("Version", "2010-05-08"), ("Filter.member.1", "Role")];
    parse(&aws.query("iam", &parameters).await?)
}

/// Whether `text` matches `pattern`, in which `*` is any text and `?` is any character.
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
            // Extend the match of the last star by one character.
            _ => match star {
                Some((index, end)) => {
                    star = Some((index, end + 1));
                    (p, t) = (index + 1, end + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The grants in the response of `GetAccountAuthorizationDetails`.
fn parse(xml: &str) -> Result<Vec<Grant>> {
    let document = Document::parse(xml)?;
    let mut grants = Vec::new();
    for list in document.descendants().filter(|node| is_named(node, "RolePolicyList")) {
        let role = list.parent().and_then(|role| text(role, "RoleName")).context("a role has no name")?;
        let Some(function) = function_of_role(role) else { continue };
        for policy in list.children().filter_map(|member| text(member, "PolicyDocument")) {
            // IAM percent-encodes policies.
            let policy: Policy = serde_json::from_str(&percent_decode_str(policy).decode_utf8()?)?;
            for statement in policy.statements {
                ensure!(statement.effect == "Allow", "{function} has a statement with effect {}", statement.effect);
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
        bail!("IAM has no policies of functions");
    }
    Ok(grants)
}

/// Compares names without namespaces.
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
    fn statement_grants_each_action_on_each_resource() {
        let policy = r#"{"Statement": [{"Effect": "Allow", "Action": ["a:B", "a:C"], "Resource": ["r", "s/*"]}]}"#;
        let encoded = percent_encoding::utf8_percent_encode(policy, percent_encoding::NON_ALPHANUMERIC);
        let role = |name: &str| {
            format!(
                "<member><RoleName>{name}</RoleName><RolePolicyList><member><PolicyName>p</PolicyName>\
                 <PolicyDocument>{encoded}</PolicyDocument></member></RolePolicyList></member>"
            )
        };
        let xml = format!("<A xmlns=\"n\"><L>{}{}</L></A>", role("iyagi-MediaApiRole-26D0"), role("other"));
        let grants = parse(&xml).expect("grants");
        let pairs: Vec<_> = grants.iter().map(|grant| (grant.action.as_str(), grant.resource.as_str())).collect();
        assert_eq!(pairs, [("a:B", "r"), ("a:B", "s/*"), ("a:C", "r"), ("a:C", "s/*")]);
        assert!(grants.iter().all(|grant| grant.function == "MediaApi"));
    }

    #[test]
    fn wildcards_match_as_in_iam() {
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
