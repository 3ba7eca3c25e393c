//! The notification rules of `rules.json`.

use std::sync::LazyLock;

use super::schema::{Actor, Audience, End, Rule};

/// `build.rs` has checked the file, so parsing it does not fail.
static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| serde_json::from_str(include_str!("rules.json")).unwrap_or_default());

/// All rules.
pub fn all() -> &'static [Rule] {
    &RULES
}

/// The rules about edges of the graph with this label.
pub fn for_label(label: &str) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(move |rule| rule.when.edge == label && !is_of_service(rule))
}

/// Whether a rule is about an event of the service, and not about an edge of the graph.
pub fn is_of_service(rule: &Rule) -> bool {
    rule.actor == Actor::Service
}

/// The rule with this id.
pub fn by_id(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// Whether events of this label may have to wait for facts about the edge's source, and its target.
pub fn awaited_vertices(label: &str) -> (bool, bool) {
    let source =
        for_label(label).any(|rule| rule.actor == Actor::OwnerOfSource || rule.discloses() == Some(End::Source));
    let target =
        for_label(label).any(|rule| rule.audience == Audience::OwnerOfTarget || rule.discloses() == Some(End::Target));
    (source, target)
}

/// Whether a rule notifies followers: an audience that may be large, and that changes.
pub fn targets_followers(rule: &Rule) -> bool {
    rule.audience == Audience::FollowersOfSource
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{rule_check::check, texts},
        *,
    };

    #[test]
    fn edge_of_the_graph_causes_no_event_of_the_service() {
        let of_service: Vec<_> = all().iter().filter(|rule| is_of_service(rule)).collect();
        assert!(!of_service.is_empty());
        for rule in of_service {
            assert_eq!(for_label(&rule.when.edge).count(), 0, "{}", rule.id);
        }
    }

    #[test]
    fn only_stories_that_others_than_their_owners_are_notified_of_are_disclosed() {
        let disclosed: Vec<_> = all().iter().filter_map(|rule| Some((rule.id.as_str(), rule.discloses()?))).collect();
        assert_eq!(disclosed, [("mention-story", End::Source), ("story", End::Target)]);
    }

    /// The error of the real file with one replacement.
    fn broken(from: &str, to: &str) -> String {
        let rules = include_str!("rules.json");
        let changed = rules.replacen(from, to, 1);
        assert_ne!(changed, rules, "not in the file: {from}");
        check(&changed, &texts::FILES).expect_err("rejected")
    }

    #[test]
    fn inconsistent_rules_are_rejected() {
        assert_eq!(check(include_str!("rules.json"), &texts::FILES).expect("rules"), all());
        assert!(all().len() >= 8);
        assert!(broken(r#""id": "like-story""#, r#""id": "follow""#).contains("two rules"));
        assert!(broken(r#""category": "likes""#, r#""category": "love""#).contains("unknown variant"));
        assert!(broken(r#""is": "added""#, r#""is": "changed""#).contains("unknown variant"));
        assert!(broken(r#""ttl_seconds": 86400"#, r#""ttl_seconds": 9999999"#).contains("ttl_seconds"));
        assert!(broken("push_follow_body_by", "push_follow_body_off").contains("no text"));
        assert!(broken(r#", "args": ["actor_name"]"#, "").contains("placeholders"));
        assert!(broken(r#""target": "story""#, r#""source": "story""#).contains("source"));
        assert!(broken(r#""audience": "owner_of_target""#, r#""audience": "target""#).contains("target"));
        let names = broken(
            r#""key": "push_reply_comment_body_by", "args": ["actor_name"]"#,
            r#""key": "push_reply_comment_body_by", "args": ["source_title"]"#,
        );
        assert!(names.contains("hidden"), "{names}");
    }

    #[test]
    fn fifth_collapse_key_and_unused_text_are_rejected() {
        let rules = include_str!("rules.json").replacen(r#""collapse_key": "likes""#, r#""collapse_key": "fifth""#, 1);
        assert!(check(&rules, &texts::FILES).expect_err("rejected").contains("collapse keys"));
        let one = r#"{"push_x": "x"}"#;
        assert!(check("[]", &[("en", one)]).expect_err("rejected").contains("push_x"));
    }

    proptest! {
        #[test]
        fn damaged_rules_are_rejected_or_consistent(
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
