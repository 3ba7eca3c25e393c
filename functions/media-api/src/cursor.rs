use api::{Problem, ProblemType};
use domain::media::Kind;
use function_kit::seal::Sealer;
use store::media::{List, Order, Selection, SortKey};

/// The form of a cursor: another one here, and cursors from before are refused.
const PURPOSE: &str = "media-cursor-1";

/// The cursor for the page of `list` after `place`, for this caller.
pub fn seal(sealer: &Sealer, caller: &str, list: &List, place: &SortKey) -> String {
    sealer.seal(PURPOSE, &bound(caller, list), place.0.as_bytes())
}

/// Where a cursor leads, if it was sealed for this list and this caller.
pub fn open(sealer: &Sealer, caller: &str, list: &List, cursor: &str) -> Result<SortKey, Problem> {
    let payload = sealer.open(PURPOSE, &bound(caller, list), cursor);
    payload.and_then(|payload| String::from_utf8(payload).ok()).map(SortKey).ok_or_else(|| {
        ProblemType::InvalidCursor
            .with_detail("`cursor` must be the `next` of an earlier answer to the same caller and the same query")
    })
}

/// What a cursor belongs to. Not the relation: who begins to follow between two pages reads on.
fn bound<'a>(caller: &'a str, list: &'a List) -> [&'a str; 5] {
    let (selection, of) = match &list.selection {
        Selection::All => ("all", ""),
        Selection::Kind(kind) => ("kind", Kind::as_str(*kind)),
        Selection::Post(post) => ("post", post.as_str()),
    };
    let order = match list.order {
        Order::Newest => "newest",
        Order::Oldest => "oldest",
    };
    [caller, &list.owner, selection, of, order]
}

#[cfg(test)]
mod tests {
    use domain::media::Relation;
    use proptest::prelude::*;

    use super::*;

    fn list() -> List {
        List {
            owner: "mina".into(),
            selection: Selection::Kind(Kind::Photo),
            relation: Relation::Stranger,
            order: Order::Newest,
        }
    }

    #[test]
    fn cursor_of_previous_version_is_read() {
        let cursor = include_str!("../tests/fixtures/previous_version/cursor").trim_end();
        let sealer = Sealer::new(b"0123456789abcdef0123456789abcdef");
        let place = SortKey("2026-11-22T00:00:00.000Z#1BXGRWP28YE5BMJM4Y6AMW46T0".into());
        assert_eq!(open(&sealer, "jun", &list(), cursor), Ok(place));
        assert_eq!(open(&sealer, "mina", &list(), cursor).map_err(|problem| problem.status), Err(400));
    }

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_list_only() {
        let sealer = Sealer::new(b"0123456789abcdef0123456789abcdef");
        let place = SortKey("2026-11-22T00:00:00.000Z#0".into());
        let cursor = seal(&sealer, "jun", &list(), &place);
        assert_eq!(open(&sealer, "jun", &list(), &cursor), Ok(place.clone()));
        let follows = List { relation: Relation::Follower, ..list() };
        assert_eq!(open(&sealer, "jun", &follows, &cursor), Ok(place));
        let post = Selection::Post("photo".to_owned().try_into().expect("a post"));
        for (caller, list) in [
            ("mina", list()),
            ("jun", List { owner: "sora".into(), ..list() }),
            ("jun", List { selection: Selection::All, ..list() }),
            ("jun", List { selection: Selection::Kind(Kind::Audio), ..list() }),
            ("jun", List { selection: post, ..list() }),
            ("jun", List { order: Order::Oldest, ..list() }),
        ] {
            assert_eq!(open(&sealer, caller, &list, &cursor).map_err(|p| p.status), Err(400), "{caller} {list:?}");
        }
        for cursor in ["", "!", "AQ", "2026-11-22T00:00:00.000Z#0"] {
            assert_eq!(open(&sealer, "jun", &list(), cursor).map_err(|p| p.status), Err(400), "{cursor}");
        }
        // Another form of cursor, sealed with the same secret.
        let older = sealer.seal("media-cursor-0", &bound("jun", &list()), b"x");
        assert_eq!(open(&sealer, "jun", &list(), &older).map_err(|p| p.status), Err(400));
    }

    proptest! {
        #[test]
        fn no_text_of_a_client_leads_anywhere(text in malformed_inputs::text()) {
            let sealer = Sealer::new(b"0123456789abcdef0123456789abcdef");
            prop_assert_eq!(open(&sealer, "jun", &list(), &text).map_err(|problem| problem.status), Err(400));
        }
    }
}
