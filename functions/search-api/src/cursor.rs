use api::{Problem, ProblemType};
use domain::search::{Kind, Query};
use function_kit::{failure::Failure, seal::Sealer};
use opensearch::SortKey;

use crate::request::Wanted;

/// The form of a cursor: another one here, and cursors from before are refused.
const PURPOSE: &str = "search-cursor-2";

/// The cursor for what comes after `place`, for this caller. The place can be that of a story which
/// is not theirs to see: so it is hidden.
pub fn hide(sealer: &Sealer, caller: &str, wanted: &Wanted, place: &SortKey) -> Result<String, Failure> {
    let payload = serde_json::to_vec(place).map_err(|error| Failure::bug("write a cursor", error))?;
    sealer.hide(PURPOSE, &bound(caller, wanted), &payload)
}

/// Where a cursor leads, if it was made for this search and this caller.
pub fn open(sealer: &Sealer, caller: &str, wanted: &Wanted, cursor: &str) -> Result<SortKey, Problem> {
    let payload = sealer.reveal(PURPOSE, &bound(caller, wanted), cursor);
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
        let sealer = Sealer::new(b"0123456789abcdef0123456789abcdef");
        let place = serde_json::from_str(r#"[14.0,1795305600000,"s1"]"#).expect("a place");
        assert_eq!(open(&sealer, "jun", &wanted("서울", None), cursor), Ok(place));
        assert_eq!(open(&sealer, "mina", &wanted("서울", None), cursor).map_err(|problem| problem.status), Err(400));
    }

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_search_only() {
        let sealer = Sealer::new(b"0123456789abcdef0123456789abcdef");
        let place: SortKey = serde_json::from_str(r#"[14.0,1795305600000,"s1"]"#).expect("a place");
        let cursor = hide(&sealer, "jun", &wanted("서울", None), &place).expect("a cursor");
        assert_eq!(open(&sealer, "jun", &wanted("서울", None), &cursor), Ok(place.clone()));
        // Another page size is the same search.
        assert_eq!(open(&sealer, "jun", &Wanted { limit: 1, ..wanted("서울", None) }, &cursor), Ok(place));
        for (caller, wanted) in [
            ("mina", wanted("서울", None)),
            ("jun", wanted("부산", None)),
            ("jun", wanted("서울", Some(Kind::Story))),
            ("jun", Wanted { tag: Some("snow".into()), ..wanted("서울", None) }),
        ] {
            assert_eq!(open(&sealer, caller, &wanted, &cursor).map_err(|problem| problem.status), Err(400));
        }
    }

    proptest! {
        #[test]
        fn no_text_of_a_client_leads_anywhere(text in malformed_inputs::text(), payload in malformed_inputs::bytes(&[r#"[14.0,1795305600000,"s1"]"#])) {
            let sealer = Sealer::new(b"0123456789abcdef0123456789abcdef");
            let wanted = wanted("서울", None);
            prop_assert_eq!(open(&sealer, "jun", &wanted, &text).map_err(|problem| problem.status), Err(400));
            // Also what we hid ourselves is only a place if it reads as one.
            let bound = bound("jun", &wanted);
            let hidden = sealer.hide(PURPOSE, &bound, &payload).expect("hidden");
            let is_place = serde_json::from_slice::<SortKey>(&payload).is_ok();
            prop_assert_eq!(open(&sealer, "jun", &wanted, &hidden).is_ok(), is_place);
        }
    }
}
