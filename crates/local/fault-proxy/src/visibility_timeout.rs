use serde_json::Value;

use super::call::Call;

/// The body of a `ChangeMessageVisibility` request with its timeout reduced to `maximum` seconds. `None` if `call` is
/// another call or has a shorter timeout.
pub fn shorten(call: &Call, body: &[u8], maximum: u32) -> Option<Vec<u8>> {
    if (call.service.as_str(), call.operation.as_str()) != ("sqs", "ChangeMessageVisibility") {
        return None;
    }
    let mut document: Value = serde_json::from_slice(body).ok()?;
    let timeout = document.get_mut("VisibilityTimeout")?;
    if timeout.as_u64()? <= maximum.into() {
        return None;
    }
    *timeout = maximum.into();
    serde_json::to_vec(&document).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_timeouts_above_the_maximum_are_reduced() {
        let request = |timeout: i64| {
            json!({"QueueUrl": "http://q/push.fifo", "ReceiptHandle": "r", "VisibilityTimeout": timeout}).to_string()
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
