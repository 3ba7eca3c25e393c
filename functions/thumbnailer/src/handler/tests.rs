use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_sdk_dynamodb::{operation::get_item::GetItemOutput, types::AttributeValue};
use aws_sdk_s3::{
    operation::{
        delete_objects::DeleteObjectsOutput,
        get_object::{GetObjectError, GetObjectOutput},
        head_object::{HeadObjectError, HeadObjectOutput},
        list_objects_v2::ListObjectsV2Output,
        put_object::{PutObjectError, PutObjectOutput},
    },
    primitives::ByteStream,
    types::Object,
};
use aws_sdk_sqs::operation::send_message::SendMessageOutput;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::media::{MediaId, Sequencer, Visibility, invalidation_marker_key, is_invalidation_marker, variant_key};
use function_kit::{failure::Kind, metrics::Metrics};
use serde_json::{Value, json};
use store::media::MediaTable;

use derivatives::{AwsPorts, CdnCache, CloudFront, Worker};

use super::*;

const KEY: &str = "photo/mina/a.png";

/// CloudFront, which notes the bodies of requests.
#[derive(Clone, Default)]
struct Invalidations {
    bodies: Arc<Mutex<Vec<String>>>,
    fails: bool,
}

impl Invalidations {
    fn count(&self) -> usize {
        self.bodies.lock().expect("a lock").len()
    }

    fn cdn_cache(&self) -> CdnCache {
        let Self { bodies, fails } = self.clone();
        let client = sigv4_client::test_util::client(move |_, body| {
            bodies.lock().expect("a lock").push(body.to_owned());
            Some((if fails { 503 } else { 201 }, String::new()))
        });
        let cloudfront = CloudFront::at(client, "https://cloudfront".to_owned());
        CdnCache { cloudfront, distribution_id: "E1".into() }
    }
}

fn worker(s3: &[&Rule], sent: &Rule) -> Worker<VariantRenderer> {
    // Any clean-up writes and deletes an invalidation marker and invalidates.
    let (stored, deleted) = (marker_stored(), marker_deleted());
    worker_with(&[&[&stored, &deleted][..], s3].concat(), sent, &Invalidations::default())
}

fn worker_with(s3: &[&Rule], sent: &Rule, invalidated: &Invalidations) -> Worker<VariantRenderer> {
    worker_of(s3, sent, invalidated, &[false])
}

/// A table that answers whether the item was taken down, the last answer again and again.
fn media(taken_down: &'static [bool]) -> MediaTable {
    let calls = Arc::new(AtomicUsize::new(0));
    let get = mock!(aws_sdk_dynamodb::Client::get_item).then_compute_output(move |_| {
        let call = calls.fetch_add(1, Ordering::Relaxed).min(taken_down.len() - 1);
        let row = HashMap::from([("taken_down".to_owned(), AttributeValue::S("hate".to_owned()))]);
        GetItemOutput::builder().set_item(taken_down[call].then_some(row)).build()
    });
    MediaTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&get]), "media".to_owned())
}

fn worker_of(
    s3: &[&Rule],
    sent: &Rule,
    invalidated: &Invalidations,
    taken_down: &'static [bool],
) -> Worker<VariantRenderer> {
    let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, s3);
    let sqs = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [sent]);
    Worker {
        ports: AwsPorts {
            originals: Originals { s3: s3.clone(), bucket: "originals".into() },
            s3,
            derived_bucket: "derived".into(),
            cdn_cache: invalidated.cdn_cache(),
            media: media(taken_down),
            sqs,
            metadata_queue_url: "https://sqs/metadata".into(),
        },
        metrics: Metrics::of("thumbnailer"),
        renderer: VariantRenderer,
    }
}

fn marker_stored() -> Rule {
    mock!(aws_sdk_s3::Client::put_object)
        .match_requests(|request| request.key().is_some_and(is_invalidation_marker))
        .then_output(|| PutObjectOutput::builder().build())
}

fn marker_deleted() -> Rule {
    mock!(aws_sdk_s3::Client::delete_objects)
        .match_requests(|request| {
            let objects = request.delete().map(|delete| delete.objects()).unwrap_or_default();
            !objects.is_empty() && objects.iter().all(|object| is_invalidation_marker(object.key()))
        })
        .then_output(|| DeleteObjectsOutput::builder().build())
}

fn event(name: &str, size: u64) -> String {
    json!({"Records": [{
        "eventName": name, "eventTime": "2026-11-22T00:00:00.000Z",
        "s3": {"object": {"key": KEY, "size": size, "eTag": "e", "sequencer": "0B"}}
    }]})
    .to_string()
}

