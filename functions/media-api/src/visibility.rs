//! Changes who may see an item.
//!
//! Visibility is metadata of the original. A copy onto the same key with other metadata causes an event as an upload does:
//! metadata-writer hides the item, the worker makes files under new keys, deletes the old ones, and invalidates the CDN.

use api::{Problem, ProblemType};
use domain::{
    media::{Intent, MediaItem, State, Visibility},
    upload::{LANE_METADATA, Lane},
};
use rest_kit::response::HandlerError;
use tracing::info;

use crate::originals::{Copied, Head, Originals};

/// S3's metadata with the visibility.
const VISIBILITY: &str = "visibility";

/// Gives the original of `item` this visibility. An original that has it already is left as it is.
///
/// Each change makes all files again, and counts to no budget. So an item that is being processed can only be hidden: a
/// client that widens and narrows in a loop waits for the workers in each turn, and in the slow lane. What operators took
/// down stays as it is.
pub async fn set(originals: &Originals, item: &MediaItem, visibility: Visibility) -> Result<(), HandlerError> {
    let MediaItem { id, key, state, .. } = item;
    if matches!(state, State::TakenDown(..)) {
        return Err(ProblemType::Conflict.with_detail("operators took the item down").into());
    }
    let mut head = originals.head(key).await?.ok_or_else(Problem::not_found)?;
    let current = visibility_of(&head);
    if current == visibility {
        return Ok(());
    }
    if visibility.is_wider_than(current) && matches!(state, State::Processing(_)) {
        let detail = "the item is being processed; until then it can only be hidden";
        return Err(ProblemType::Conflict.with_detail(detail).into());
    }
    // The fingerprint of the declaration stays: a retry of the upload still finds its object.
    head.metadata.insert(VISIBILITY.to_owned(), visibility.as_ref().to_owned());
    head.metadata.insert(LANE_METADATA.to_owned(), Lane::Slow.as_ref().to_owned());
    match originals.copy_onto_itself(key, head).await? {
        Copied::Copied => {}
        Copied::Gone => return Err(Problem::not_found().into()),
        // Perhaps by an attempt whose answer was lost: the copy of an original in parts has another ETag.
        Copied::Changed => match originals.head(key).await? {
            Some(head) if visibility_of(&head) == visibility => {}
            Some(_) => return Err(Problem::from(ProblemType::Conflict).into()),
            None => return Err(Problem::not_found().into()),
        },
    }
    info!(media_id = %id, visibility = visibility.as_ref(), "changed the visibility");
    Ok(())
}

