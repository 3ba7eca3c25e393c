//! Consistency of `rules.json` and `texts/*.json`. `build.rs` checks it, and fails the build on an error. Tests check it
//! as well. The library parses the files without checking them again.

use std::collections::BTreeSet;

use super::schema::{Actor, Arg, Audience, End, Rule, Text, Texts};

/// FCM keeps at most four collapse keys for a phone.
const MAX_COLLAPSE_KEYS: usize = 4;
/// FCM keeps messages for at most 28 days.
const MAX_TTL_SECONDS: u32 = 28 * 86_400;

/// Parses the rules and the texts of all languages, and checks that they are consistent. The error says
/// what is wrong.
pub fn check(rules: &str, languages: &[(&str, &str)]) -> Result<Vec<Rule>, String> {
    let rules: Vec<Rule> = serde_json::from_str(rules).map_err(|error| format!("rules.json: {error}"))?;
    let mut texts = Vec::new();
    for (language, json) in languages {
        let parsed: Texts = serde_json::from_str(json).map_err(|error| format!("texts/{language}.json: {error}"))?;
        texts.push((*language, parsed));
    }
    let mut ids = BTreeSet::new();
    for rule in &rules {
        if !ids.insert(&rule.id) {
            return Err(format!("two rules have the id {}", rule.id));
        }
        check_rule(rule, &texts).map_err(|error| format!("rule {}: {error}", rule.id))?;
    }
    let collapse_keys: BTreeSet<_> = rules.iter().map(|rule| &rule.collapse_key).collect();
    if collapse_keys.len() > MAX_COLLAPSE_KEYS {
        return Err(format!("{} collapse keys; FCM keeps {MAX_COLLAPSE_KEYS}", collapse_keys.len()));
    }
    check_texts_are_used(&rules, &texts)?;
    Ok(rules)
}

fn check_rule(rule: &Rule, texts: &[(&str, Texts)]) -> Result<(), String> {
    let is_name = |name: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !name.is_empty() && name.len() <= 32 && name.bytes().all(is_allowed)
    };
    if !is_name(&rule.id) || !is_name(&rule.collapse_key) {
        return Err("id and collapse key must have 1 to 32 lower-case letters, digits and hyphens".to_owned());
    }
    if !(60..=MAX_TTL_SECONDS).contains(&rule.ttl_seconds) {
        return Err(format!("ttl_seconds must be 60 to {MAX_TTL_SECONDS}"));
    }
    if rule.when.source.is_some() && rule.actor != Actor::OwnerOfSource {
        return Err("a condition on the source needs the actor owner_of_source".to_owned());
    }
    if rule.when.target.is_some() && rule.audience != Audience::OwnerOfTarget {
        return Err("a condition on the target needs the audience owner_of_target".to_owned());
    }
    let fallback = rule.templates.last().ok_or("there is no template")?;
    if !fallback.title.args.is_empty() || !fallback.body.args.is_empty() {
        return Err("the last template must have no arguments".to_owned());
    }
    for text in rule.templates.iter().flat_map(|template| [&template.title, &template.body]) {
        let is_visible = |arg: &Arg| match arg {
            Arg::ActorName => true,
            Arg::SourceTitle => rule.discloses() == Some(End::Source),
            Arg::TargetTitle => rule.discloses() == Some(End::Target) || rule.audience == Audience::OwnerOfTarget,
        };
        if !text.args.iter().all(is_visible) {
            return Err(format!("{}: an argument may be hidden from recipients", text.key));
        }
        check_text(text, texts).map_err(|error| format!("{}: {error}", text.key))?;
    }
    Ok(())
}

fn check_text(text: &Text, texts: &[(&str, Texts)]) -> Result<(), String> {
    // The characters of Android's resource names.
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !text.key.starts_with(|first: char| first.is_ascii_lowercase()) || !text.key.bytes().all(is_allowed) {
        return Err("a key must consist of lower-case letters, digits and underscores".to_owned());
    }
    for (language, texts) in texts {
        let localized = texts.get(&text.key).ok_or(format!("has no text in {language}"))?;
        let placeholders: BTreeSet<usize> = placeholders(localized).collect();
        if !placeholders.iter().copied().eq(1..=text.args.len()) {
            return Err(format!("has placeholders {placeholders:?} in {language}, and {} arguments", text.args.len()));
        }
    }
    Ok(())
}

fn check_texts_are_used(rules: &[Rule], texts: &[(&str, Texts)]) -> Result<(), String> {
    let templates = rules.iter().flat_map(|rule| &rule.templates);
    let used: BTreeSet<&str> =
        templates.flat_map(|template| [template.title.key.as_str(), template.body.key.as_str()]).collect();
    for (language, texts) in texts {
        if let Some(key) = texts.keys().find(|key| !used.contains(key.as_str())) {
            return Err(format!("texts/{language}.json: no rule uses {key}"));
        }
    }
    Ok(())
}

/// The numbers in braces; 0, which is no valid placeholder, for an unclosed brace or another content.
fn placeholders(text: &str) -> impl Iterator<Item = usize> {
    text.split('{').skip(1).map(|rest| rest.split_once('}').and_then(|(number, _)| number.parse().ok()).unwrap_or(0))
}
