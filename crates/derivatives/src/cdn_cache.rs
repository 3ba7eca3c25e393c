use domain::media::{MediaId, item_prefix};
use function_kit::failure::Failure;
use sha2::{Digest, Sha256};

use crate::cloudfront::{CloudFront, Refusal};

/// The CDN's caches, which still hold deleted files until they are invalidated.
#[derive(Debug, Clone)]
pub struct CdnCache {
    /// The CloudFront client.
    pub cloudfront: CloudFront,
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
        let result = match (self.create_invalidation(reference, &wildcard).await?, files) {
            (Err(refusal), Some(files)) if is_limit_reached(&refusal) => {
                let files: Vec<_> = files.iter().map(|key| format!("/{key}")).collect();
                self.create_invalidation(reference, &files).await?
            }
            (result, _) => result,
        };
        result.map_err(|refusal| refusal.failure())
    }

    async fn create_invalidation(&self, reference: &str, paths: &[String]) -> Result<Result<(), Refusal>, Failure> {
        let reference = format!("{reference}/{}", digest(paths));
        self.cloudfront.create_invalidation(&self.distribution_id, &reference, paths).await
    }
}

fn is_limit_reached(refusal: &Refusal) -> bool {
    refusal.code.as_deref() == Some("TooManyInvalidationsInProgress")
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
    use std::sync::{Arc, Mutex};

    use function_kit::failure::Kind;

    use super::*;
    const KEY: &str = "photo/mina/a.png";

    type Answer = Option<(u16, String)>;

    fn created(_: &str) -> Answer {
        Some((201, "<Invalidation/>".to_owned()))
    }

    fn refused(status: u16, code: &str) -> Answer {
        Some((status, format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>")))
    }

    fn limit_reached() -> Answer {
        refused(400, "TooManyInvalidationsInProgress")
    }

    /// A cache whose CloudFront answers each body of a request, and the bodies.
    fn cdn_cache(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> (CdnCache, Arc<Mutex<Vec<String>>>) {
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let seen = bodies.clone();
        let client = sigv4_client::test_util::client(move |url, body| {
            assert_eq!(url, "https://cloudfront/2020-05-31/distribution/E1/invalidation");
            seen.lock().expect("a lock").push(body.to_owned());
            answer(body)
        });
        let cloudfront = CloudFront::at(client, "https://cloudfront".to_owned());
        (CdnCache { cloudfront, distribution_id: "E1".into() }, bodies)
    }

    #[tokio::test]
    async fn item_is_invalidated_by_one_wildcard_with_a_stable_reference() {
        let id = MediaId::of_key(KEY);
        let (cache, bodies) = cdn_cache(created);
        for _ in 0..2 {
            cache.invalidate(id, "x", Some(&["a", "b"])).await.expect("invalidated");
        }
        let bodies = bodies.lock().expect("a lock");
        assert_eq!((bodies.len(), &bodies[0]), (2, &bodies[1]));
        let reference = format!("<CallerReference>x/{}</CallerReference>", digest(&[format!("/{id}/*")]));
        assert!(bodies[0].contains(&format!("<Path>/{id}/*</Path>")) && bodies[0].contains(&reference), "{bodies:?}");
    }

    #[tokio::test]
    async fn files_are_invalidated_one_by_one_when_wildcards_are_used_up() {
        let (cache, bodies) = cdn_cache(|body| if body.contains("*</Path>") { limit_reached() } else { created(body) });
        cache.invalidate(MediaId::of_key(KEY), "x", Some(&["a", "b"])).await.expect("invalidated");
        let bodies = bodies.lock().expect("a lock");
        assert!(bodies.len() == 2 && bodies[1].contains("<Path>/a</Path><Path>/b</Path>"), "{bodies:?}");
    }

    #[tokio::test]
    async fn too_many_invalidations_in_progress_is_a_transient_failure() {
        let (cache, bodies) = cdn_cache(|_| limit_reached());
        for files in [None, Some(&["a"][..])] {
            let failure = cache.invalidate(MediaId::of_key(KEY), "x", files).await.expect_err("a failure");
            assert_eq!(failure.kind, Kind::Transient);
        }
        // Without a complete list of files, only the wildcard is tried.
        assert_eq!(bodies.lock().expect("a lock").len(), 1 + 2);
    }

    #[tokio::test]
    async fn other_errors_are_not_retried_with_single_files() {
        for (status, code, kind) in [
            (403, "AccessDenied", Kind::Transient),
            (404, "NoSuchDistribution", Kind::Transient),
            (400, "InvalidArgument", Kind::Bug),
        ] {
            let (cache, bodies) = cdn_cache(move |_| refused(status, code));
            let failure = cache.invalidate(MediaId::of_key(KEY), "x", Some(&["a"])).await.expect_err("a failure");
            assert_eq!((failure.kind, bodies.lock().expect("a lock").len()), (kind, 1), "{code}");
        }
    }

    #[tokio::test]
    async fn lost_connection_is_tried_once_more() {
        let (cache, bodies) = cdn_cache(|_| None);
        let failure = cache.invalidate(MediaId::of_key(KEY), "x", None).await.expect_err("a failure");
        assert_eq!((failure.kind, bodies.lock().expect("a lock").len()), (Kind::Transient, 2));
    }
}
