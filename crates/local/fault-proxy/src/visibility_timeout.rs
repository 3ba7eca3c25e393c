use serde_json::Value;

use super::call::Call;

/// The body of a request that hides a message for more than `longest` seconds, with `longest` in
/// place of its pause; nothing, if `call` is something else, or hides it for less.
pub fn shorten(call: &Call, body: &[u8], longest: u32) -> Option<Vec<u8>> {
    if (call.service.as_str(), call.operation.as_str()) != ("sqs", "ChangeMessageVisibility") {
        return None;
    }
    let mut document: Value = serde_json::from_slice(body).ok()?;
    let pause = document.get_mut("VisibilityTimeout")?;
    if pause.as_u64()? <= longest.into() {
        return None;
    }
    *pause = longest.into();
    serde_json::to_vec(&document).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_long_pauses_become_shorter() {
        let request = |pause: i64| {
            json!({"QueueUrl": "http://q/push.fifo", "ReceiptHandle": "r", "VisibilityTimeout": pause}).to_string()
        };
        let shorten_one = |operation: &str, body: &str| {
            shorten(&Call::new("sqs", operation), body.as_bytes(), 60).map(|body| json_of(&body))
        };
        assert_eq!(shorten_one("ChangeMessageVisibility", &request(1_080)), Some(json_of(request(60).as_bytes())));
        assert_eq!(shorten_one("ChangeMessageVisibility", &request(61)), Some(json_of(request(60).as_bytes())));
        for short in [-1, 0, 5, 60] {
            assert_eq!(shorten_one("ChangeMessageVisibility", &request(short)), None, "{short}");
        }
        assert_eq!(shorten_one("ReceiveMessage", &request(1_080)), None);
        assert_eq!(shorten_one("ChangeMessageVisibility", "VisibilityTimeout=1080"), None);
        assert_eq!(shorten(&Call::new("sns", "ChangeMessageVisibility"), request(1_080).as_bytes(), 60), None);
    }

    fn json_of(body: &[u8]) -> Value {
        serde_json::from_slice(body).expect("JSON")
    }
}
