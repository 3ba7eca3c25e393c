/// A cache behavior of a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheBehavior {
    /// Path pattern. `*` for the default behavior.
    pub pattern: String,
    /// Whether signed URLs are required: the behavior has trusted key groups.
    pub is_signed: bool,
}

/// The first behavior whose pattern matches the path.
pub fn of<'b>(behaviors: &'b [CacheBehavior], path: &str) -> Option<&'b CacheBehavior> {
    behaviors.iter().find(|behavior| {
        // A leading slash is optional ("Path pattern", Amazon CloudFront Developer Guide).
        let pattern = behavior.pattern.trim_start_matches('/');
        matches_pattern(pattern, path.trim_start_matches('/'))
    })
}

/// Whether `text` matches `pattern`, in which `*` matches any text and `?` one character.
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Position to backtrack to: the last star then matches one more character.
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
    fn pattern_matches_with_stars_and_question_marks() {
        for (pattern, text, expected) in [
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
            assert_eq!(matches_pattern(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn first_matching_behavior_applies() {
        let behaviors = [("/*/open/*", false), ("*", true)]
            .map(|(pattern, is_signed)| CacheBehavior { pattern: pattern.into(), is_signed });
        assert_eq!(of(&behaviors, "/ID/0A/open/a"), Some(&behaviors[0]));
        assert_eq!(of(&behaviors, "/ID/0A/a"), Some(&behaviors[1]));
        assert_eq!(of(&behaviors[..1], "/ID"), None);
    }

    proptest! {
        #[test]
        fn pattern_of_a_prefix_or_suffix_matches(text in "[a-z/.]{0,20}", cut in 0usize..20) {
            let cut = cut.min(text.len());
            prop_assert!(matches_pattern(&text, &text));
            let pattern = format!("{}*", &text[..cut]);
            prop_assert!(matches_pattern(&pattern, &text));
            let pattern = format!("*{}", &text[cut..]);
            prop_assert!(matches_pattern(&pattern, &text));
        }
    }
}
