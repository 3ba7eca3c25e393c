//! The notification rules, `rules.json`, and what they make of an event.

use std::sync::LazyLock;

use super::{
    Event, Vertex,
    schema::{self, Actor, Arg, Audience, End, Kind, Rule, Text},
    texts,
};

/// `build.rs` refuses to build with rules that [`schema::check`] does not pass.
static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| schema::check(include_str!("rules.json"), &texts::FILES).unwrap_or_default());

/// All rules.
pub fn all() -> &'static [Rule] {
    &RULES
}

/// The rules about edges with this label.
pub fn about(label: &str) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(move |rule| rule.when.edge == label)
}

/// The rule with this id.
pub fn by_id(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// Whether rules about this label must know who told or wrote the edge's source, and its target.
pub fn needs_owners(label: &str) -> (bool, bool) {
    let source = about(label).any(|rule| rule.actor == Actor::OwnerOfSource);
    let target = about(label).any(|rule| rule.audience == Audience::OwnerOfTarget);
    (source, target)
}

/// What a rule makes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The rule is about other sorts of vertices.
    DoesNotApply,
    /// Nobody knows yet who told or wrote this vertex.
    WaitsForOwner(String),
    /// Somebody is to be told.
    Tells {
        /// Whose doing it is.
        actor: String,
        /// Who is to be told.
        recipients: Recipients,
    },
}

/// Who is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// These persons.
    These(Vec<String>),
    /// All who followed this person before the event, and still do.
    FollowersOf(String),
}

impl Rule {
    /// What the rule makes of an event about its label, by what is known of the two vertices.
    pub fn resolve(&self, event: &Event, source: &Vertex, target: &Vertex) -> Resolution {
        let actor = match self.actor {
            Actor::Source => event.from.clone(),
            Actor::OwnerOfSource => match source.owners.first() {
                Some(owner) => owner.person.clone(),
                None => return Resolution::WaitsForOwner(event.from.clone()),
            },
        };
        if self.audience == Audience::OwnerOfTarget && target.owners.is_empty() {
            return Resolution::WaitsForOwner(event.to.clone());
        }
        let fits = |wanted: Option<Kind>, vertex: &Vertex| {
            wanted.is_none_or(|wanted| vertex.owners.first().is_some_and(|owner| owner.kind == wanted))
        };
        if !fits(self.when.source, source) || !fits(self.when.target, target) {
            return Resolution::DoesNotApply;
        }
        let recipients = match self.audience {
            Audience::Target => Recipients::These(vec![event.to.clone()]),
            Audience::FollowersOfSource => Recipients::FollowersOf(event.from.clone()),
            Audience::OwnerOfTarget => {
                Recipients::These(target.owners.iter().map(|owner| owner.person.clone()).collect())
            }
        };
        Resolution::Tells { actor, recipients }
    }

    /// The id of the vertex at `end`.
    pub(super) fn vertex<'a>(&self, end: End, event: &'a Event) -> &'a str {
        match end {
            End::Source => &event.from,
            End::Target => &event.to,
        }
    }
}

/// What is known to be said in texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The name of the actor.
    pub actor_name: Option<String>,
    /// The title of the edge's source.
    pub source_title: Option<String>,
    /// The title of the edge's target.
    pub target_title: Option<String>,
}

/// A text and what fills its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The localisation key.
    pub key: String,
    /// In the order of the places.
    pub args: Vec<String>,
}

impl Words {
    /// Title and body in the first of the rule's wordings whose arguments are all known.
    pub fn say(&self, rule: &Rule) -> Option<(Said, Said)> {
        rule.wordings.iter().find_map(|wording| Some((self.fill(&wording.title)?, self.fill(&wording.body)?)))
    }

    fn fill(&self, text: &Text) -> Option<Said> {
        let known = |arg: &Arg| match arg {
            Arg::ActorName => self.actor_name.clone(),
            Arg::SourceTitle => self.source_title.clone(),
            Arg::TargetTitle => self.target_title.clone(),
        };
        Some(Said { key: text.key.clone(), args: text.args.iter().map(known).collect::<Option<_>>()? })
    }
}
