//! Texts of the localization keys, in Korean and English.
//!
//! The apps contain the same texts, and phones look them up there. Tests and the demo use these.

use std::sync::LazyLock;

use super::schema::Texts;

/// Languages and their texts. The first language is the fallback.
pub(super) const FILES: [(&str, &str); 2] =
    [("en", include_str!("texts/en.json")), ("ko", include_str!("texts/ko.json"))];

/// `build.rs` has checked the files, so parsing them does not fail.
static TEXTS: LazyLock<Vec<(&str, Texts)>> = LazyLock::new(|| {
    FILES.iter().map(|(language, json)| (*language, serde_json::from_str(json).unwrap_or_default())).collect()
});

/// The text of `key` with `args` for the placeholders `{1}`, `{2}`, …, in the language of a tag such as
/// `ko` or `ko-KR`, or else in English. `None` for an unknown key.
pub fn localise(language: &str, key: &str, args: &[String]) -> Option<String> {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    let found = TEXTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(primary)).or(TEXTS.first());
    let text = found.and_then(|(_, texts)| texts.get(key))?;
    let mut pieces = text.split('{');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (number, rest) = piece.split_once('}').unwrap_or(("", piece));
        let arg = number.parse::<usize>().ok().and_then(|number| args.get(number.checked_sub(1)?));
        filled.push_str(arg.map(String::as_str).unwrap_or_default());
        filled.push_str(rest);
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(language: &str, key: &str, args: &[&str]) -> Option<String> {
        localise(language, key, &args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn text_is_in_the_language_of_the_tag_or_english() {
        let key = "push_like_story_body_by_titled";
        let korean = text("ko-KR", key, &["미나", "첫눈"]).expect("a text");
        assert_eq!(korean, "미나님이 ‘첫눈’ 이야기를 좋아해요.");
        for language in ["en", "EN_us", "tlh", ""] {
            let english = text(language, key, &["Mina", "First snow"]).expect("a text");
            assert_eq!(english, "Mina likes your story “First snow”.", "{language}");
        }
    }

    #[test]
    fn placeholder_in_an_argument_is_not_replaced() {
        let text = text("en", "push_story_body_by_titled", &["{2}", "{1}"]).expect("a text");
        assert_eq!(text, "{2} told a new story: {1}");
    }

    #[test]
    fn unknown_key_has_no_text() {
        assert_eq!(text("ko", "push_unknown", &[]), None);
    }
}
