//! The documents stay within their lengths.

use std::{
    fs,
    path::{Path, PathBuf},
};

use stack::paths;

/// Maximum numbers of words of single documents.
const MAX_WORDS: [(&str, usize); 5] = [
    ("README.md", 700),
    ("docs/architecture.md", 2_500),
    ("docs/aws-assumptions.md", 4_400),
    ("docs/design/protocols.md", 4_750),
    ("docs/operations/retention.md", 600),
];
/// Tables that grow with the code. They do not count as documents to read.
const TABLES: [&str; 3] = ["docs/aws-assumptions.md", "docs/design/protocols.md", "docs/operations/retention.md"];
/// Maximum number of words of each decision.
const MAX_WORDS_OF_DECISION: usize = 250;
/// Maximum number of words of all documents in `docs`, apart from the tables.
const MAX_WORDS_IN_ALL: usize = 18_000;

/// The Markdown files below `folder`.
fn markdown_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(markdown_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    files
}

/// The number of words, counted as `wc -w` does.
fn words(file: &Path) -> usize {
    fs::read_to_string(file).expect("a document").split_whitespace().count()
}

#[test]
fn documents_are_within_their_lengths() {
    let root = paths::root();
    let mut limits: Vec<_> = MAX_WORDS.iter().map(|(name, limit)| (root.join(name), *limit)).collect();
    let decisions = markdown_files(&root.join("docs/adr"));
    assert!(decisions.len() >= 20, "found only {decisions:?}");
    limits.extend(decisions.into_iter().map(|file| (file, MAX_WORDS_OF_DECISION)));
    let too_long: Vec<_> = limits.into_iter().filter(|(file, limit)| words(file) > *limit).collect();
    assert!(too_long.is_empty(), "too long: {too_long:?}");
}

#[test]
fn all_documents_together_are_within_their_length() {
    let files = markdown_files(&paths::root().join("docs"));
    let is_table = |file: &PathBuf| TABLES.iter().any(|table| file.ends_with(table));
    let words: usize = files.iter().filter(|file| !is_table(file)).map(|file| words(file)).sum();
    assert!(words <= MAX_WORDS_IN_ALL, "docs has {words} words, at most {MAX_WORDS_IN_ALL} are allowed");
}
