//! Whether `rules.json` and `texts/*.json` fit together: asked by `build.rs`, which refuses to build otherwise, and by
//! tests. What is built need not ask again.

use std::collections::BTreeSet;

use super::schema::{Actor, Arg, Audience, End, Rule, Text, Texts};

/// FCM keeps messages of at most four collapse keys for a phone.
const MAX_COLLAPSE_KEYS: usize = 4;
/// FCM keeps no message for longer than 28 days.
const MAX_TTL_SECONDS: u32 = 28 * 86_400;

/// Reads the rules and what they say in each of `languages`, and checks that they fit together.
/// On failure, says what is wrong.
pub fn check(rules: &str, languages: &[(&str, &str)]) -> Result<Vec<Rule>, String> {
    let rules: Vec<Rule> = serde_json::from_str(rules).map_err(|error| format!("rules.json: {error}"))?;
    let mut texts = Vec::new();
    for (language, json) in languages {
        let read: Texts = serde_json::from_str(json).map_err(|error| format!("texts/{language}.json: {error}"))?;
        texts.push((*language, read));
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
    check_no_text_is_left_over(&rules, &texts)?;
    Ok(rules)
}

fn check_rule(rule: &Rule, texts: &[(&str, Texts)]) -> Result<(), String> {
    let is_name = |name: &str| {
        let is_fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !name.is_empty() && name.len() <= 32 && name.bytes().all(is_fine)
    };
    if !is_name(&rule.id) || !is_name(&rule.collapse_key) {
        return Err("id and collapse key are 1 to 32 lower-case letters, digits and hyphens".to_owned());
    }
    if !(60..=MAX_TTL_SECONDS).contains(&rule.ttl_seconds) {
        return Err(format!("ttl_seconds must be 60 to {MAX_TTL_SECONDS}"));
    }
    if rule.when.source.is_some() && rule.actor != Actor::OwnerOfSource {
        return Err("what the source is can only be known by its owner".to_owned());
    }
    if rule.when.target.is_some() && rule.audience != Audience::OwnerOfTarget {
        return Err("what the target is can only be known by its owner".to_owned());
    }
    let plain = rule.wordings.last().ok_or("there is no wording")?;
    if !plain.title.args.is_empty() || !plain.body.args.is_empty() {
        return Err("the last wording must do without arguments".to_owned());
    }
    for text in rule.wordings.iter().flat_map(|wording| [&wording.title, &wording.body]) {
        let may_be_named = |arg: &Arg| match arg {
            Arg::ActorName => true,
            Arg::SourceTitle => rule.discloses() == Some(End::Source),
            Arg::TargetTitle => rule.discloses() == Some(End::Target) || rule.audience == Audience::OwnerOfTarget,
        };
        if !text.args.iter().all(may_be_named) {
            return Err(format!("{}: names what may be hidden from who is told", text.key));
        }
        check_text(text, texts).map_err(|error| format!("{}: {error}", text.key))?;
    }
    Ok(())
}

fn check_text(text: &Text, texts: &[(&str, Texts)]) -> Result<(), String> {
    // Android's resource names allow no more.
    let is_fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !text.key.starts_with(|first: char| first.is_ascii_lowercase()) || !text.key.bytes().all(is_fine) {
        return Err("a key is made of lower-case letters, digits and underscores".to_owned());
    }
    for (language, texts) in texts {
        let words = texts.get(&text.key).ok_or(format!("has no text in {language}"))?;
        let places: BTreeSet<usize> = places(words).collect();
        if !places.iter().copied().eq(1..=text.args.len()) {
            return Err(format!("has places {places:?} in {language}, and {} arguments", text.args.len()));
        }
    }
    Ok(())
}

fn check_no_text_is_left_over(rules: &[Rule], texts: &[(&str, Texts)]) -> Result<(), String> {
    let wordings = rules.iter().flat_map(|rule| &rule.wordings);
    let used: BTreeSet<&str> =
        wordings.flat_map(|wording| [wording.title.key.as_str(), wording.body.key.as_str()]).collect();
    for (language, texts) in texts {
        if let Some(key) = texts.keys().find(|key| !used.contains(key.as_str())) {
            return Err(format!("texts/{language}.json: no rule says {key}"));
        }
    }
    Ok(())
}

/// The numbers in braces; 0, which is no place, for what is not closed or no number.
fn places(text: &str) -> impl Iterator<Item = usize> {
    text.split('{').skip(1).map(|rest| rest.split_once('}').and_then(|(number, _)| number.parse().ok()).unwrap_or(0))
}
