use api::{Problem, ProblemType};
use domain::search::Query;
use function_kit::failure::Failure;
use opensearch::SortKey;
use rest_kit::page_token::TokenCipher;

use crate::request::SearchRequest;

/// Name of the format. A new name makes all older cursors invalid.
const PURPOSE: &str = "search-cursor-2";

/// Cursor for the hits after `sort_key`, valid for this caller and search. It is encrypted, because the sort key can
/// be that of a story which the caller may not see.
pub fn encrypt(
    cipher: &TokenCipher,
    caller: &str,
    request: &SearchRequest,
    sort_key: &SortKey,
) -> Result<String, Failure> {
    let payload = serde_json::to_vec(sort_key).map_err(|error| Failure::bug("write a cursor", error))?;
    cipher.encrypt(PURPOSE, &binding(caller, request), &payload)
}

/// Sort key in a cursor.
///
/// # Errors
/// 400, unless the cursor was made for this caller and search.
pub fn decrypt(cipher: &TokenCipher, caller: &str, request: &SearchRequest, cursor: &str) -> Result<SortKey, Problem> {
    let payload = cipher.decrypt(PURPOSE, &binding(caller, request), cursor);
    payload.and_then(|payload| serde_json::from_slice(&payload).ok()).ok_or_else(|| {
        ProblemType::InvalidCursor
            .with_detail("`cursor` must be the `next` of an earlier response to the same caller and the same query")
    })
}

/// Values that a cursor is bound to.
fn binding<'a>(caller: &'a str, request: &'a SearchRequest) -> [&'a str; 4] {
    let query = request.query.as_ref().map_or("", Query::as_str);
    [caller, query, request.kind.map_or("", Into::into), request.tag.as_deref().unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use domain::search::Kind;
    use proptest::prelude::*;

    use super::*;

    fn request(query: &str, kind: Option<Kind>) -> SearchRequest {
        SearchRequest { query: Some(Query::parse(query).expect("a query")), kind, tag: None, limit: 20, cursor: None }
    }

    #[test]
    fn cursor_is_valid_for_its_caller_and_search_only() {
        let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
        let sort_key: SortKey = serde_json::from_str(r#"[14.0,1795305600000,"s1"]"#).expect("a sort key");
        let cursor = encrypt(&cipher, "jun", &request("서울", None), &sort_key).expect("a cursor");
        assert_eq!(decrypt(&cipher, "jun", &request("서울", None), &cursor), Ok(sort_key.clone()));
        // Another page size is the same search.
        assert_eq!(
            decrypt(&cipher, "jun", &SearchRequest { limit: 1, ..request("서울", None) }, &cursor),
            Ok(sort_key)
        );
        for (caller, request) in [
            ("mina", request("서울", None)),
            ("jun", request("부산", None)),
            ("jun", request("서울", Some(Kind::Story))),
            ("jun", SearchRequest { tag: Some("snow".into()), ..request("서울", None) }),
        ] {
            assert_eq!(decrypt(&cipher, caller, &request, &cursor).map_err(|problem| problem.status), Err(400));
        }
    }

    #[test]
    fn cursor_of_previous_version_is_read() {
        let cursor = include_str!("../tests/fixtures/previous_version/cursor").trim_end();
        let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
        let sort_key = serde_json::from_str(r#"[14.0,1795305600000,"s1"]"#).expect("a sort key");
        let decrypted =
            |caller| decrypt(&cipher, caller, &request("서울", None), cursor).map_err(|problem| problem.status);
        assert_eq!(decrypted("jun"), Ok(sort_key));
        assert_eq!(decrypted("mina"), Err(400));
    }

    proptest! {
        #[test]
        fn malformed_cursor_returns_400(text in malformed_inputs::text(), payload in malformed_inputs::bytes(&[r#"[14.0,1795305600000,"s1"]"#])) {
            let cipher = TokenCipher::new(b"0123456789abcdef0123456789abcdef");
            let request = request("서울", None);
            prop_assert_eq!(decrypt(&cipher, "jun", &request, &text).map_err(|problem| problem.status), Err(400));
            // Also an encrypted payload must be a sort key.
            let binding = binding("jun", &request);
            let cursor = cipher.encrypt(PURPOSE, &binding, &payload).expect("a cursor");
            let is_sort_key = serde_json::from_slice::<SortKey>(&payload).is_ok();
            prop_assert_eq!(decrypt(&cipher, "jun", &request, &cursor).is_ok(), is_sort_key);
        }
    }
}
