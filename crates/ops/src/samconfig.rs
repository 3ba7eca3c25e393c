//! Reads and writes `samconfig.toml`, the configuration of the SAM CLI.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;
use toml_edit::{Array, DocumentMut, Formatted, Item, Value};

/// What `sam deploy` uses of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deployment {
    /// Name of the stack.
    pub stack: Option<String>,
    /// Region of the stack.
    pub region: Option<String>,
    /// Values of the template's parameters, without those that have their defaults.
    pub parameters: BTreeMap<String, String>,
}

impl Deployment {
    /// Reads the environment `environment` of a configuration.
    ///
    /// # Errors
    /// If the text is no TOML, the environment does not exist, or an override is not `NAME=VALUE`.
    pub fn parse(config: &str, environment: &str) -> Result<Self> {
        let mut config: BTreeMap<String, toml::Value> = toml::from_str(config)?;
        let environment = config.remove(environment).with_context(|| format!("there is no [{environment}]"))?;
        let Environment { global, deploy } = environment.try_into()?;
        let overrides = deploy.parameters.parameter_overrides.or(global.parameters.parameter_overrides);
        let entries = overrides.map_or_else(Vec::new, Overrides::entries);
        Ok(Self {
            stack: deploy.parameters.stack_name.or(global.parameters.stack_name),
            region: deploy.parameters.region.or(global.parameters.region),
            parameters: entries.iter().map(|entry| pair(entry)).collect::<Result<_>>()?,
        })
    }
}

/// The configuration in which the environment `environment` gives the parameter `name` this value. Comments and all else
/// stay.
///
/// # Errors
/// If the text is no TOML, or the environment's parameters are no list.
pub fn with_parameter(config: &str, environment: &str, name: &str, value: &str) -> Result<String> {
    let mut document: DocumentMut = config.parse()?;
    let parameters = &mut document[environment]["global"]["parameters"]["parameter_overrides"];
    if parameters.is_none() {
        *parameters = Item::Value(Value::Array(Array::new()));
    }
    let parameters = parameters.as_array_mut().context("parameter_overrides is not a list")?;
    let start = format!("{name}=");
    let is_same = |entry: &Value| entry.as_str().is_some_and(|entry| entry.starts_with(&start));
    // The SAM CLI splits at spaces outside of quotes.
    let quote = if value.contains(char::is_whitespace) { "\"" } else { "" };
    let mut entry = Value::String(Formatted::new(format!("{start}{quote}{value}{quote}")));
    let index = parameters.iter().position(is_same);
    match index {
        Some(index) => {
            *entry.decor_mut() = parameters.get(index).map(|old| old.decor().clone()).unwrap_or_default();
            parameters.replace_formatted(index, entry);
        }
        None => {
            // The first line: comments behind the last entry stay there.
            entry.decor_mut().set_prefix("\n    ");
            parameters.insert_formatted(0, entry);
        }
    }
    Ok(document.to_string())
}

/// The name and the value of `NAME=VALUE` or `NAME="VALUE"`.
pub fn pair(entry: &str) -> Result<(String, String)> {
    let (name, value) = entry.split_once('=').with_context(|| format!("{entry} is not NAME=VALUE"))?;
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    Ok((name.trim().to_owned(), value.to_owned()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Environment {
    global: Section,
    deploy: Section,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Section {
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    stack_name: Option<String>,
    region: Option<String>,
    parameter_overrides: Option<Overrides>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Overrides {
    Lines(String),
    List(Vec<String>),
}

impl Overrides {
    fn entries(self) -> Vec<String> {
        match self {
            Self::List(list) => list,
            // The form that `sam deploy --guided` writes: NAME="VALUE" NAME="VALUE".
            Self::Lines(text) => split(&text),
        }
    }
}

/// Splits at spaces outside of quotes.
fn split(text: &str) -> Vec<String> {
    let (mut entries, mut entry, mut is_quoted) = (Vec::new(), String::new(), false);
    for character in text.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            character if character.is_whitespace() && !is_quoted => {
                entries.extend((!entry.is_empty()).then(|| std::mem::take(&mut entry)));
            }
            character => entry.push(character),
        }
    }
    entries.extend((!entry.is_empty()).then_some(entry));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_is_read_from_samconfig() {
        let config = include_str!("../../../samconfig.toml");
        let production = Deployment::parse(config, "production").expect("a deployment");
        assert_eq!(
            (production.stack.as_deref(), production.region.as_deref()),
            (Some("iyagi"), Some("ap-northeast-2"))
        );
        assert_eq!(production.parameters["PollMode"], "follow");
        let default = Deployment::parse(config, "default").expect("a deployment");
        assert_eq!((default.stack.as_deref(), default.parameters.len()), (Some("iyagi"), 0));
    }

    #[test]
    fn overrides_in_one_text_are_split_outside_of_quotes() {
        let config = "[a.deploy.parameters]\nparameter_overrides = 'A=\"b c\" D=\"\" E=f=g'\n";
        let parameters = Deployment::parse(config, "a").expect("a deployment").parameters;
        let expected = [("A", "b c"), ("D", ""), ("E", "f=g")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(parameters, BTreeMap::from(expected));
    }

    #[test]
    fn parameter_is_written_beside_all_that_is_there() {
        let config = include_str!("../../../samconfig.toml");
        let pem = "-----BEGIN PUBLIC KEY-----\nAB+/=\n-----END PUBLIC KEY-----";
        let mut written = with_parameter(config, "production", "KmsKeyArn", "arn:aws:kms:1").expect("a configuration");
        written = with_parameter(&written, "production", "DeliveryPublicKey", pem).expect("a configuration");
        written = with_parameter(&written, "production", "PollMode", "drain").expect("a configuration");
        let mut expected = Deployment::parse(config, "production").expect("a deployment");
        let new = [("KmsKeyArn", "arn:aws:kms:1"), ("DeliveryPublicKey", pem), ("PollMode", "drain")];
        expected.parameters.extend(new.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(Deployment::parse(&written, "production").expect("a deployment"), expected);
        let comments = |text: &str| text.lines().filter(|line| line.trim().starts_with('#')).count();
        assert_eq!(comments(&written), comments(config), "{written}");
        let first = with_parameter("[a.global.parameters]\nregion = \"r\"\n", "a", "A", "b").expect("a configuration");
        assert_eq!(Deployment::parse(&first, "a").expect("a deployment").parameters["A"], "b");
    }

    #[test]
    fn invalid_configuration_is_an_error() {
        let of = |entry: &str| format!("[a.deploy.parameters]\nparameter_overrides = [{entry}]\n");
        assert_eq!(
            Deployment::parse(&of("'A=\"b=c\"'"), "a").expect("a deployment").parameters,
            BTreeMap::from([("A".to_owned(), "b=c".to_owned())])
        );
        for invalid in [of("\"A\""), of("1"), "[b]".to_owned(), "[".to_owned()] {
            assert!(Deployment::parse(&invalid, "a").is_err(), "{invalid}");
        }
    }
}
