//! Filling message templates.

use super::schema::{Arg, Rule, Text};

/// Values for the arguments of a message template, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateArgs {
    /// Name of the actor.
    pub actor_name: Option<String>,
    /// Title of the edge's source.
    pub source_title: Option<String>,
    /// Title of the edge's target.
    pub target_title: Option<String>,
}

/// A text that the phone looks up in its language: a localization key and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalizedText {
    /// Localization key.
    pub key: String,
    /// Values of the placeholders, in order.
    pub args: Vec<String>,
}

impl TemplateArgs {
    /// Title and body from the rule's first template whose arguments are all known.
    pub fn fill_template(&self, rule: &Rule) -> Option<(LocalizedText, LocalizedText)> {
        rule.templates.iter().find_map(|template| Some((self.fill(&template.title)?, self.fill(&template.body)?)))
    }

    fn fill(&self, text: &Text) -> Option<LocalizedText> {
        let value = |arg: &Arg| match arg {
            Arg::ActorName => self.actor_name.clone(),
            Arg::SourceTitle => self.source_title.clone(),
            Arg::TargetTitle => self.target_title.clone(),
        };
        Some(LocalizedText { key: text.key.clone(), args: text.args.iter().map(value).collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::rules::by_id;

    #[test]
    fn first_template_with_known_arguments_is_used() {
        let rule = by_id("like-story").expect("a rule");
        let body = |name: Option<&str>, title: Option<&str>| {
            let (actor_name, target_title) = (name.map(str::to_owned), title.map(str::to_owned));
            let args = TemplateArgs { actor_name, target_title, source_title: None };
            args.fill_template(rule).expect("a template").1
        };
        assert_eq!(body(Some("Mina"), Some("Snow")).args, ["Mina", "Snow"]);
        assert_eq!(body(Some("Mina"), None).args, ["Mina"]);
        // The title alone fills no template.
        assert_eq!(body(None, Some("Snow")).key, "push_like_story_body");
    }
}
