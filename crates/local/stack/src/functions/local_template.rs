//! `template.yaml` with the local packages of the functions in place of their sources. `sam deploy` uploads nested stacks
//! from paths relative to the template, so these paths become absolute.

use std::path::Path;

use anyhow::{Result, ensure};

/// The start of the line with a nested stack's template.
const NESTED: &str = "      TemplateURL: ";

/// A function of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its logical id.
    pub logical_id: String,
    /// The name of its binary, from the build metadata of the SAM CLI.
    pub binary: String,
}

/// Returns the template in which each function's code is `<packages>/<logical id>.zip` and each nested stack is in `root`, and
/// the functions.
///
/// The template is edited as text, since a YAML library would lose the short forms of CloudFormation's functions.
///
/// # Errors
/// If a function has no build metadata before its properties.
pub fn local_template(template: &str, root: &Path, packages: &Path) -> Result<(String, Vec<Function>)> {
    let mut text = String::with_capacity(template.len());
    let mut functions = Vec::<Function>::new();
    let mut logical_id = "";
    let mut binary = None;
    for line in template.lines() {
        let indent = line.len() - line.trim_start().len();
        if indent == 2 {
            logical_id = line.trim().trim_end_matches(':');
            binary = None;
        }
        // The default of all functions: the root of the repository, which `sam build` compiles.
        if line == "    CodeUri: ." {
            continue;
        }
        if let Some(path) = line.strip_prefix(NESTED) {
            text.push_str(&format!("{NESTED}{}\n", root.join(path).display()));
            continue;
        }
        if let Some(rest) = line.trim().strip_prefix("BuildProperties: { Binary: ") {
            binary = Some(rest.trim_end_matches(" }").to_owned());
        }
        text.push_str(line);
        text.push('\n');
        if line == "    Properties:"
            && let Some(binary) = binary.take()
        {
            text.push_str(&format!("      CodeUri: {}.zip\n", packages.join(logical_id).display()));
            functions.push(Function { logical_id: logical_id.to_owned(), binary });
        }
    }
    let declared = template.matches("Type: AWS::Serverless::Function\n").count();
    ensure!(
        functions.len() == declared,
        "template.yaml has {declared} functions, but {} with `BuildProperties: {{ Binary: … }}` before `Properties:`",
        functions.len()
    );
    Ok((text, functions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_template_gets_its_package() {
        let template = include_str!("../../../../../template.yaml");
        let (local, functions) =
            local_template(template, Path::new("/checkout"), Path::new("/packages")).expect("functions");
        assert!(functions.len() >= 11, "{functions:?}");
        for Function { logical_id, binary } in &functions {
            let code = format!(
                "BuildProperties: {{ Binary: {binary} }}\n    Properties:\n      CodeUri: /packages/{logical_id}.zip\n"
            );
            assert!(local.contains(&code), "{code}");
        }
        assert!(!local.contains("CodeUri: .\n"));
        assert!(local.contains("\n      TemplateURL: /checkout/infra/alarms.yaml\n"));
        let is_path = |line: &&str| line.contains("CodeUri:") || line.contains("TemplateURL:");
        let without_code = |text: &str| text.lines().filter(|line| !is_path(line)).collect::<Vec<_>>().join("\n");
        assert_eq!(without_code(&local), without_code(template));
    }

    #[test]
    fn function_without_build_metadata_is_an_error() {
        let template = "Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties:\n      Timeout: 1\n";
        assert!(local_template(template, Path::new("/checkout"), Path::new("/packages")).is_err());
    }
}