/// The key of a variant of the generation `sequencer`.
fn variant(sequencer: &str) -> String {
    let sequencer = Sequencer::parse(sequencer).expect("a sequencer");
    variant_key(MediaId::of_key(KEY), &sequencer, Visibility::Private, (8, 8), "hash", "webp")
}

fn gif() -> Vec<u8> {
    // 1 × 1, one frame (GIF89a).
    b"GIF89a\x01\0\x01\0\x80\0\0\xff\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;".to_vec()
}

fn original(bytes: Vec<u8>) -> Rule {
    mock!(aws_sdk_s3::Client::get_object)
        .match_requests(|request| request.key() == Some(KEY) && request.if_match() == Some("\"e\""))
        .then_output(move || {
            let body = ByteStream::from(bytes.clone());
            GetObjectOutput::builder().body(body).metadata("visibility", "private").build()
        })
}

fn stored() -> Rule {
    mock!(aws_sdk_s3::Client::put_object).then_output(|| PutObjectOutput::builder().build())
}

fn listed(keys: &'static [&'static str]) -> Rule {
    mock!(aws_sdk_s3::Client::list_objects_v2).then_output(move || {
        let objects = keys.iter().map(|sequencer| Object::builder().key(variant(sequencer)).build()).collect();
        ListObjectsV2Output::builder().set_contents(Some(objects)).build()
    })
}

/// A deletion of exactly the variant of the generation `sequencer`.
fn deleted(sequencer: &'static str) -> Rule {
    mock!(aws_sdk_s3::Client::delete_objects)
        .match_requests(move |request| {
            let objects = request.delete().map(|delete| delete.objects()).unwrap_or_default();
            objects.iter().map(|object| object.key()).eq([variant(sequencer)])
        })
        .then_output(|| DeleteObjectsOutput::builder().build())
}

fn unchanged() -> Rule {
    mock!(aws_sdk_s3::Client::head_object)
        .then_output(|| HeadObjectOutput::builder().content_length(1).metadata("visibility", "private").build())
}

fn reported(state: &'static str) -> Rule {
    mock!(aws_sdk_sqs::Client::send_message)
        .match_requests(move |request| {
            let report: Option<Value> = request.message_body().and_then(|body| serde_json::from_str(body).ok());
            // Every report has the visibility.
            report.is_some_and(|report| {
                report["outcome"]["state"] == state
                    && report["original"]["declared"]["intent"]["visibility"] == "private"
            })
        })
        .then_output(|| SendMessageOutput::builder().build())
}

#[tokio::test]
async fn created_picture_is_rendered_cleaned_up_and_reported() {
    let (get, put, list, delete, head) = (original(gif()), stored(), listed(&["0A", "0B"]), deleted("0A"), unchanged());
    let sent = reported("ready");
    let worker = worker(&[&get, &put, &list, &delete, &head], &sent);
    worker.handle(&event("ObjectCreated:Put", 43)).await.expect("handled");
    assert_eq!((put.num_calls(), delete.num_calls(), sent.num_calls()), (2, 1, 1));
}

/// Content decides: the declared type is recorded, and so is the type of the content.
#[tokio::test]
async fn picture_of_another_type_than_declared_is_rendered_and_both_types_are_reported() {
    for declared in ["image/jpeg", "image/heif", "application/octet-stream"] {
        let get = mock!(aws_sdk_s3::Client::get_object).then_output(move || {
            let body = ByteStream::from(gif());
            GetObjectOutput::builder().body(body).content_type(declared).metadata("visibility", "private").build()
        });
        let (put, list, head) = (stored(), listed(&["0B"]), unchanged());
        let sent = mock!(aws_sdk_sqs::Client::send_message)
            .match_requests(move |request| {
                let report: Option<Value> = request.message_body().and_then(|body| serde_json::from_str(body).ok());
                report.is_some_and(|report| {
                    report["outcome"]["state"] == "ready"
                        && report["original"]["declared"]["content_type"] == declared
                        && report["detected_type"] == "image/gif"
                })
            })
            .then_output(|| SendMessageOutput::builder().build());
        let worker = worker(&[&get, &put, &list, &head], &sent);
        worker.handle(&event("ObjectCreated:Put", 43)).await.expect("handled");
        assert_eq!((put.num_calls(), sent.num_calls()), (2, 1), "{declared}");
    }
}

