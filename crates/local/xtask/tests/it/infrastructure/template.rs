//! Reads templates.

use std::{collections::BTreeMap, fs, path::PathBuf};

use stack::paths;
use yaml_serde::Value as Yaml;

pub fn root() -> PathBuf {
    paths::root().to_owned()
}

pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The nested stack of `template.yaml`.
pub const ALARMS: &str = "infra/alarms.yaml";

/// A CloudFormation template.
pub struct Template {
    pub path: String,
    pub yaml: Yaml,
}

impl Template {
    pub fn read(path: &str) -> Self {
        let yaml = yaml_serde::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { path: path.to_owned(), yaml }
    }

    /// `template.yaml` and the templates in `infra/`.
    pub fn all() -> Vec<Self> {
        let files = fs::read_dir(root().join("infra")).expect("a folder").map(|entry| entry.expect("an entry").path());
        let stacks = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
        let mut paths: Vec<_> =
            stacks.filter_map(|path| Some(format!("infra/{}", path.file_name()?.to_str()?))).collect();
        paths.push("template.yaml".to_owned());
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// The template that declares the resources in alarms and dashboards of this one.
    pub fn declaring(&self) -> Self {
        // Parameters of the nested stack have the names of resources.
        Self::read(if self.path == ALARMS { "template.yaml" } else { &self.path })
    }

    pub fn resources(&self, kind: &str) -> BTreeMap<&str, &Yaml> {
        let resources = self.yaml["Resources"].as_mapping().expect("resources");
        let resources = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
        resources.map(|(name, resource)| (name.as_str().expect("a name"), resource)).collect()
    }

    pub fn has(&self, kind: &str, name: &str) -> bool {
        self.resources(kind).contains_key(name)
    }
}

/// The text of `!Ref`, `!GetAtt`, `!Sub` or a plain text.
pub fn text(value: &Yaml) -> Option<&str> {
    value.as_str()
}

/// The resource in a reference: `Queue` for `Queue.QueueName` and `${Queue.QueueName}`.
pub fn resource(reference: &str) -> &str {
    let name = reference.trim_start_matches("${").trim_end_matches('}');
    name.split('.').next().unwrap_or(name)
}

/// The text between `start` and `end`.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}