fn visibility_of(head: &Head) -> Visibility {
    Intent::from_metadata(|name| head.metadata.get(name).map(String::as_str)).visibility
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::{
        Client,
        operation::{copy_object::CopyObjectOutput, head_object::HeadObjectOutput},
        types::MetadataDirective,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::http::Response;
    use aws_smithy_types::body::SdkBody;
    use domain::{
        media::{Declared, ObjectChange, ObjectEvent, ObjectVersion, Original, Reason, Sequencer},
        user_report::ReportReason,
    };

    use super::*;

    const KEY: &str = "photo/mina/가 a";

    fn originals(rules: &[&Rule]) -> Originals {
        Originals { s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, rules), bucket: "originals".to_owned() }
    }

    fn head() -> Rule {
        head_of("public")
    }

    fn head_of(visibility: &'static str) -> Rule {
        mock!(Client::head_object).then_output(move || {
            HeadObjectOutput::builder()
                .e_tag("\"e\"")
                .content_type("image/png")
                .metadata("visibility", visibility)
                .metadata("declaration", "f")
                .build()
        })
    }

    fn answering(status: u16) -> Rule {
        mock!(Client::copy_object)
            .then_http_response(move || Response::new(status.try_into().expect("a status"), SdkBody::empty()))
    }

    fn item() -> MediaItem {
        let event = ObjectEvent {
            key: KEY.to_owned(),
            at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            sequencer: Sequencer::parse("0A").expect("a sequencer"),
            change: ObjectChange::Created { size: 1, version: ObjectVersion::of_etag("e") },
        };
        MediaItem::processing(Original::of(&event, 1, Declared::default()).expect("owned"))
    }

    async fn set_to(visibility: Visibility, item: &MediaItem, rules: &[&Rule]) -> Result<(), u16> {
        set(&originals(rules), item, visibility).await.map_err(|error| match error {
            HandlerError::Problem(problem) => problem.status,
            other => panic!("{other:?}"),
        })
    }

    async fn set_private(rules: &[&Rule]) -> Result<(), u16> {
        set_to(Visibility::Private, &item(), rules).await
    }

    #[tokio::test]
    async fn original_is_copied_onto_itself_unless_it_has_changed() {
        let copy = mock!(Client::copy_object)
            .match_requests(|request| {
                let metadata = request.metadata().expect("metadata");
                request.copy_source() == Some("originals/photo%2Fmina%2F%EA%B0%80%20a")
                    && request.key() == Some(KEY)
                    && request.copy_source_if_match() == Some("\"e\"")
                    && request.if_match() == Some("\"e\"")
                    && request.metadata_directive() == Some(&MetadataDirective::Replace)
                    && request.content_type() == Some("image/png")
                    && metadata.get("visibility").map(String::as_str) == Some("private")
                    && metadata.get("declaration").map(String::as_str) == Some("f")
                    && metadata.get("lane").map(String::as_str) == Some("slow")
            })
            .then_output(|| CopyObjectOutput::builder().build());
        assert_eq!(set_private(&[&head(), &copy]).await, Ok(()));
        assert_eq!(copy.num_calls(), 1);
    }

    #[tokio::test]
    async fn original_with_the_visibility_is_not_copied() {
        let copy = answering(200);
        assert_eq!(set_to(Visibility::Public, &item(), &[&head(), &copy]).await, Ok(()));
        assert_eq!(copy.num_calls(), 0);
    }

    #[tokio::test]
    async fn item_being_processed_can_only_be_hidden() {
        let copy = mock!(Client::copy_object).then_output(|| CopyObjectOutput::builder().build());
        let followers = head_of("followers");
        assert_eq!(set_to(Visibility::Public, &item(), &[&followers, &copy]).await, Err(409));
        assert_eq!(set_to(Visibility::Private, &item(), &[&followers, &copy]).await, Ok(()));
        let State::Processing(upload) = item().state else { panic!("processed") };
        let failed = MediaItem { state: State::Failed(upload, Reason::Corrupt), ..item() };
        assert_eq!(set_to(Visibility::Public, &failed, &[&followers, &copy]).await, Ok(()));
    }

    #[tokio::test]
    async fn item_that_was_taken_down_is_not_changed() {
        let (item, copy) = (item().taken_down(ReportReason::Hate), answering(200));
        for visibility in Visibility::ALL {
            assert_eq!(set_to(visibility, &item, &[&head(), &copy]).await, Err(409));
        }
        assert_eq!(copy.num_calls(), 0);
    }

    #[tokio::test]
    async fn original_that_a_lost_attempt_has_changed_is_no_conflict() {
        let after = async |now: &'static str, status| {
            let heads = mock!(Client::head_object)
                .sequence()
                .output(|| HeadObjectOutput::builder().e_tag("\"e-2\"").metadata("visibility", "public").build())
                .output(move || HeadObjectOutput::builder().e_tag("\"f\"").metadata("visibility", now).build())
                .build();
            set_private(&[&heads, &answering(status)]).await
        };
        for status in [409, 412] {
            assert_eq!(after("private", status).await, Ok(()));
            assert_eq!(after("followers", status).await, Err(409));
        }
    }

    #[tokio::test]
    async fn deleted_or_replaced_original_is_a_problem() {
        for (status, expected) in [(404, 404), (412, 409), (409, 409)] {
            assert_eq!(set_private(&[&head(), &answering(status)]).await, Err(expected), "{status}");
        }
    }
}
