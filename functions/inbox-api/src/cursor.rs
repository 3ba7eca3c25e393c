use api::{Problem, ProblemType};
use function_kit::failure::Failure;
use rest_kit::page_token::TokenCipher;
use store::inbox::InboxPosition;

/// Name of the format. A new name makes all older cursors invalid.
const PURPOSE: &str = "inbox-cursor-1";

/// Cursor for the notifications after `position`, valid for this caller.
pub fn encrypt(cipher: &TokenCipher, caller: &str, position: &InboxPosition) -> Result<String, Failure> {
    let payload = serde_json::to_vec(position).map_err(|error| Failure::bug("write a cursor", error))?;
    cipher.encrypt(PURPOSE, &[caller], &payload)
}

/// Position in a cursor.
///
/// # Errors
/// 400, unless the cursor was made for this caller.
pub fn decrypt(cipher: &TokenCipher, caller: &str, cursor: &str) -> Result<InboxPosition, Problem> {
    let payload = cipher.decrypt(PURPOSE, &[caller], cursor);
    payload.and_then(|payload| serde_json::from_slice(&payload).ok()).ok_or_else(|| {
        ProblemType::InvalidCursor.with_detail("`cursor` must be the `next` of an earlier response to the same caller")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cipher() -> TokenCipher {
        TokenCipher::new(b"0123456789abcdef0123456789abcdef")
    }

    #[test]
    fn cursor_is_valid_for_its_caller_only() {
        let position = InboxPosition { updated_at: "2026-11-22T00:00:00.000Z".into(), key: "follow:jun".into() };
        let cursor = encrypt(&cipher(), "mina", &position).expect("a cursor");
        assert_eq!(decrypt(&cipher(), "mina", &cursor), Ok(position));
        assert_eq!(decrypt(&cipher(), "jun", &cursor).map_err(|problem| problem.status), Err(400));
    }

    proptest! {
        #[test]
        fn malformed_cursor_returns_400(
            text in malformed_inputs::text(),
            payload in malformed_inputs::bytes(&[r#"{"updated_at":"2026-11-22T00:00:00.000Z","key":"follow:jun"}"#]),
        ) {
            prop_assert_eq!(decrypt(&cipher(), "mina", &text).map_err(|problem| problem.status), Err(400));
            // Also an encrypted payload must be a position.
            let cursor = cipher().encrypt(PURPOSE, &["mina"], &payload).expect("a cursor");
            let is_position = serde_json::from_slice::<InboxPosition>(&payload).is_ok();
            prop_assert_eq!(decrypt(&cipher(), "mina", &cursor).is_ok(), is_position);
        }
    }
}
