use api::{Problem, ProblemType};
use function_kit::failure::Failure;
use rest_kit::page_token::TokenCipher;
use store::media::{List, Order, Selection, SortKey};

/// The version of the cursor format. After a change, older cursors are rejected.
const PURPOSE: &str = "media-cursor-1";

/// Encrypts the cursor for the page of `list` after `sort_key`, for this caller.
///
/// # Errors
/// A bug, if the system has no randomness.
pub fn encrypt(cipher: &TokenCipher, caller: &str, list: &List, sort_key: &SortKey) -> Result<String, Failure> {
    cipher.encrypt(PURPOSE, &context(caller, list), sort_key.0.as_bytes())
}

/// Decrypts a cursor of this list and caller.
///
/// # Errors
/// 400 if it was made for another list or caller, or is not a cursor.
pub fn decrypt(cipher: &TokenCipher, caller: &str, list: &List, cursor: &str) -> Result<SortKey, Problem> {
    let payload = cipher.decrypt(PURPOSE, &context(caller, list), cursor);
    payload.and_then(|payload| String::from_utf8(payload).ok()).map(SortKey).ok_or_else(|| {
        ProblemType::InvalidCursor
            .with_detail("`cursor` must be the `next` of an earlier response to the same caller and the same query")
    })
}

/// A text that is the same for cursors with the same content. The cursors themselves differ: each has a random nonce.
pub fn content(caller: &str, list: &List, sort_key: &SortKey) -> String {
    [&context(caller, list)[..], &[&sort_key.0]].concat().join("\n")
}

/// The caller and query that a cursor is valid for. The relation is not part of it, so that a caller who follows the owner
/// between two pages can read on.
fn context<'a>(caller: &'a str, list: &'a List) -> [&'a str; 5] {
    let (selection, value) = match &list.selection {
        Selection::All => ("all", ""),
        Selection::Kind(kind) => ("kind", kind.as_ref()),
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
    use domain::media::{Kind, Relation};
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
        let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
        let sort_key = SortKey("2026-11-22T00:00:00.000Z#1BXGRWP28YE5BMJM4Y6AMW46T0".into());
        assert_eq!(decrypt(&cipher, "jun", &list(), cursor), Ok(sort_key));
        assert_eq!(decrypt(&cipher, "mina", &list(), cursor).map_err(|problem| problem.status), Err(400));
    }

    #[test]
    fn cursor_is_valid_only_for_its_caller_and_list() {
        let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
        let sort_key = SortKey("2026-11-22T00:00:00.000Z#0".into());
        let cursor = encrypt(&cipher, "jun", &list(), &sort_key).expect("a cursor");
        assert_eq!(decrypt(&cipher, "jun", &list(), &cursor), Ok(sort_key.clone()));
        let follows = List { relation: Relation::Follower, ..list() };
        assert_eq!(decrypt(&cipher, "jun", &follows, &cursor), Ok(sort_key));
        let post = Selection::Post("photo".to_owned().try_into().expect("a post"));
        for (caller, list) in [
            ("mina", list()),
            ("jun", List { owner: "sora".into(), ..list() }),
            ("jun", List { selection: Selection::All, ..list() }),
            ("jun", List { selection: Selection::Kind(Kind::Audio), ..list() }),
            ("jun", List { selection: post, ..list() }),
            ("jun", List { order: Order::Oldest, ..list() }),
        ] {
            assert_eq!(decrypt(&cipher, caller, &list, &cursor).map_err(|p| p.status), Err(400), "{caller} {list:?}");
        }
        for cursor in ["", "!", "AQ", "2026-11-22T00:00:00.000Z#0"] {
            assert_eq!(decrypt(&cipher, "jun", &list(), cursor).map_err(|p| p.status), Err(400), "{cursor}");
        }
        // Another version of the format, with the same secret.
        let older = cipher.encrypt("media-cursor-0", &context("jun", &list()), b"x").expect("a token");
        assert_eq!(decrypt(&cipher, "jun", &list(), &older).map_err(|p| p.status), Err(400));
    }

    proptest! {
        #[test]
        fn invented_cursor_returns_400(text in malformed_inputs::text()) {
            let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
            prop_assert_eq!(decrypt(&cipher, "jun", &list(), &text).map_err(|problem| problem.status), Err(400));
        }
    }
}
