//! Values of a template's intrinsic functions and conditions for given parameters.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use yaml_serde::Value as Yaml;

/// A template with the values of all its parameters.
#[derive(Debug)]
pub struct Template {
    yaml: Yaml,
    values: BTreeMap<String, String>,
}

impl Template {
    /// Parses a template. `parameters` replace the defaults; `pseudo` are the values of `AWS::…`.
    ///
    /// # Errors
    /// If the template is invalid, a parameter is not declared, or one has neither a default nor a value.
    pub fn parse(text: &str, parameters: BTreeMap<String, String>, pseudo: &[(&str, &str)]) -> Result<Self> {
        let yaml: Yaml = yaml_serde::from_str(text)?;
        let mut values = BTreeMap::new();
        for (name, parameter) in yaml["Parameters"].as_mapping().into_iter().flatten() {
            let name = name.as_str().context("a parameter without a name")?;
            let given = parameters.get(name).cloned();
            let value = given.or_else(|| parameter.get("Default").and_then(scalar));
            values.insert(name.to_owned(), value.with_context(|| format!("the parameter {name} has no value"))?);
        }
        if let Some(name) = parameters.keys().find(|name| !values.contains_key(*name)) {
            bail!("template.yaml has no parameter {name}");
        }
        values.extend(pseudo.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Ok(Self { yaml, values })
    }

    /// The value of a parameter. Empty if it is not declared.
    pub fn parameter(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The resources of a type whose condition is true: name and properties.
    ///
    /// # Errors
    /// If a condition cannot be evaluated.
    pub fn deployed(&self, kind: &str) -> Result<Vec<(&str, &Yaml)>> {
        let mut deployed = Vec::new();
        for (name, resource) in self.yaml["Resources"].as_mapping().into_iter().flatten() {
            if resource["Type"] != kind {
                continue;
            }
            let name = name.as_str().context("a resource without a name")?;
            let condition = resource.get("Condition").and_then(Yaml::as_str);
            if condition.map_or(Ok(true), |condition| self.condition(condition))? {
                deployed.push((name, &resource["Properties"]));
            }
        }
        Ok(deployed)
    }

    /// Whether the condition `name` is true.
    ///
    /// # Errors
    /// If it does not exist, or uses a function that this type does not know.
    pub fn condition(&self, name: &str) -> Result<bool> {
        let condition = self.yaml["Conditions"].get(name).with_context(|| format!("there is no condition {name}"))?;
        self.truth(condition).with_context(|| format!("the condition {name}"))
    }

    fn truth(&self, value: &Yaml) -> Result<bool> {
        if let Some(name) = value.as_mapping().and_then(|fields| fields.get("Condition")).and_then(Yaml::as_str) {
            return self.condition(name);
        }
        let (tag, arguments) = function(value).context("no function")?;
        if let ("Condition", Some(name)) = (tag.as_str(), arguments.as_str()) {
            return self.condition(name);
        }
        let items = arguments.as_sequence().context("no arguments")?;
        match (tag.as_str(), items.as_slice()) {
            ("Equals", [one, other]) => Ok(self.text(one)? == self.text(other)?),
            ("Not", [one]) => Ok(!self.truth(one)?),
            ("And", items) => items.iter().try_fold(true, |all, item| Ok(all && self.truth(item)?)),
            ("Or", items) => items.iter().try_fold(false, |any, item| Ok(any || self.truth(item)?)),
            _ => bail!("unknown function {tag}"),
        }
    }

    /// The text of a value; `None` for `AWS::NoValue` and for what only a deployment knows.
    ///
    /// # Errors
    /// If it uses a condition or a mapping that does not exist.
    pub fn text(&self, value: &Yaml) -> Result<Option<String>> {
        let Some((tag, arguments)) = function(value) else { return Ok(scalar(value)) };
        let items = arguments.as_sequence().map_or(&[][..], Vec::as_slice);
        match (tag.as_str(), items) {
            ("Ref", _) => Ok(arguments.as_str().and_then(|name| self.values.get(name)).cloned()),
            ("If", [condition, then, otherwise]) => {
                let condition = condition.as_str().context("a condition without a name")?;
                self.text(if self.condition(condition)? { then } else { otherwise })
            }
            // Lists are parameters, whose items are separated by commas.
            ("Join", [separator, list]) => {
                let separator = self.text(separator)?.unwrap_or_default();
                Ok(self.text(list)?.map(|list| list.replace(',', &separator)))
            }
            ("FindInMap", [map, first, second]) => {
                let key = |value: &Yaml| -> Result<String> { self.text(value)?.context("a key without a value") };
                let (map, first, second) = (key(map)?, key(first)?, key(second)?);
                let found = self.yaml["Mappings"].get(&map).and_then(|map| map.get(&first)?.get(&second));
                Ok(Some(found.and_then(scalar).with_context(|| format!("{map} has no {first}, {second}"))?))
            }
            ("Sub", _) => Ok(arguments.as_str().and_then(|text| self.substitute(text))),
            _ => Ok(None),
        }
    }

    /// A text with the values of its variables; `None` if one is not a parameter.
    fn substitute(&self, text: &str) -> Option<String> {
        let mut parts = text.split("${");
        let mut result = parts.next()?.to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}')?;
            result += self.values.get(name)?;
            result += rest;
        }
        Some(result)
    }
}

