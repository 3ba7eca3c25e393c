//! The notification rules, `rules.json`, and what they make of an event.

use std::sync::LazyLock;

use super::{
    Event, Vertex, VisibilityFact,
    schema::{Actor, Arg, Audience, End, Kind, Rule, Text},
};

/// `build.rs` has read them before, and refuses to build with what does not pass `check.rs`.
static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| serde_json::from_str(include_str!("rules.json")).unwrap_or_default());

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

/// Whether rules about this label may have to wait for the edge's source, and for its target.
pub fn wait_for(label: &str) -> (bool, bool) {
    let source = about(label).any(|rule| rule.actor == Actor::OwnerOfSource || rule.discloses() == Some(End::Source));
    let target =
        about(label).any(|rule| rule.audience == Audience::OwnerOfTarget || rule.discloses() == Some(End::Target));
    (source, target)
}

/// Whether a rule's audience is one that may be large, and that grows and shrinks.
pub fn is_told_to_followers(rule: &Rule) -> bool {
    rule.audience == Audience::FollowersOfSource
}

/// What a rule makes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The rule is about other sorts of vertices.
    DoesNotApply,
    /// Nobody knows yet who told or wrote this vertex, or that anybody may see it but its owners.
    WaitsFor(String),
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
                None => return Resolution::WaitsFor(event.from.clone()),
            },
        };
        if self.audience == Audience::OwnerOfTarget && target.owners.is_empty() {
            return Resolution::WaitsFor(event.to.clone());
        }
        let fits = |wanted: Option<Kind>, vertex: &Vertex| {
            wanted.is_none_or(|wanted| vertex.owners.first().is_some_and(|owner| owner.kind == wanted))
        };
        if !fits(self.when.source, source) || !fits(self.when.target, target) {
            return Resolution::DoesNotApply;
        }
        if let Some(end) = self.discloses()
            && !end.of(source, target).seen.is_some_and(VisibilityFact::is_shared)
        {
            return Resolution::WaitsFor(self.vertex(end, event).to_owned());
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
    pub fn vertex<'a>(&self, end: End, event: &'a Event) -> &'a str {
        end.of(&event.from, &event.to)
    }
}

impl End {
    /// What is at this end.
    pub fn of<T>(self, source: T, target: T) -> T {
        match self {
            Self::Source => source,
            Self::Target => target,
        }
    }
}

/// What is known to be said in texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateArgs {
    /// The name of the actor.
    pub actor_name: Option<String>,
    /// The title of the edge's source.
    pub source_title: Option<String>,
    /// The title of the edge's target.
    pub target_title: Option<String>,
}

/// A text and what fills its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalizedText {
    /// The localisation key.
    pub key: String,
    /// In the order of the places.
    pub args: Vec<String>,
}

impl TemplateArgs {
    /// Title and body in the first of the rule's wordings whose arguments are all known.
    pub fn say(&self, rule: &Rule) -> Option<(LocalizedText, LocalizedText)> {
        rule.wordings.iter().find_map(|wording| Some((self.fill(&wording.title)?, self.fill(&wording.body)?)))
    }

