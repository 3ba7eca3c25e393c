use api::{Problem, ProblemType};
use domain::search::{Kind, Query};
use function_kit::failure::Failure;
use opensearch::SortKey;
use rest_kit::page_token::TokenCipher;

use crate::request::Wanted;

/// The purpose of the tokens. Another number invalidates all cursors.
const PURPOSE: &str = "search-cursor-2";

/// The cursor of the page after `place`, for this caller. The place may be that of a story that the caller may not see,
/// so it must be encrypted.
///
/// # Errors
/// A bug, if the system has no randomness.
pub fn encrypt(cipher: &TokenCipher, caller: &str, wanted: &Wanted, place: &SortKey) -> Result<String, Failure> {
    let payload = serde_json::to_vec(place).map_err(|error| Failure::bug("write a cursor", error))?;
    cipher.encrypt(PURPOSE, &bound(caller, wanted), &payload)
}

/// The place in a cursor.
///
/// # Errors
/// 400 if the cursor is not one for this search and this caller.
pub fn decrypt(cipher: &TokenCipher, caller: &str, wanted: &Wanted, cursor: &str) -> Result<SortKey, Problem> {
    let payload = cipher.decrypt(PURPOSE, &bound(caller, wanted), cursor);
    payload.and_then(|payload| serde_json::from_slice(&payload).ok()).ok_or_else(|| {
        ProblemType::InvalidCursor
            .with_detail("`cursor` must be the `next` of an earlier answer to the same caller and the same query")
    })
}

fn bound<'a>(caller: &'a str, wanted: &'a Wanted) -> [&'a str; 4] {
    let query = wanted.query.as_ref().map_or("", Query::as_str);
    [caller, query, wanted.kind.map_or("", Kind::as_str), wanted.tag.as_deref().unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(query: &str, kind: Option<Kind>) -> Wanted {
        Wanted { query: Some(Query::parse(query).expect("a query")), kind, tag: None, limit: 20, cursor: None }
    }

    #[test]
    fn cursor_of_previous_version_is_read() {
        let cursor = include_str!("../tests/fixtures/previous_version/cursor").trim_end();
        let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
        let place = serde_json::from_str(r#"[14.0,1795305600000,"s1"]"#).expect("a place");
        assert_eq!(decrypt(&cipher, "jun", &wanted("서울", None), cursor), Ok(place));
        assert_eq!(decrypt(&cipher, "mina", &wanted("서울", None), cursor).map_err(|problem| problem.status), Err(400));
    }

    #[test]
    fn cursor_is_valid_for_its_caller_and_search_only() {
        let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
        let place: SortKey = serde_json::from_str(r#"[14.0,1795305600000,"s1"]"#).expect("a place");
        let cursor = encrypt(&cipher, "jun", &wanted("서울", None), &place).expect("a cursor");
        assert_eq!(decrypt(&cipher, "jun", &wanted("서울", None), &cursor), Ok(place.clone()));
        // Another page size is the same search.
        assert_eq!(decrypt(&cipher, "jun", &Wanted { limit: 1, ..wanted("서울", None) }, &cursor), Ok(place));
        for (caller, wanted) in [
            ("mina", wanted("서울", None)),
            ("jun", wanted("부산", None)),
            ("jun", wanted("서울", Some(Kind::Story))),
            ("jun", Wanted { tag: Some("snow".into()), ..wanted("서울", None) }),
        ] {
            assert_eq!(decrypt(&cipher, caller, &wanted, &cursor).map_err(|problem| problem.status), Err(400));
        }
    }

    proptest! {
        #[test]
        fn invented_cursor_returns_400(text in malformed_inputs::text(), payload in malformed_inputs::bytes(&[r#"[14.0,1795305600000,"s1"]"#])) {
            let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
            let wanted = wanted("서울", None);
            prop_assert_eq!(decrypt(&cipher, "jun", &wanted, &text).map_err(|problem| problem.status), Err(400));
            // A token of ours is a cursor only if its payload is a place.
            let bound = bound("jun", &wanted);
            let token = cipher.encrypt(PURPOSE, &bound, &payload).expect("a token");
            let is_place = serde_json::from_slice::<SortKey>(&payload).is_ok();
            prop_assert_eq!(decrypt(&cipher, "jun", &wanted, &token).is_ok(), is_place);
        }
    }
}
