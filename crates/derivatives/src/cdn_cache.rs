use aws_sdk_cloudfront::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::create_invalidation::CreateInvalidationError,
    types::{InvalidationBatch, Paths},
};
use domain::media::{MediaId, item_prefix};
use function_kit::failure::Failure;
use sha2::{Digest, Sha256};

/// The CDN's caches, which still hold deleted files until they are invalidated.
#[derive(Debug, Clone)]
pub struct CdnCache {
    /// The CloudFront client.
    pub cloudfront: Client,
    /// The distribution's id.
    pub distribution_id: String,
}

impl CdnCache {
    /// Invalidates all cached files of an item. Call it after the files are deleted: existing files would be cached again.
    ///
    /// Uses one path with a wildcard, since CloudFront charges per path. At most 15 invalidations with wildcards may be in
    /// progress ("Concurrent invalidation request maximum"). Beyond that, `files` are invalidated one by one, of which
    /// 3,000 may be in progress. Pass `None`, or no files, if the list of files is not complete.
    ///
    /// A repeated call with the same `reference` and files does nothing and costs nothing.
    ///
    /// # Errors
    /// If CloudFront fails. Transient if too many invalidations are in progress.
    pub async fn invalidate(&self, id: MediaId, reference: &str, files: Option<&[&str]>) -> Result<(), Failure> {
        let wildcard = vec![format!("/{}*", item_prefix(id))];
        let files = files.filter(|files| !files.is_empty());
        let result = match (self.create_invalidation(reference, wildcard).await?, files) {
            (Err(error), Some(files)) if is_limit_reached(&error) => {
                let files = files.iter().map(|key| format!("/{key}")).collect();
                self.create_invalidation(reference, files).await?
            }
            (result, _) => result,
        };
        result.map_err(|error| Failure::aws("invalidate the CDN", error))
    }

    async fn create_invalidation(
        &self,
        reference: &str,
        paths: Vec<String>,
    ) -> Result<Result<(), SdkError<CreateInvalidationError>>, Failure> {
        let quantity = i32::try_from(paths.len()).map_err(|error| Failure::bug("count the paths", error))?;
        let reference = format!("{reference}/{}", digest(&paths));
        let batch = Paths::builder()
            .quantity(quantity)
            .set_items(Some(paths))
            .build()
            .and_then(|paths| InvalidationBatch::builder().paths(paths).caller_reference(reference).build())
            .map_err(|error| Failure::bug("build an invalidation", error))?;
        let call = self.cloudfront.create_invalidation().distribution_id(&self.distribution_id);
        Ok(call.invalidation_batch(batch).send().await.map(drop))
    }
}

fn is_limit_reached(error: &SdkError<CreateInvalidationError>) -> bool {
    error.code() == Some("TooManyInvalidationsInProgress")
}

/// Makes the caller reference unique per list of paths: CloudFront rejects a known reference with other paths.
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
        error::ErrorMetadata,
        operation::create_invalidation::{CreateInvalidationInput, CreateInvalidationOutput},
        types::error::{AccessDenied, TooManyInvalidationsInProgress},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use function_kit::failure::Kind;

    use super::*;

    const KEY: &str = "photo/mina/a.png";

    fn cdn_cache(rules: &[&Rule]) -> CdnCache {
        CdnCache {
            cloudfront: mock_client!(aws_sdk_cloudfront, RuleMode::MatchAny, rules),
            distribution_id: "E1".into(),
        }
    }

    fn paths(input: &CreateInvalidationInput) -> Vec<String> {
        let paths = input.invalidation_batch().and_then(InvalidationBatch::paths).map(Paths::items);
        paths.unwrap_or_default().to_vec()
    }

    fn limit_reached() -> CreateInvalidationError {
        let metadata = ErrorMetadata::builder().code("TooManyInvalidationsInProgress").build();
        let error = TooManyInvalidationsInProgress::builder().meta(metadata).build();
        CreateInvalidationError::TooManyInvalidationsInProgress(error)
    }

    fn is_wildcard(paths: &[String]) -> bool {
        paths.iter().any(|path| path.ends_with('*'))
    }

    #[tokio::test]
    async fn item_is_invalidated_by_one_wildcard_with_a_stable_reference() {
        let id = MediaId::of_key(KEY);
        let invalidated = mock!(Client::create_invalidation)
            .match_requests(move |input| {
                let reference = input.invalidation_batch().map(InvalidationBatch::caller_reference).unwrap_or_default();
                let expected = format!("x/{}", digest(&[format!("/{id}/*")]));
                input.distribution_id() == Some("E1") && paths(input) == [format!("/{id}/*")] && reference == expected
            })
            .then_output(|| CreateInvalidationOutput::builder().build());
        for _ in 0..2 {
            cdn_cache(&[&invalidated]).invalidate(id, "x", Some(&["a", "b"])).await.expect("invalidated");
        }
        assert_eq!(invalidated.num_calls(), 2);
    }

    #[tokio::test]
    async fn files_are_invalidated_one_by_one_when_wildcards_are_used_up() {
        let wildcard = mock!(Client::create_invalidation)
            .match_requests(|input| is_wildcard(&paths(input)))
            .then_error(limit_reached);
        let files = mock!(Client::create_invalidation)
            .match_requests(|input| paths(input) == ["/a", "/b"])
            .then_output(|| CreateInvalidationOutput::builder().build());
        cdn_cache(&[&wildcard, &files])
            .invalidate(MediaId::of_key(KEY), "x", Some(&["a", "b"]))
            .await
            .expect("invalidated");
        assert_eq!((wildcard.num_calls(), files.num_calls()), (1, 1));
    }

    #[tokio::test]
    async fn too_many_invalidations_in_progress_is_a_transient_failure() {
        let all = mock!(Client::create_invalidation).then_error(limit_reached);
        for files in [None, Some(&["a"][..])] {
            let failure = cdn_cache(&[&all]).invalidate(MediaId::of_key(KEY), "x", files).await.expect_err("a failure");
            assert_eq!(failure.kind, Kind::Transient);
        }
        // Without a complete list of files, only the wildcard is tried.
        assert_eq!(all.num_calls(), 1 + 2);
    }

    #[tokio::test]
    async fn other_errors_are_not_retried_with_single_files() {
        let denied = mock!(Client::create_invalidation)
            .then_error(|| CreateInvalidationError::AccessDenied(AccessDenied::builder().build()));
        let result = cdn_cache(&[&denied]).invalidate(MediaId::of_key(KEY), "x", Some(&["a"])).await;
        assert!(result.is_err());
        assert_eq!(denied.num_calls(), 1);
    }
}