    fn fill(&self, text: &Text) -> Option<LocalizedText> {
        let known = |arg: &Arg| match arg {
            Arg::ActorName => self.actor_name.clone(),
            Arg::SourceTitle => self.source_title.clone(),
            Arg::TargetTitle => self.target_title.clone(),
        };
        Some(LocalizedText { key: text.key.clone(), args: text.args.iter().map(known).collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{check::check, texts},
        *,
    };
    use crate::{
        graph::{ChangeKind, Position},
        media::Visibility,
        push::{
            Owner,
            testing::{edge, received},
        },
    };

    fn event(label: &str) -> Event {
        Event::of(&received(edge(ChangeKind::Added, 7, "e1", label, "a", "b"))).expect("an event")
    }

    /// For everybody to see.
    fn owned(person: &str, kind: Kind) -> Vertex {
        let seen = Some(VisibilityFact { by: Visibility::Public, since: Position::new(1, 1) });
        Vertex { owners: vec![Owner { person: person.into(), kind }], seen, ..Vertex::default() }
    }

    /// Rule, actor and recipients, for all rules that tell somebody.
    fn told(label: &str, source: &Vertex, target: &Vertex) -> Vec<(&'static str, String, Recipients)> {
        let event = event(label);
        let told = about(label).filter_map(|rule| match rule.resolve(&event, source, target) {
            Resolution::Tells { actor, recipients } => Some((rule.id.as_str(), actor, recipients)),
            _ => None,
        });
        told.collect()
    }

    fn these(person: &str) -> Recipients {
        Recipients::These(vec![person.to_owned()])
    }

    #[test]
    fn each_sort_of_change_is_told_to_whom_it_concerns() {
        let nothing = Vertex::default();
        let (story, comment) = (owned("mina", Kind::Story), owned("jun", Kind::Comment));
        assert_eq!(told("follows", &nothing, &nothing), [("follow", "a".into(), these("b"))]);
        assert_eq!(told("likes", &nothing, &story), [("like-story", "a".into(), these("mina"))]);
        assert_eq!(told("likes", &nothing, &comment), [("like-comment", "a".into(), these("jun"))]);
        assert_eq!(told("replies_to", &comment, &story), [("reply-story", "jun".into(), these("mina"))]);
        assert_eq!(told("replies_to", &comment, &comment), [("reply-comment", "jun".into(), these("jun"))]);
        assert_eq!(told("mentions", &story, &nothing), [("mention-story", "mina".into(), these("b"))]);
        assert_eq!(told("mentions", &comment, &nothing), [("mention-comment", "jun".into(), these("b"))]);
        assert_eq!(told("told", &nothing, &story), [("story", "a".into(), Recipients::FollowersOf("a".into()))]);
        for label in ["wrote", "blocks", "mutes", "LIKES"] {
            assert_eq!(about(label).count(), 0, "{label}");
        }
    }

    #[test]
    fn waits_for_whom_it_must_know() {
        let (nothing, comment) = (Vertex::default(), owned("jun", Kind::Comment));
        let waits = |label, source, target| -> Vec<_> {
            about(label).map(|rule| rule.resolve(&event(label), source, target)).collect()
        };
        assert_eq!(waits("likes", &nothing, &nothing), vec![Resolution::WaitsFor("b".into()); 2]);
        assert_eq!(waits("replies_to", &nothing, &nothing), vec![Resolution::WaitsFor("a".into()); 2]);
        assert_eq!(waits("replies_to", &comment, &nothing), vec![Resolution::WaitsFor("b".into()); 2]);
        assert_eq!(wait_for("likes"), (false, true));
        assert_eq!(wait_for("replies_to"), (true, true));
        assert_eq!(wait_for("mentions"), (true, false));
        assert_eq!(wait_for("told"), (false, true));
        assert_eq!(wait_for("follows"), (false, false));
    }

    #[test]
    fn others_are_told_of_a_story_only_while_it_is_not_hidden() {
        let (nothing, mut story) = (Vertex::default(), owned("mina", Kind::Story));
        story.seen = None;
        let hidden = Some(VisibilityFact { by: Visibility::Private, since: Position::new(3, 1) });
        for seen in [None, hidden] {
            story.seen = seen;
            let resolve = |label, id, source, target| by_id(id).expect("a rule").resolve(&event(label), source, target);
            assert_eq!(resolve("told", "story", &nothing, &story), Resolution::WaitsFor("b".into()));
            assert_eq!(resolve("mentions", "mention-story", &story, &nothing), Resolution::WaitsFor("a".into()));
            // Her own.
            assert_eq!(told("likes", &nothing, &story), [("like-story", "a".into(), these("mina"))]);
            assert_eq!(told("mentions", &owned("jun", Kind::Comment), &nothing).len(), 1);
        }
        for by in [Visibility::Public, Visibility::Followers] {
            story.seen = Some(VisibilityFact { by, since: Position::new(3, 1) });
            assert_eq!((told("told", &nothing, &story).len(), told("mentions", &story, &nothing).len()), (1, 1));
        }
    }

    #[test]
    fn only_what_others_than_its_owners_hear_of_is_disclosed() {
        let disclosed: Vec<_> = all().iter().filter_map(|rule| Some((rule.id.as_str(), rule.discloses()?))).collect();
        assert_eq!(disclosed, [("mention-story", End::Source), ("story", End::Target)]);
    }

    #[test]
    fn says_no_more_than_is_known() {
        let rule = by_id("like-story").expect("a rule");
        let body = |name: Option<&str>, title: Option<&str>| {
            let (actor_name, target_title) = (name.map(str::to_owned), title.map(str::to_owned));
            let words = TemplateArgs { actor_name, target_title, source_title: None };
            words.say(rule).expect("a wording").1
        };
        assert_eq!(body(Some("Mina"), Some("Snow")).args, ["Mina", "Snow"]);
        assert_eq!(body(Some("Mina"), None).args, ["Mina"]);
        // No name: nobody is named, also where the title is known.
        assert_eq!(body(None, Some("Snow")).key, "push_like_story_body");
    }

    /// The real files, with one thing changed in them.
    fn broken(from: &str, to: &str) -> String {
        let rules = include_str!("rules.json");
        let changed = rules.replacen(from, to, 1);
        assert_ne!(changed, rules, "nothing to change: {from}");
        check(&changed, &texts::FILES).expect_err("refused")
    }

    #[test]
    fn the_file_is_checked() {
        assert_eq!(check(include_str!("rules.json"), &texts::FILES).expect("rules"), all());
        assert!(all().len() >= 8);
        assert!(broken(r#""id": "like-story""#, r#""id": "follow""#).contains("two rules"));
        assert!(broken(r#""category": "likes""#, r#""category": "love""#).contains("unknown variant"));
        assert!(broken(r#""is": "added""#, r#""is": "changed""#).contains("unknown variant"));
        assert!(broken(r#""ttl_seconds": 86400"#, r#""ttl_seconds": 9999999"#).contains("ttl_seconds"));
        assert!(broken("push_follow_body_by", "push_follow_body_off").contains("no text"));
        assert!(broken(r#", "args": ["actor_name"]"#, "").contains("places"));
        assert!(broken(r#""target": "story""#, r#""source": "story""#).contains("source"));
        assert!(broken(r#""audience": "owner_of_target""#, r#""audience": "target""#).contains("target"));
        let names = broken(
            r#""key": "push_reply_comment_body_by", "args": ["actor_name"]"#,
            r#""key": "push_reply_comment_body_by", "args": ["source_title"]"#,
        );
        assert!(names.contains("hidden"), "{names}");
    }

    #[test]
    fn too_many_collapse_keys_and_leftover_texts_are_refused() {
        let rules = include_str!("rules.json").replacen(r#""collapse_key": "likes""#, r#""collapse_key": "fifth""#, 1);
        assert!(check(&rules, &texts::FILES).expect_err("refused").contains("collapse keys"));
        let one = r#"{"push_x": "x"}"#;
        assert!(check("[]", &[("en", one)]).expect_err("refused").contains("push_x"));
    }

    proptest! {
        #[test]
        fn damaged_rules_are_refused_or_fit_together(
            rules in malformed_inputs::documents(&[include_str!("rules.json")]),
            korean in malformed_inputs::documents(&[include_str!("texts/ko.json")]),
        ) {
            let english = include_str!("texts/en.json");
            for languages in [[("ko", include_str!("texts/ko.json")), ("en", english)], [("ko", &korean), ("en", english)]] {
                if let Ok(rules) = check(&rules, &languages) {
                    let ids: std::collections::BTreeSet<_> = rules.iter().map(|rule| &rule.id).collect();
                    prop_assert_eq!(ids.len(), rules.len());
                    prop_assert!(rules.iter().all(|rule| (60..=2_419_200).contains(&rule.ttl_seconds)));
                }
            }
        }
    }
}
