//! What the localisation keys say, in Korean and English.
//!
//! Phones look their own texts up; these are what the apps ship with, and what tests and the demo
//! show.

use std::sync::LazyLock;

use super::schema::Texts;

/// Language and texts. The first one serves all whose language is not here.
pub(super) const FILES: [(&str, &str); 2] =
    [("en", include_str!("texts/en.json")), ("ko", include_str!("texts/ko.json"))];

/// `build.rs` has read the files before: what is here was checked.
static TEXTS: LazyLock<Vec<(&str, Texts)>> = LazyLock::new(|| {
    FILES.iter().map(|(language, json)| (*language, serde_json::from_str(json).unwrap_or_default())).collect()
});

/// The text of `key` with `args` in the places of `{1}`, `{2}`, …, in the language of a tag such as
/// `ko` or `ko-KR`, or else in English. `None` if no language has such a key.
pub fn localise(language: &str, key: &str, args: &[String]) -> Option<String> {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    let found = TEXTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(primary)).or(TEXTS.first());
    let text = found.and_then(|(_, texts)| texts.get(key))?;
    let mut pieces = text.split('{');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (place, rest) = piece.split_once('}').unwrap_or(("", piece));
        let arg = place.parse::<usize>().ok().and_then(|place| args.get(place.checked_sub(1)?));
        filled.push_str(arg.map(String::as_str).unwrap_or_default());
        filled.push_str(rest);
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(language: &str, key: &str, args: &[&str]) -> Option<String> {
        localise(language, key, &args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn speaks_the_language_of_the_tag_or_else_english() {
        let key = "push_like_story_body_by_titled";
        let korean = said("ko-KR", key, &["미나", "첫눈"]).expect("a text");
        assert_eq!(korean, "미나님이 ‘첫눈’ 이야기를 좋아해요.");
        for language in ["en", "EN_us", "tlh", ""] {
            let english = said(language, key, &["Mina", "First snow"]).expect("a text");
            assert_eq!(english, "Mina likes your story “First snow”.", "{language}");
        }
    }

    #[test]
    fn what_an_argument_says_is_no_place() {
        let text = said("en", "push_story_body_by_titled", &["{2}", "{1}"]).expect("a text");
        assert_eq!(text, "{2} told a new story: {1}");
    }

    #[test]
    fn an_unknown_key_says_nothing() {
        assert_eq!(said("ko", "push_unknown", &[]), None);
    }
}
