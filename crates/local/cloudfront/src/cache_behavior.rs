/// What a distribution does with some of its paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheBehavior {
    /// Which paths; the default behavior has `*`.
    pub pattern: String,
    /// Whether only signed addresses pass: it has trusted key groups.
    pub is_signed: bool,
}

/// The behavior of a path: the first whose pattern fits.
pub fn of<'b>(behaviors: &'b [CacheBehavior], path: &str) -> Option<&'b CacheBehavior> {
    behaviors.iter().find(|behavior| {
        // The slash at its start may be left out ("Path pattern", Amazon CloudFront Developer Guide).
        let pattern = behavior.pattern.trim_start_matches('/');
        matches(pattern, path.trim_start_matches('/'))
    })
}

/// Whether `text` is as `pattern` says, in which `*` stands for any text and `?` for any one character.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Where to go on when the latest star is to stand for one character more.
    let mut retry = None;
    let (mut p, mut t) = (0, 0);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("*", "a/b", true),
            ("*/open/*", "ID/0A/open/8x8.webp", true),
            ("*/open/*", "ID/0A/8x8-open.webp", false),
            ("*/open/*.json", "ID/0A/open/a.json", true),
            ("*/open/*.json", "ID/0A/open/a.json.webp", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*b*c", "aXbYbZc", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn the_first_that_fits_counts() {
        let behaviors = [("/*/open/*", false), ("*", true)]
            .map(|(pattern, is_signed)| CacheBehavior { pattern: pattern.into(), is_signed });
        assert_eq!(of(&behaviors, "/ID/0A/open/a"), Some(&behaviors[0]));
        assert_eq!(of(&behaviors, "/ID/0A/a"), Some(&behaviors[1]));
        assert_eq!(of(&behaviors[..1], "/ID"), None);
    }

    proptest! {
        #[test]
        fn a_text_fits_itself_and_any_of_its_ends(text in "[a-z/.]{0,20}", cut in 0usize..20) {
            let cut = cut.min(text.len());
            prop_assert!(matches(&text, &text));
            let pattern = format!("{}*", &text[..cut]);
            prop_assert!(matches(&pattern, &text));
            let pattern = format!("*{}", &text[cut..]);
            prop_assert!(matches(&pattern, &text));
        }
    }
}