/// The name of an intrinsic function and its argument.
fn function(value: &Yaml) -> Option<(String, &Yaml)> {
    let Yaml::Tagged(tagged) = value else { return None };
    Some((tagged.tag.to_string().trim_start_matches('!').to_owned(), &tagged.value))
}

fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Parameters:
  Subnets: { Type: CommaDelimitedList, Default: "" }
  Size: { Type: Number, Default: 2 }
  Key: { Type: String }
Mappings:
  Sizes: { "2": { a: 10 } }
Conditions:
  HasSubnets: !Not [!Equals [!Join ["", !Ref Subnets], ""]]
  IsKey: !Equals [!Ref Key, k]
  Both: !And [Condition: HasSubnets, !Condition IsKey]
  Any: !Or [Condition: HasSubnets, Condition: IsKey]
Resources:
  A: { Type: T, Condition: Both, Properties: { Name: !Sub "${AWS::StackName}-a" } }
  B:
    Type: T
    Properties:
      Size: !If [IsKey, !FindInMap [Sizes, !Ref Size, a], !Ref AWS::NoValue]
      Arn: !Sub "${B.Arn}/x"
"#;

    fn template(parameters: &[(&str, &str)]) -> Result<Template> {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Template::parse(TEMPLATE, parameters.collect(), &[("AWS::StackName", "s")])
    }

    #[test]
    fn resources_and_values_follow_the_parameters() {
        let with = template(&[("Key", "k"), ("Subnets", "a,b")]).expect("a template");
        let deployed = with.deployed("T").expect("resources");
        assert_eq!(deployed.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(with.text(&deployed[0].1["Name"]).expect("a text").as_deref(), Some("s-a"));
        assert_eq!(with.text(&deployed[1].1["Size"]).expect("a text").as_deref(), Some("10"));
        assert_eq!(with.text(&deployed[1].1["Arn"]).expect("a text"), None);

        let without = template(&[("Key", "other")]).expect("a template");
        let deployed = without.deployed("T").expect("resources");
        assert_eq!(deployed.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["B"]);
        assert_eq!(without.text(&deployed[0].1["Size"]).expect("a text"), None);
        assert!(!without.condition("Any").expect("a condition") && with.condition("Any").expect("a condition"));
        assert!(without.condition("None").is_err());
    }

    #[test]
    fn unknown_or_missing_parameter_is_an_error() {
        assert!(template(&[("Key", "k"), ("Other", "x")]).is_err());
        assert!(template(&[]).is_err());
    }
}
