//! What `rules.json` and `texts/*.json` must look like.
//!
//! Compiled twice: into the library, and into `build.rs`, which refuses to build with a file that
//! breaks a rule. So it uses nothing but serde and the standard library.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Category;

/// One notification rule: which change of the graph is told to whom, in which words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique and stable: it stands in the ledger and in the notification's data.
    pub id: String,
    /// The change that it is about.
    pub when: Pattern,
    /// Whose doing the change is. Nobody is told of their own doing.
    pub actor: Actor,
    /// Who is told.
    pub audience: Audience,
    /// What users switch off, if they do.
    pub category: Category,
    /// The first wording whose arguments are all known is used. The last one has none.
    pub wordings: Vec<Wording>,
    /// A newer notification of this rule about the same vertex replaces the one on the phone.
    pub replaces_by: End,
    /// Notifications of one category about the same vertex are shown together.
    pub groups_by: End,
    /// FCM keeps one message per key for a phone that is off-line.
    pub collapse_key: String,
    /// From the commit on: what is older is not sent, and not delivered.
    pub ttl_seconds: u32,
}

/// A sort of change: an edge of a label is added (or nothing else, so far), between vertices of
/// certain kinds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// The edge's label.
    pub edge: String,
    /// What happened to the edge.
    pub is: Happening,
    /// What its source must be, if that matters. Known by who told or wrote it.
    pub source: Option<Kind>,
    /// What its target must be, likewise.
    pub target: Option<Kind>,
}

/// What happens to edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// It came to be.
    Added,
}

/// What somebody can have told or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// At the end of an edge `told`.
    Story,
    /// At the end of an edge `wrote`.
    Comment,
}

/// Whose doing a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The edge's source is a person.
    Source,
    /// The person who told or wrote the edge's source.
    OwnerOfSource,
}

/// Who is told of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The edge's target is a person.
    Target,
    /// "It is about me": whoever told or wrote the edge's target.
    OwnerOfTarget,
    /// "I subscribed to it": all who follow the edge's source, a person.
    FollowersOfSource,
}

/// One of an edge's two vertices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Where it begins.
    Source,
    /// Where it ends.
    Target,
}

impl Rule {
    /// The end that is a story of which others are told than its owners: they are told only while it is
    /// theirs to see.
    pub fn discloses(&self) -> Option<End> {
        // Only stories are told.
        let is_target = self.when.edge == "told" || self.when.target == Some(Kind::Story);
        if self.when.source == Some(Kind::Story) {
            Some(End::Source)
        } else if is_target && self.audience != Audience::OwnerOfTarget {
            Some(End::Target)
        } else {
            None
        }
    }
}

/// Title and body of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// The first line.
    pub title: Text,
    /// The rest.
    pub body: Text,
}

/// A text that the phone looks up and fills in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Its localisation key.
    pub key: String,
    /// What takes the places of `{1}`, `{2}`, …
    #[serde(default)]
    pub args: Vec<Arg>,
}

/// Something to be named in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arg {
    /// The name of the actor.
    ActorName,
    /// The title of the edge's source.
    SourceTitle,
    /// The title of the edge's target.
    TargetTitle,
}

/// Texts of one language by localisation key.
pub type Texts = BTreeMap<String, String>;

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
