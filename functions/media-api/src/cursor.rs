use api::{Problem, ProblemType};
use domain::media::Kind;
use function_kit::seal::Sealer;
use store::media::{List, Order, Selection, SortKey};

/// The version of the cursor format. After a change, older cursors are rejected.
const PURPOSE: &str = "media-cursor-1";

/// Encodes the cursor for the page of `list` after `sort_key`, for this caller.
pub fn encode(sealer: &Sealer, caller: &str, list: &List, sort_key: &SortKey) -> String {
    sealer.seal(PURPOSE, &context(caller, list), sort_key.0.as_bytes())
}

/// Decodes a cursor of this list and caller.
///
/// # Errors
/// 400 if it was made for another list or caller, or is not a cursor.
pub fn decode(sealer: &Sealer, caller: &str, list: &List, cursor: &str) -> Result<SortKey, Problem> {
    let payload = sealer.open(PURPOSE, &context(caller, list), cursor);
    payload.and_then(|payload| String::from_utf8(payload).ok()).map(SortKey).ok_or_else(|| {
        ProblemType::InvalidCursor
            .with_detail("`cursor` must be the `next` of an earlier response to the same caller and the same query")
    })
}

/// The caller and query that a cursor is valid for. The relation is not part of it, so that a caller who follows the owner
/// between two pages can read on.
fn context<'a>(caller: &'a str, list: &'a List) -> [&'a str; 5] {
    let (selection, value) = match &list.selection {
        Selection::All => ("all", ""),
        Selection::Kind(kind) => ("kind", Kind::as_str(*kind)),
        Selection::Post(post) => ("post", post.as_str()),
    };
    let order = match list.order {
        Order::Newest => "newest",
        Order::Oldest => "oldest",
    };
    [caller, &list.owner, selection, value, order]
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
        let sort_key = SortKey("2026-11-22T00:00:00.000Z#1BXGRWP28YE5BMJM4Y6AMW46T0".into());
        assert_eq!(decode(&sealer, "jun", &list(), cursor), Ok(sort_key));
        assert_eq!(decode(&sealer, "mina", &list(), cursor).map_err(|problem| problem.status), Err(400));
    }

    #[test]
    fn cursor_is_valid_only_for_its_caller_and_list() {
        let sealer = Sealer::new(b"0123456789abcdef0123456789abcdef");
        let sort_key = SortKey("2026-11-22T00:00:00.000Z#0".into());
        let cursor = encode(&sealer, "jun", &list(), &sort_key);
        assert_eq!(decode(&sealer, "jun", &list(), &cursor), Ok(sort_key.clone()));
        let follows = List { relation: Relation::Follower, ..list() };
        assert_eq!(decode(&sealer, "jun", &follows, &cursor), Ok(sort_key));
        let post = Selection::Post("photo".to_owned().try_into().expect("a post"));
        for (caller, list) in [
            ("mina", list()),
            ("jun", List { owner: "sora".into(), ..list() }),
            ("jun", List { selection: Selection::All, ..list() }),
            ("jun", List { selection: Selection::Kind(Kind::Audio), ..list() }),
            ("jun", List { selection: post, ..list() }),
            ("jun", List { order: Order::Oldest, ..list() }),
        ] {
            assert_eq!(decode(&sealer, caller, &list, &cursor).map_err(|p| p.status), Err(400), "{caller} {list:?}");
        }
        for cursor in ["", "!", "AQ", "2026-11-22T00:00:00.000Z#0"] {
            assert_eq!(decode(&sealer, "jun", &list(), cursor).map_err(|p| p.status), Err(400), "{cursor}");
        }
        // Another version of the format, with the same secret.
        let older = sealer.seal("media-cursor-0", &context("jun", &list()), b"x");
        assert_eq!(decode(&sealer, "jun", &list(), &older).map_err(|p| p.status), Err(400));
    }

    proptest! {
        #[test]
        fn invented_cursor_returns_400(text in malformed_inputs::text()) {
            let sealer = Sealer::new(b"0123456789abcdef0123456789abcdef");
            prop_assert_eq!(decode(&sealer, "jun", &list(), &text).map_err(|problem| problem.status), Err(400));
        }
    }
}