#[tokio::test]
async fn unreadable_picture_is_reported_as_failed() {
    let (get, list, sent) = (original(b"<svg/>".to_vec()), listed(&[]), reported("failed"));
    worker(&[&get, &list], &sent).handle(&event("ObjectCreated:Put", 6)).await.expect("handled");
    assert_eq!(sent.num_calls(), 1);
}

#[tokio::test]
async fn oversized_picture_is_reported_without_being_fetched() {
    let (head, list, sent) = (unchanged(), listed(&[]), reported("failed"));
    worker(&[&head, &list], &sent).handle(&event("ObjectCreated:Put", u64::MAX)).await.expect("handled");
    assert_eq!(sent.num_calls(), 1);
}

#[tokio::test]
async fn missing_original_is_cleaned_up_without_a_report() {
    let get = mock!(aws_sdk_s3::Client::get_object).then_http_response(|| response(404));
    let (list, delete, sent) = (listed(&["0B", "0C"]), deleted("0B"), reported("ready"));
    worker(&[&get, &list, &delete], &sent).handle(&event("ObjectCreated:Put", 43)).await.expect("handled");
    assert_eq!((delete.num_calls(), sent.num_calls()), (1, 0));
}

#[tokio::test]
async fn original_replaced_while_processed_loses_its_variants() {
    let head = mock!(aws_sdk_s3::Client::head_object).then_http_response(|| response(412));
    let (get, put, list, delete, sent) = (original(gif()), stored(), listed(&["0B"]), deleted("0B"), reported("ready"));
    let worker = worker(&[&get, &put, &list, &delete, &head], &sent);
    worker.handle(&event("ObjectCreated:Put", 43)).await.expect("handled");
    assert_eq!((delete.num_calls(), sent.num_calls()), (1, 0));
}

/// Before it is rendered; while it is rendered; and not any more after its files were listed.
#[tokio::test]
async fn picture_that_was_taken_down_keeps_no_files_and_is_not_reported() {
    for (taken_down, fetched, deletions) in
        [(&[true][..], 0, 1), (&[false, true][..], 1, 1), (&[true, false][..], 0, 0)]
    {
        let (get, put, list, head) = (original(gif()), stored(), listed(&["0B", "0C"]), unchanged());
        let delete = mock!(aws_sdk_s3::Client::delete_objects)
            .match_requests(|request| {
                let objects = request.delete().map(|delete| delete.objects()).unwrap_or_default();
                objects.iter().map(|object| object.key()).eq([variant("0B"), variant("0C")])
            })
            .then_output(|| DeleteObjectsOutput::builder().build());
        let superseded = deleted("0B");
        let (marker_deleted, invalidated, sent) = (marker_deleted(), Invalidations::default(), reported("ready"));
        let s3 = [&get, &put, &list, &delete, &superseded, &head, &marker_deleted];
        let worker = worker_of(&s3, &sent, &invalidated, taken_down);
        worker.handle(&event("ObjectCreated:Put", 43)).await.expect("handled");
        assert_eq!((get.num_calls(), delete.num_calls(), sent.num_calls()), (fetched, deletions, 0), "{taken_down:?}");
        // Besides the one of the older generation.
        let older = usize::from(superseded.num_calls() > 0);
        assert_eq!(invalidated.count() - older, deletions, "{taken_down:?}");
    }
}

#[tokio::test]
async fn removal_deletes_generations_up_to_its_own() {
    let (list, delete, sent) = (listed(&["0A", "0C"]), deleted("0A"), reported("ready"));
    worker(&[&list, &delete], &sent).handle(&event("ObjectRemoved:Delete", 0)).await.expect("handled");
    assert_eq!(delete.num_calls(), 1);
}

#[tokio::test]
async fn failed_invalidation_is_repeated_by_the_retry() {
    let sent = reported("ready");
    let (marker_stored, marker_deleted) = (marker_stored(), marker_deleted());

    let (list, delete) = (listed(&["0A"]), deleted("0A"));
    let busy = Invalidations { fails: true, ..Invalidations::default() };
    let worker = worker_with(&[&marker_stored, &marker_deleted, &list, &delete], &sent, &busy);
    let failure = worker.handle(&event("ObjectRemoved:Delete", 0)).await.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Transient);
    assert_eq!((marker_stored.num_calls(), delete.num_calls(), marker_deleted.num_calls()), (1, 1, 0));

    // Only the marker is left.
    let list = mock!(aws_sdk_s3::Client::list_objects_v2).then_output(|| {
        let marker = invalidation_marker_key(&variant("0A"), "n").expect("a key");
        ListObjectsV2Output::builder().contents(Object::builder().key(marker).build()).build()
    });
    let invalidated = Invalidations::default();
    let worker = worker_with(&[&marker_stored, &marker_deleted, &list], &sent, &invalidated);
    worker.handle(&event("ObjectRemoved:Delete", 0)).await.expect("handled");
    assert_eq!((marker_stored.num_calls(), invalidated.count(), marker_deleted.num_calls()), (1, 1, 1));

    // A marker of an earlier version has no nonce.
    let list = mock!(aws_sdk_s3::Client::list_objects_v2).then_output(|| {
        let marker = variant("0A").replace("8x8-hash.webp", "gone");
        ListObjectsV2Output::builder().contents(Object::builder().key(marker).build()).build()
    });
    let worker = worker_with(&[&marker_stored, &marker_deleted, &list], &sent, &invalidated);
    worker.handle(&event("ObjectRemoved:Delete", 0)).await.expect("handled");
    assert_eq!((marker_stored.num_calls(), invalidated.count(), marker_deleted.num_calls()), (1, 2, 2));
}

