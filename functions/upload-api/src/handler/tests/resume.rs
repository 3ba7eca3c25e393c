//! Uploads that are resumed.

use domain::upload::SMALL_PART_BYTES;

use super::*;

/// The state of an upload, by its handle.
async fn state(ports: &Ports, caller: &str, text: &str) -> (i64, Value) {
    let request = json!({
        "version": "2.0", "routeKey": "GET /v1/uploads/{handle}", "rawPath": "/", "rawQueryString": "", "headers": {},
        "pathParameters": {"handle": text}, "isBase64Encoded": false,
        "requestContext": {
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": {"sub": caller, "token_use": "access"}, "scopes": []}}
        }
    });
    let request = serde_json::from_value(request).expect("a request");
    let Some(Body::Text(body)) = super::handle(ports, &request, now()).await.body else { panic!("no text") };
    let body: Value = serde_json::from_str(&body).expect("JSON");
    (body["status"].as_i64().unwrap_or(200), body)
}

fn small_in_parts() -> Value {
    json!({
        "kind": "audio", "contentType": "audio/mp4", "size": 2 * SMALL_PART_BYTES + 9, "checksum": SUM, "inParts": true,
        "visibility": "private",
    })
}

#[tokio::test]
async fn small_file_is_sent_in_small_parts_if_the_client_asks() {
    let ports = ports(&[&upload_started()]);
    let (status, upload) = start_upload(&ports, None, &small_in_parts()).await;
    assert_eq!((status, &upload["way"], &upload["parts"]), (201, &json!("parts"), &json!(3)));
    assert_eq!(upload["partSize"], SMALL_PART_BYTES);
    let (id, handle) = (upload["id"].as_str().expect("an id"), &upload["handle"]);
    let last = json!({"handle": handle, "parts": [{"number": 3, "checksum": SUM}]});
    let (status, signed) = send(&ports, "mina", "POST /v1/uploads/{id}/parts", id, None, &last).await;
    assert_eq!((status, &signed["parts"][0]["headers"]["content-length"]), (200, &json!("9")));
}

#[tokio::test]
async fn state_names_the_parts_that_have_landed_to_the_uploader_only() {
    let (started, list) = (upload_started(), parts(&[SMALL_PART_BYTES, 17, 9]));
    let ports = ports(&[&started, &list]);
    let upload = start_upload(&ports, None, &small_in_parts()).await.1;
    let handle = upload["handle"].as_str().expect("a handle");
    let (status, body) = state(&ports, "mina", handle).await;
    assert_eq!((status, &body["way"], &body["handle"]), (200, &json!("parts"), &json!(handle)));
    assert_eq!(body["landed"], json!([{"number": 1, "checksum": SUM}, {"number": 3, "checksum": SUM}]));
    assert_eq!((&body["id"], &body["mediaId"]), (&upload["id"], &upload["mediaId"]));
    assert_eq!(state(&ports, "jun", handle).await.0, 400);
    for unknown in ["x", "x.y", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"] {
        assert_eq!(state(&ports, "mina", unknown).await.0, 404, "{unknown}");
    }
    assert_eq!(state(&ports, "mina", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ.x").await.0, 400);
}

#[tokio::test]
async fn state_of_a_finished_upload_is_done_and_of_an_aborted_one_410() {
    let started = upload_started();
    let upload = start_upload(&ports(&[&started]), None, &small_in_parts()).await.1;
    let handle = upload["handle"].as_str().expect("a handle");
    let gone = mock!(aws_sdk_s3::Client::list_parts).then_http_response(|| response(404));
    let fingerprint = {
        let ports = ports(&[]);
        let cipher = ports.cipher.get().await.expect("a cipher");
        let id = UploadHandle::upload_id(handle).expect("an id");
        UploadHandle::decrypt(&cipher, "mina", id, handle).expect("a handle").fingerprint
    };
    let there = |fingerprint: String| {
        mock!(aws_sdk_s3::Client::head_object)
            .then_output(move || HeadObjectOutput::builder().metadata("declaration", &fingerprint).build())
    };
    let (same, other, missing) = (there(fingerprint), there("other".to_owned()), head(404));
    for (object, expected) in [(&same, 200), (&other, 422), (&missing, 410)] {
        let (status, body) = state(&ports(&[&gone, object]), "mina", handle).await;
        assert_eq!(status, expected, "{body}");
        assert!(status != 200 || body["way"] == "done", "{body}");
    }
}
