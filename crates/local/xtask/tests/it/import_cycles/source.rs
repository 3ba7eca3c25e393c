use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::module::Module;

/// The parts of a source file that concern modules.
#[derive(Debug, Default)]
pub struct Source {
    /// Names of child modules in files of their own, except test modules.
    pub children: BTreeSet<String>,
    /// The paths that the file re-exports, and their names here.
    pub re_exports: Vec<(Vec<String>, String)>,
    /// The other paths in the code, as written.
    pub paths: Vec<Vec<String>>,
}

/// The path of a child module's file.
pub fn file_of(folder: &Path, module: &Module) -> PathBuf {
    folder.join(module.file())
}

impl Source {
    /// Parses a source file.
    pub fn parse(text: &str) -> Self {
        let tokens = without_tests(&tokens(text));
        let mut source = Self::default();
        let mut at = 0;
        while at < tokens.len() {
            let is_public = tokens[at] == "pub";
            let start = at;
            if is_public {
                at += 1;
                if tokens.get(at).is_some_and(|token| token == "(") {
                    at = end_of_group(&tokens, at) + 1;
                }
            }
            match tokens.get(at).map(String::as_str) {
                Some("mod") if tokens.get(at + 2).is_some_and(|token| token == ";") => {
                    source.children.insert(tokens[at + 1].clone());
                    at += 3;
                }
                Some("use") => {
                    let end = (at..tokens.len()).find(|end| tokens[*end] == ";").unwrap_or(tokens.len());
                    for (path, name) in use_tree(&tokens[at + 1..end]) {
                        if is_public {
                            source.re_exports.push((path, name));
                        } else {
                            source.paths.push(path);
                        }
                    }
                    at = end + 1;
                }
                _ => at = start + source.read_path(&tokens[start..]).max(1),
            }
        }
        source
    }

    /// Reads a path of identifiers at the start of `tokens`. Returns the number of its tokens.
    fn read_path(&mut self, tokens: &[String]) -> usize {
        let mut path = Vec::new();
        let mut at = 0;
        while tokens.get(at).is_some_and(|token| is_identifier(token)) {
            path.push(tokens[at].clone());
            at += 1;
            if tokens.get(at).is_none_or(|token| token != "::") {
                break;
            }
            at += 1;
        }
        if path.len() > 1 {
            self.paths.push(path);
        }
        at
    }
}

/// The paths of a `use` declaration with their names.
fn use_tree(tokens: &[String]) -> Vec<(Vec<String>, String)> {
    let mut path = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "::" => at += 1,
            "{" => {
                let end = end_of_group(tokens, at);
                let mut found = Vec::new();
                for part in split(&tokens[at + 1..end]) {
                    for (rest, name) in use_tree(part) {
                        let is_self = rest == ["self"];
                        let name = if is_self { path.last().cloned().unwrap_or_default() } else { name };
                        let rest = if is_self { Vec::new() } else { rest };
                        found.push((path.iter().cloned().chain(rest).collect(), name));
                    }
                }
                return found;
            }
            "as" => return vec![(path, tokens.get(at + 1).cloned().unwrap_or_default())],
            other => {
                path.push(other.to_owned());
                at += 1;
            }
        }
    }
    let name = path.last().cloned().unwrap_or_default();
    if path.is_empty() { Vec::new() } else { vec![(path, name)] }
}

/// Splits at the commas outside of braces.
fn split(tokens: &[String]) -> Vec<&[String]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 0 => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tokens[start..]);
    parts
}

/// Removes the items behind `#[cfg(test)]`.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at..].iter().zip(attribute).all(|(token, expected)| token == expected) || tokens.len() < at + 7 {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at += attribute.len();
        // The item ends with a semicolon, or with a group in braces. A `use` declaration has both.
        let is_use =
            tokens[at..].iter().find(|token| !matches!(token.as_str(), "pub")).is_some_and(|token| token == "use");
        while at < tokens.len() {
            match tokens[at].as_str() {
                ";" => break,
                "{" => {
                    at = end_of_group(tokens, at);
                    if !is_use {
                        break;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        at += 1;
    }
    kept
}

/// The index of the token that closes the group which starts at `start`.
fn end_of_group(tokens: &[String], start: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len().saturating_sub(1)
}

fn is_identifier(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Identifiers, `::` and single other characters. Comments, literals and lifetimes are left out.
fn tokens(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let rest = &characters[at..];
        at += match rest {
            ['/', '/', ..] => rest.iter().take_while(|c| **c != '\n').count(),
            ['/', '*', ..] => length_until(rest, 2, "*/"),
            ['r' | 'b', ..] if raw_string_hashes(rest).is_some() => {
                let (prefix, hashes) = raw_string_hashes(rest).unwrap_or_default();
                length_until(rest, prefix, &format!("\"{}", "#".repeat(hashes)))
            }
            ['"', ..] => string_length(rest, '"'),
            ['\'', '\\', ..] | ['\'', _, '\'', ..] => string_length(rest, '\''),
            [':', ':', ..] => {
                tokens.push("::".to_owned());
                2
            }
            [c, ..] if c.is_alphanumeric() || *c == '_' => {
                let word: String = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                let length = word.chars().count();
                tokens.push(word);
                length
            }
            [c, ..] => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                1
            }
            [] => break,
        };
    }
    tokens
}

/// The lengths of the start of a raw string (`r#"`, `br"`) and of its hashes.
fn raw_string_hashes(text: &[char]) -> Option<(usize, usize)> {
    let prefix = match text {
        ['b', 'r', ..] => 2,
        ['r', ..] => 1,
        _ => return None,
    };
    let hashes = text[prefix..].iter().take_while(|c| **c == '#').count();
    (text.get(prefix + hashes) == Some(&'"')).then_some((prefix + hashes + 1, hashes))
}

/// The length of a text that ends with `end`, which is searched from `start` on.
fn length_until(text: &[char], start: usize, end: &str) -> usize {
    let end: Vec<char> = end.chars().collect();
    let found = text.get(start..).and_then(|rest| rest.windows(end.len()).position(|window| window == end));
    found.map_or(text.len(), |at| start + at + end.len())
}

/// The length of a literal with its quotes.
fn string_length(text: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != quote {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}
