//! Changes who may see an item.
//!
//! Visibility is metadata of the original. A copy onto the same key with other metadata causes an event as an upload does:
//! metadata-writer hides the item, the worker makes files under new keys, deletes the old ones, and invalidates the CDN.

use api::{Problem, ProblemType};
use domain::{
    media::{Intent, MediaItem, Post, State, Visibility},
    push::Row,
    story_files::DrivingStory,
    upload::{LANE_METADATA, Lane},
};
use function_kit::failure::Failure;
use rest_kit::response::HandlerError;
use store::audience::AudienceTable;
use tracing::info;

use crate::originals::{Copied, Head, Originals};

/// S3's metadata with the visibility.
const VISIBILITY: &str = "visibility";

/// Stories: [`AudienceTable`] in production, memory in tests.
pub trait Stories {
    /// The story, if the graph says who may see it.
    async fn driving_story(&self, story: &Post) -> Result<Option<DrivingStory>, Failure>;
}

/// The bucket of originals: [`Originals`] in production, memory in tests.
pub trait Objects {
    /// The headers of the original at `key`; `None` if there is none.
    async fn head(&self, key: &str) -> Result<Option<Head>, Failure>;

    /// Gives the original other metadata, if it still has the content of `head`.
    async fn copy_onto_itself(&self, key: &str, head: Head) -> Result<Copied, Failure>;
}

impl Stories for AudienceTable {
    async fn driving_story(&self, story: &Post) -> Result<Option<DrivingStory>, Failure> {
        let row = Row::Vertex(story.as_str().to_owned());
        let found = self.get(std::slice::from_ref(&row)).await?;
        Ok(found.get(&row).and_then(DrivingStory::of))
    }
}

impl Objects for Originals {
    async fn head(&self, key: &str) -> Result<Option<Head>, Failure> {
        Self::head(self, key).await
    }

    async fn copy_onto_itself(&self, key: &str, head: Head) -> Result<Copied, Failure> {
        Self::copy_onto_itself(self, key, head).await
    }
}

/// The result of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The original has the visibility from now on.
    Changed,
    /// It had it before.
    Unchanged,
    /// More people would see the item, which is being processed.
    BeingProcessed,
    /// Operators took the item down.
    TakenDown,
    /// The original has been deleted.
    Gone,
    /// The original has been replaced, or is being written.
    Replaced,
}

/// Gives the original of `item` this visibility, for its owner.
///
/// # Errors
/// 404 or 409. Also 409 if a story of the owner decides: the visibility would not last.
pub async fn set(
    stories: &impl Stories,
    originals: &impl Objects,
    item: &MediaItem,
    visibility: Visibility,
) -> Result<(), HandlerError> {
    let conflict = |detail: &str| Err(ProblemType::Conflict.with_detail(detail).into());
    if visibility_of_story(stories, item).await?.is_some() {
        return conflict("the item's story decides who may see it; change the story's visibility");
    }
    match change(originals, item, visibility).await? {
        Outcome::Changed | Outcome::Unchanged => Ok(()),
        Outcome::BeingProcessed => conflict("the item is being processed; until then it can only be hidden"),
        Outcome::TakenDown => conflict("operators took the item down"),
        Outcome::Gone => Err(Problem::not_found().into()),
        Outcome::Replaced => Err(Problem::from(ProblemType::Conflict).into()),
    }
}

/// The visibility of the story that `item` belongs to; `None` if it belongs to none, or the graph never set it.
pub async fn visibility_of_story(stories: &impl Stories, item: &MediaItem) -> Result<Option<Visibility>, Failure> {
    let Some(post) = item.state.upload().and_then(|upload| upload.declared.intent.post.as_ref()) else {
        return Ok(None);
    };
    let story = stories.driving_story(post).await?;
    Ok(story.and_then(|story| story.visibility_for(&item.owner)))
}

/// Gives the original of `item` this visibility. An original that has it already is left as it is.
///
/// Each change makes all files again, and counts to no budget. So an item that is being processed can only be hidden: a
/// client that widens and narrows in a loop waits for the workers in each turn, and in the slow lane. What operators took
/// down stays as it is.
pub async fn change(originals: &impl Objects, item: &MediaItem, visibility: Visibility) -> Result<Outcome, Failure> {
    let MediaItem { id, key, state, .. } = item;
    if matches!(state, State::TakenDown(..)) {
        return Ok(Outcome::TakenDown);
    }
    let Some(mut head) = originals.head(key).await? else { return Ok(Outcome::Gone) };
    let current = visibility_of(&head);
    if current == visibility {
        return Ok(Outcome::Unchanged);
    }
    if visibility.is_wider_than(current) && matches!(state, State::Processing(_)) {
        return Ok(Outcome::BeingProcessed);
    }
    // The fingerprint of the declaration stays: a retry of the upload still finds its object.
    head.metadata.insert(VISIBILITY.to_owned(), visibility.as_ref().to_owned());
    head.metadata.insert(LANE_METADATA.to_owned(), Lane::Slow.as_ref().to_owned());
    match originals.copy_onto_itself(key, head).await? {
        Copied::Copied => {}
        Copied::Gone => return Ok(Outcome::Gone),
        // Perhaps by an attempt whose answer was lost: the copy of an original in parts has another ETag.
        Copied::Changed => match originals.head(key).await? {
            Some(head) if visibility_of(&head) == visibility => {}
            Some(_) => return Ok(Outcome::Replaced),
            None => return Ok(Outcome::Gone),
        },
    }
    info!(media_id = %id, visibility = visibility.as_ref(), "changed the visibility");
    Ok(Outcome::Changed)
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

    /// Mina's story `s1` is private.
    struct PrivateStory;

    impl Stories for PrivateStory {
        async fn driving_story(&self, story: &Post) -> Result<Option<DrivingStory>, Failure> {
            let story_of_mina = DrivingStory { authors: ["mina".to_owned()].into(), visibility: Visibility::Private };
            Ok((story.as_str() == "s1").then_some(story_of_mina))
        }
    }

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
        item_of(KEY, Intent::default())
    }

    fn item_of(key: &str, intent: Intent) -> MediaItem {
        let event = ObjectEvent {
            key: key.to_owned(),
            at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            sequencer: Sequencer::parse("0A").expect("a sequencer"),
            change: ObjectChange::Created { size: 1, version: ObjectVersion::of_etag("e") },
        };
        MediaItem::processing(Original::of(&event, 1, Declared { intent, ..Declared::default() }).expect("owned"))
    }

    async fn set_to(visibility: Visibility, item: &MediaItem, rules: &[&Rule]) -> Result<(), u16> {
        set(&PrivateStory, &originals(rules), item, visibility).await.map_err(|error| match error {
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
    async fn item_of_a_story_is_changed_with_its_story_only() {
        let of = |post: &str, key| item_of(key, Intent { post: post.to_owned().try_into().ok(), ..Intent::default() });
        let copy = mock!(Client::copy_object).then_output(|| CopyObjectOutput::builder().build());
        for visibility in Visibility::ALL {
            assert_eq!(set_to(visibility, &of("s1", KEY), &[&head(), &copy]).await, Err(409));
        }
        assert_eq!(copy.num_calls(), 0);
        // Jun did not tell the story, and the graph says nothing of the other.
        for item in [of("s1", "photo/jun/a"), of("s2", KEY)] {
            assert_eq!(set_to(Visibility::Private, &item, &[&head(), &copy]).await, Ok(()));
        }
        assert_eq!(copy.num_calls(), 2);
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
