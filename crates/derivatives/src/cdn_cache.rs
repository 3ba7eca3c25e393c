use aws_sdk_cloudfront::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::create_invalidation::CreateInvalidationError,
    types::{InvalidationBatch, Paths},
};
use domain::media::{MediaId, derived_prefix};
use function_kit::failure::Failure;
use sha2::{Digest, Sha256};

/// The distribution's caches, which would serve on what has been deleted.
#[derive(Debug, Clone)]
pub struct CdnCache {
    /// How to reach CloudFront.
    pub cloudfront: Client,
    /// The distribution.
    pub distribution_id: String,
}

impl CdnCache {
    /// Has all caches forget what they hold of an item. To be asked for after the files are gone:
    /// what is still there is only fetched again.
    ///
    /// One path with a wildcard, since each path is paid for; of these, 15 may be in progress at a
    /// time. Beyond that the `files` are named one by one, if they are all there is to forget: of
    /// single files, 3,000 may be in progress (CloudFront's "Concurrent invalidation request maximum").
    ///
    /// Asking again for the same `occasion` and files neither does nor costs anything more.
    ///
    /// # Errors
    /// Transient when too much is in progress.
    pub async fn invalidate(&self, id: MediaId, occasion: &str, files: Option<&[&str]>) -> Result<(), Failure> {
        let everything = vec![format!("/{}*", derived_prefix(id))];
        let answer = match (self.create_invalidation(occasion, everything).await?, files) {
            (Err(error), Some(files)) if is_busy(&error) => {
                let files = files.iter().map(|key| format!("/{key}")).collect();
                self.create_invalidation(occasion, files).await?
            }
            (answer, _) => answer,
        };
        answer.map_err(|error| {
            // CloudFront says 400 here, as it does to wrong requests.
            if is_busy(&error) {
                Failure::transient("have the caches forget", error.into_service_error())
            } else {
                Failure::aws("have the caches forget", error)
            }
        })
    }

    async fn create_invalidation(
        &self,
        occasion: &str,
        paths: Vec<String>,
    ) -> Result<Result<(), SdkError<CreateInvalidationError>>, Failure> {
        let quantity = i32::try_from(paths.len()).map_err(|error| Failure::bug("count the paths", error))?;
        let reference = format!("{occasion}/{}", digest(&paths));
        let batch = Paths::builder()
            .quantity(quantity)
            .set_items(Some(paths))
            .build()
            .and_then(|paths| InvalidationBatch::builder().paths(paths).caller_reference(reference).build())
            .map_err(|error| Failure::bug("name what the caches are to forget", error))?;
        let call = self.cloudfront.create_invalidation().distribution_id(&self.distribution_id);
        Ok(call.invalidation_batch(batch).send().await.map(drop))
    }
}

fn is_busy(error: &SdkError<CreateInvalidationError>) -> bool {
    error.code() == Some("TooManyInvalidationsInProgress")
}

/// Tells lists of paths apart: CloudFront refuses a reference that it knows with other paths.
fn digest(paths: &[String]) -> String {
    let mut hash = Sha256::new();
    for path in paths {
        hash.update(path);
        hash.update("\n");
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudfront::{
        operation::create_invalidation::CreateInvalidationOutput,
        types::error::{AccessDenied, TooManyInvalidationsInProgress},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use function_kit::failure::Kind;

    use super::*;

    const KEY: &str = "photo/mina/a.png";

    fn edge(rules: &[&Rule]) -> CdnCache {
        CdnCache {
            cloudfront: mock_client!(aws_sdk_cloudfront, RuleMode::MatchAny, rules),
            distribution_id: "E1".into(),
        }
    }

    fn paths(input: &aws_sdk_cloudfront::operation::create_invalidation::CreateInvalidationInput) -> Vec<String> {
        let paths = input.invalidation_batch().and_then(InvalidationBatch::paths).map(Paths::items);
        paths.unwrap_or_default().to_vec()
    }

    fn busy() -> CreateInvalidationError {
        let metadata =
            aws_sdk_cloudfront::error::ErrorMetadata::builder().code("TooManyInvalidationsInProgress").build();
        let error = TooManyInvalidationsInProgress::builder().meta(metadata).build();
        CreateInvalidationError::TooManyInvalidationsInProgress(error)
    }

    fn is_wildcard(paths: &[String]) -> bool {
        paths.iter().any(|path| path.ends_with('*'))
    }

    #[tokio::test]
    async fn one_path_with_a_wildcard_and_a_reference_that_stays_the_same() {
        let id = MediaId::of_key(KEY);
        let told = mock!(Client::create_invalidation)
            .match_requests(move |input| {
                let reference = input.invalidation_batch().map(InvalidationBatch::caller_reference).unwrap_or_default();
                let same = format!("x/{}", digest(&[format!("/{id}/*")]));
                input.distribution_id() == Some("E1") && paths(input) == [format!("/{id}/*")] && reference == same
            })
            .then_output(|| CreateInvalidationOutput::builder().build());
        for _ in 0..2 {
            edge(&[&told]).invalidate(id, "x", Some(&["a", "b"])).await.expect("told");
        }
        assert_eq!(told.num_calls(), 2);
    }

    #[tokio::test]
    async fn files_are_named_when_wildcards_are_used_up() {
        let wildcard =
            mock!(Client::create_invalidation).match_requests(|input| is_wildcard(&paths(input))).then_error(busy);
        let files = mock!(Client::create_invalidation)
            .match_requests(|input| paths(input) == ["/a", "/b"])
            .then_output(|| CreateInvalidationOutput::builder().build());
        edge(&[&wildcard, &files]).invalidate(MediaId::of_key(KEY), "x", Some(&["a", "b"])).await.expect("told");
        assert_eq!((wildcard.num_calls(), files.num_calls()), (1, 1));
    }

    #[tokio::test]
    async fn too_much_in_progress_is_worth_another_try() {
        let all = mock!(Client::create_invalidation).then_error(busy);
        for files in [None, Some(&["a"][..])] {
            let failure = edge(&[&all]).invalidate(MediaId::of_key(KEY), "x", files).await.expect_err("a failure");
            assert_eq!(failure.kind, Kind::Transient);
        }
        // Without a list that is known to be whole, there is nothing else to try.
        assert_eq!(all.num_calls(), 1 + 2);
    }

    #[tokio::test]
    async fn other_refusals_are_not_taken_for_it() {
        let refused = mock!(Client::create_invalidation)
            .then_error(|| CreateInvalidationError::AccessDenied(AccessDenied::builder().build()));
        let failed = edge(&[&refused]).invalidate(MediaId::of_key(KEY), "x", Some(&["a"])).await;
        assert!(failed.is_err());
        assert_eq!(refused.num_calls(), 1);
    }
}
