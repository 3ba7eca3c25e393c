//! Refuses the words of `infra/lint/old-words.txt` in code and documents.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use stack::paths;

/// The list of refused words.
const LIST: &str = "infra/lint/old-words.txt";
/// Folders that are not part of the sources.
const SKIPPED_FOLDERS: [&str; 4] = [".aws-sam", ".git", "node_modules", "target"];

/// Checks all sources and documents of the repository.
///
/// # Errors
/// If a refused word occurs. All occurrences are printed.
pub fn check() -> Result<()> {
    let list = fs::read_to_string(paths::root().join(LIST)).with_context(|| format!("cannot read {LIST}"))?;
    let words = Words::parse(&list);
    let mut findings = Vec::new();
    check_folder(paths::root(), &words, &mut findings)?;
    for finding in &findings {
        eprintln!("✗ {finding}");
    }
    ensure!(findings.is_empty(), "{} occurrences of words in {LIST}", findings.len());
    println!("✓ Checking the words of {LIST}");
    Ok(())
}

fn check_folder(folder: &Path, words: &Words, findings: &mut Vec<String>) -> Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            if !SKIPPED_FOLDERS.iter().any(|skipped| name == *skipped) {
                check_folder(&path, words, findings)?;
            }
            continue;
        }
        // Its tests contain refused words.
        if path.ends_with("xtask/src/prose.rs") {
            continue;
        }
        let only_comments = match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs" | "md") => false,
            Some("yaml") => true,
            _ => continue,
        };
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for (number, line) in (1..).zip(text.lines()) {
            let line = if only_comments { line.split_once('#').map_or("", |(_, comment)| comment) } else { line };
            let shown = path.strip_prefix(paths::root()).unwrap_or(&path).display();
            findings.extend(words.find(line).map(|word| format!("{shown}:{number}: {word}")));
        }
    }
    Ok(())
}

struct Words {
    /// In lower case.
    phrases: Vec<String>,
    identifiers: Vec<String>,
}

impl Words {
    fn parse(list: &str) -> Self {
        let entries = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (identifiers, phrases): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.starts_with('='));
        Self {
            phrases: phrases.into_iter().map(str::to_lowercase).collect(),
            identifiers: identifiers.into_iter().map(|entry| entry.trim_start_matches('=').to_owned()).collect(),
        }
    }

    /// The refused words in a line.
    fn find<'a>(&'a self, line: &'a str) -> impl Iterator<Item = &'a str> {
        let lower = line.to_lowercase();
        // In a phrase, an underscore separates words, as in names of tests.
        let is_separator = |c: char| !c.is_alphanumeric();
        let phrases = self.phrases.iter().filter(move |phrase| {
            contains(&lower, phrase, is_separator) || contains(&lower, &phrase.replace(' ', "_"), is_separator)
        });
        let identifiers = self
            .identifiers
            .iter()
            .filter(|identifier| contains(line, identifier, |c| !c.is_alphanumeric() && c != '_'));
        phrases.chain(identifiers).map(String::as_str)
    }
}

/// Whether `text` contains `word` between separators. An option such as `--anew` does not count.
fn contains(text: &str, word: &str, is_separator: impl Fn(char) -> bool) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        before.chars().next_back().is_none_or(&is_separator)
            && after.chars().next().is_none_or(&is_separator)
            && !before.ends_with("--")
            // The declaration of an option.
            && !before.ends_with("long = \"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_words_are_found() {
        let words = Words::parse("# comment\n\nanew\ncomes again\n=Deed\n");
        let found = |line| words.find(line).collect::<Vec<_>>();
        assert_eq!(found("It begins Anew."), ["anew"]);
        assert_eq!(found("fn a_message_comes_again_later() {"), ["comes again"]);
        assert_eq!(found("struct Deed;"), ["Deed"]);
        for allowed in ["ops media reprocess --anew", "renewed", "deed", "Deeds", "make_Deed"] {
            assert_eq!(found(allowed), [""; 0], "{allowed}");
        }
    }
}