/// An earlier attempt may have succeeded: the item is ready, and its files are served.
#[tokio::test]
async fn failed_repeat_keeps_the_files_of_its_generation() {
    let (get, list, delete) = (original(b"<svg/>".to_vec()), listed(&["0A", "0B"]), deleted("0A"));
    let sent = reported("failed");
    worker(&[&get, &list, &delete], &sent).handle(&event("ObjectCreated:Put", 6)).await.expect("handled");
    assert_eq!((delete.num_calls(), sent.num_calls()), (1, 1));
}

/// CloudFront does nothing for a caller reference that it knows.
#[tokio::test]
async fn each_invalidation_has_a_new_caller_reference() {
    let invalidated = Invalidations::default();
    let sent = reported("ready");
    let (marker_stored, marker_deleted) = (marker_stored(), marker_deleted());
    // The second time, a late repeat has stored the file again.
    for _ in 0..2 {
        let (list, delete) = (listed(&["0A"]), deleted("0A"));
        let worker = worker_with(&[&marker_stored, &marker_deleted, &list, &delete], &sent, &invalidated);
        worker.handle(&event("ObjectRemoved:Delete", 0)).await.expect("handled");
    }
    let bodies = invalidated.bodies.lock().expect("a lock").clone();
    let references = bodies.iter().filter_map(|body| body.split_once("<CallerReference>").map(|(_, rest)| rest));
    assert_eq!((bodies.len(), references.collect::<BTreeSet<_>>().len()), (2, 2));
}

#[tokio::test]
async fn removal_without_variants_does_not_invalidate() {
    let (list, sent, invalidated) = (listed(&["0C"]), reported("ready"), Invalidations::default());
    let worker = worker_with(&[&list], &sent, &invalidated);
    worker.handle(&event("ObjectRemoved:Delete", 0)).await.expect("handled");
    assert_eq!(invalidated.count(), 0);
}

#[tokio::test]
async fn failure_of_s3_is_transient() {
    let get = mock!(aws_sdk_s3::Client::get_object).then_error(|| GetObjectError::unhandled("timeout"));
    let sent = reported("ready");
    let failure = worker(&[&get], &sent).handle(&event("ObjectCreated:Put", 43)).await.expect_err("a failure");
    assert_eq!((failure.kind, sent.num_calls()), (Kind::Transient, 0));

    let put = mock!(aws_sdk_s3::Client::put_object).then_error(|| PutObjectError::unhandled("timeout"));
    let (get, head) = (original(gif()), unchanged());
    let failure =
        worker(&[&get, &head, &put], &sent).handle(&event("ObjectCreated:Put", 43)).await.expect_err("a failure");
    assert_eq!((failure.kind, sent.num_calls()), (Kind::Transient, 0));

    let head = mock!(aws_sdk_s3::Client::head_object).then_error(|| HeadObjectError::unhandled("timeout"));
    let (put, list) = (stored(), listed(&[]));
    let failure = worker(&[&get, &put, &list, &head], &sent)
        .handle(&event("ObjectCreated:Put", 43))
        .await
        .expect_err("a failure");
    assert_eq!((failure.kind, sent.num_calls()), (Kind::Transient, 0));
}

#[tokio::test]
async fn unreadable_message_is_a_bug() {
    let sent = reported("ready");
    let failure = worker(&[], &sent).handle("not JSON").await.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Bug);
}

fn response(status: u16) -> aws_smithy_runtime_api::http::Response {
    let status = status.try_into().expect("a status");
    aws_smithy_runtime_api::http::Response::new(status, aws_sdk_s3::primitives::SdkBody::empty())
}
