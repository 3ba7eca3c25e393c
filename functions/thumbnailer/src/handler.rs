use derivatives::{Job, Original, Originals, RenderResult, Renderer};
use function_kit::failure::Failure;

use crate::develop::{check_size, develop};

/// Makes pictures' variants.
pub struct Variants;

impl Renderer for Variants {
    async fn render(&self, originals: &Originals, job: &Job<'_>) -> Result<RenderResult, Failure> {
        let Job { id, event, size, etag } = *job;
        if let Err(reason) = check_size(size) {
            let declared = originals.head_if_match(&event.key, etag).await?;
            return Ok(declared.map(|declared| (declared, Err(reason))));
        }
        let Some(Original { bytes, declared }) = originals.get(&event.key, etag).await? else { return Ok(None) };
        let visibility = declared.intent.visibility;
        let made = develop(id, &event.sequencer, &bytes, declared.content_type.as_deref(), visibility)?;
        Ok(Some((declared, made)))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudfront::operation::create_invalidation::{CreateInvalidationError, CreateInvalidationOutput};
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
    use domain::media::{MediaId, Sequencer, Visibility, derived_key, invalidation_marker_key};
    use function_kit::{failure::Kind, metrics::Metrics};
    use serde_json::{Value, json};

    use derivatives::{CdnCache, DerivedFiles, Reports, Worker};

    use super::*;

    const KEY: &str = "photo/mina/a.png";

    fn ports(s3: &[&Rule], sent: &Rule) -> Worker<Variants> {
        // Whatever is swept, farewells come and go and the caches are told.
        let (arrives, leaves, told) = (farewell_stored(), farewell_deleted(), told());
        ports_with(&[&[&arrives, &leaves][..], s3].concat(), sent, &told)
    }

    fn ports_with(s3: &[&Rule], sent: &Rule, told: &Rule) -> Worker<Variants> {
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, s3);
        let sqs = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [sent]);
        let cloudfront = mock_client!(aws_sdk_cloudfront, RuleMode::MatchAny, [told]);
        let cdn_cache = CdnCache { cloudfront, distribution_id: "E1".into() };
        Worker {
            originals: Originals { s3: s3.clone(), bucket: "originals".into() },
            derived: DerivedFiles { s3, bucket: "derived".into(), cdn_cache },
            reports: Reports { sqs, queue_url: "https://sqs/metadata".into() },
            metrics: Metrics::of("thumbnailer"),
            renderer: Variants,
        }
    }

    fn told() -> Rule {
        mock!(aws_sdk_cloudfront::Client::create_invalidation)
            .then_output(|| CreateInvalidationOutput::builder().build())
    }

    fn farewell_stored() -> Rule {
        mock!(aws_sdk_s3::Client::put_object)
            .match_requests(|request| request.key().is_some_and(|key| key.ends_with("/gone")))
            .then_output(|| PutObjectOutput::builder().build())
    }

    fn farewell_deleted() -> Rule {
        mock!(aws_sdk_s3::Client::delete_objects)
            .match_requests(|request| {
                let objects = request.delete().map(|delete| delete.objects()).unwrap_or_default();
                !objects.is_empty() && objects.iter().all(|object| object.key().ends_with("/gone"))
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

    /// A variant of this item, made at `sequencer`.
    fn leftover(sequencer: &str) -> String {
        let sequencer = Sequencer::parse(sequencer).expect("a sequencer");
        derived_key(MediaId::of_key(KEY), &sequencer, Visibility::Private, (8, 8), "hash", "webp")
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
            let objects = keys.iter().map(|sequencer| Object::builder().key(leftover(sequencer)).build()).collect();
            ListObjectsV2Output::builder().set_contents(Some(objects)).build()
        })
    }

    /// Answers a deletion of exactly the leftover of `sequencer`.
    fn deleted(sequencer: &'static str) -> Rule {
        mock!(aws_sdk_s3::Client::delete_objects)
            .match_requests(move |request| {
                let objects = request.delete().map(|delete| delete.objects()).unwrap_or_default();
                objects.iter().map(|object| object.key()).eq([leftover(sequencer)])
            })
            .then_output(|| DeleteObjectsOutput::builder().build())
    }

    fn unchanged() -> Rule {
        mock!(aws_sdk_s3::Client::head_object)
            .then_output(|| HeadObjectOutput::builder().metadata("visibility", "private").build())
    }

    fn reported(state: &'static str) -> Rule {
        mock!(aws_sdk_sqs::Client::send_message)
            .match_requests(move |request| {
                let report: Option<Value> = request.message_body().and_then(|body| serde_json::from_str(body).ok());
                // Whatever came of it, who may see it is told.
                report.is_some_and(|report| {
                    report["outcome"]["state"] == state
                        && report["original"]["declared"]["intent"]["visibility"] == "private"
                })
            })
            .then_output(|| SendMessageOutput::builder().build())
    }

    #[tokio::test]
    async fn stores_sweeps_and_reports() {
        let (get, put, list, delete, head) =
            (original(gif()), stored(), listed(&["0A", "0B"]), deleted("0A"), unchanged());
        let sent = reported("ready");
        let ports = ports(&[&get, &put, &list, &delete, &head], &sent);
        ports.handle(&event("ObjectCreated:Put", 43)).await.expect("handled");
        assert_eq!((put.num_calls(), delete.num_calls(), sent.num_calls()), (2, 1, 1));
    }

    #[tokio::test]
    async fn what_no_decoder_reads_has_failed_and_is_no_error() {
        let (get, list, sent) = (original(b"<svg/>".to_vec()), listed(&[]), reported("failed"));
        ports(&[&get, &list], &sent).handle(&event("ObjectCreated:Put", 6)).await.expect("handled");
        assert_eq!(sent.num_calls(), 1);
    }

    #[tokio::test]
    async fn nothing_is_fetched_that_is_too_large() {
        let (head, list, sent) = (unchanged(), listed(&[]), reported("failed"));
        ports(&[&head, &list], &sent).handle(&event("ObjectCreated:Put", u64::MAX)).await.expect("handled");
        assert_eq!(sent.num_calls(), 1);
    }

    #[tokio::test]
    async fn an_original_that_went_first_leaves_nothing_and_is_not_reported() {
        let get = mock!(aws_sdk_s3::Client::get_object).then_http_response(|| response(404));
        let (list, delete, sent) = (listed(&["0B", "0C"]), deleted("0B"), reported("ready"));
        ports(&[&get, &list, &delete], &sent).handle(&event("ObjectCreated:Put", 43)).await.expect("handled");
        assert_eq!((delete.num_calls(), sent.num_calls()), (1, 0));
    }

    #[tokio::test]
    async fn an_original_that_changed_meanwhile_takes_its_variants_along() {
        let head = mock!(aws_sdk_s3::Client::head_object).then_http_response(|| response(412));
        let (get, put, list, delete, sent) =
            (original(gif()), stored(), listed(&["0B"]), deleted("0B"), reported("ready"));
        let ports = ports(&[&get, &put, &list, &delete, &head], &sent);
        ports.handle(&event("ObjectCreated:Put", 43)).await.expect("handled");
        assert_eq!((delete.num_calls(), sent.num_calls()), (1, 0));
    }

    #[tokio::test]
    async fn a_removal_sweeps_up_to_itself() {
        let (list, delete, sent) = (listed(&["0A", "0C"]), deleted("0A"), reported("ready"));
        ports(&[&list, &delete], &sent).handle(&event("ObjectRemoved:Delete", 0)).await.expect("handled");
        assert_eq!(delete.num_calls(), 1);
    }

    #[tokio::test]
    async fn caches_that_could_not_be_told_are_told_at_the_next_try() {
        let sent = reported("ready");
        let (arrives, leaves) = (farewell_stored(), farewell_deleted());

        let (list, delete) = (listed(&["0A"]), deleted("0A"));
        let busy = mock!(aws_sdk_cloudfront::Client::create_invalidation)
            .then_error(|| CreateInvalidationError::unhandled("no answer"));
        let ports = ports_with(&[&arrives, &leaves, &list, &delete], &sent, &busy);
        let failure = ports.handle(&event("ObjectRemoved:Delete", 0)).await.expect_err("a failure");
        assert_eq!(failure.kind, Kind::Transient);
        assert_eq!((arrives.num_calls(), delete.num_calls(), leaves.num_calls()), (1, 1, 0));

        // All that is left is the farewell.
        let list = mock!(aws_sdk_s3::Client::list_objects_v2).then_output(|| {
            let farewell = invalidation_marker_key(&leftover("0A")).expect("a key");
            ListObjectsV2Output::builder().contents(Object::builder().key(farewell).build()).build()
        });
        let told = told();
        let ports = ports_with(&[&arrives, &leaves, &list], &sent, &told);
        ports.handle(&event("ObjectRemoved:Delete", 0)).await.expect("handled");
        assert_eq!((arrives.num_calls(), told.num_calls(), leaves.num_calls()), (1, 1, 1));
    }

    #[tokio::test]
    async fn caches_are_told_nothing_where_nothing_was() {
        let (list, sent, told) = (listed(&["0C"]), reported("ready"), told());
        let ports = ports_with(&[&list], &sent, &told);
        ports.handle(&event("ObjectRemoved:Delete", 0)).await.expect("handled");
        assert_eq!(told.num_calls(), 0);
    }

    #[tokio::test]
    async fn aws_failing_is_worth_another_try() {
        let get = mock!(aws_sdk_s3::Client::get_object).then_error(|| GetObjectError::unhandled("no answer"));
        let sent = reported("ready");
        let failure = ports(&[&get], &sent).handle(&event("ObjectCreated:Put", 43)).await.expect_err("a failure");
        assert_eq!((failure.kind, sent.num_calls()), (Kind::Transient, 0));

        let put = mock!(aws_sdk_s3::Client::put_object).then_error(|| PutObjectError::unhandled("no answer"));
        let get = original(gif());
        let failure = ports(&[&get, &put], &sent).handle(&event("ObjectCreated:Put", 43)).await.expect_err("a failure");
        assert_eq!((failure.kind, sent.num_calls()), (Kind::Transient, 0));

        let head = mock!(aws_sdk_s3::Client::head_object).then_error(|| HeadObjectError::unhandled("no answer"));
        let (put, list) = (stored(), listed(&[]));
        let failure = ports(&[&get, &put, &list, &head], &sent)
            .handle(&event("ObjectCreated:Put", 43))
            .await
            .expect_err("a failure");
        assert_eq!((failure.kind, sent.num_calls()), (Kind::Transient, 0));
    }

    #[tokio::test]
    async fn a_message_that_is_no_notification_is_a_bug() {
        let sent = reported("ready");
        let failure = ports(&[], &sent).handle("not JSON").await.expect_err("a failure");
        assert_eq!(failure.kind, Kind::Bug);
    }

    fn response(status: u16) -> aws_smithy_runtime_api::http::Response {
        let status = status.try_into().expect("a status");
        aws_smithy_runtime_api::http::Response::new(status, aws_sdk_s3::primitives::SdkBody::empty())
    }
}
