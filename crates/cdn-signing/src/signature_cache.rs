use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Some 5 MB of query strings.
const MAX_ENTRIES: usize = 8_192;

/// The query strings that were signed for the latest end of access, by resource.
///
/// A signature takes more time than all other work for an item of a page. All who ask within one window for the same
/// item get the same URL, so phones and the CDN find it in their caches, too.
#[derive(Debug, Default)]
pub struct SignatureCache(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    /// In seconds since 1970.
    expires: u64,
    queries: HashMap<String, Arc<str>>,
}

impl SignatureCache {
    /// The query string for `resource`, from `sign` if it is not here yet.
    ///
    /// # Errors
    /// The error of `sign`, which is not remembered.
    pub fn get_or_sign<E>(
        &self,
        resource: &str,
        expires: u64,
        sign: impl FnOnce() -> Result<String, E>,
    ) -> Result<Arc<str>, E> {
        // A panic of another thread leaves no half entry.
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if expires > entries.expires || entries.queries.len() >= MAX_ENTRIES {
            *entries = Entries { expires: expires.max(entries.expires), queries: HashMap::new() };
        }
        if expires < entries.expires {
            // A request that began in the window before.
            return sign().map(Arc::from);
        }
        if let Some(query) = entries.queries.get(resource) {
            return Ok(Arc::clone(query));
        }
        let query = Arc::<str>::from(sign()?);
        entries.queries.insert(resource.to_owned(), Arc::clone(&query));
        Ok(query)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    /// Signs with a counter, so that no two signatures are equal.
    fn signed(cache: &SignatureCache, count: &Cell<u32>, resource: &str, expires: u64) -> String {
        let sign = || {
            count.set(count.get() + 1);
            Ok::<_, ()>(format!("{resource} {expires} {}", count.get()))
        };
        cache.get_or_sign(resource, expires, sign).expect("a query").to_string()
    }

    #[test]
    fn same_resource_and_end_is_signed_once() {
        let (cache, count) = (SignatureCache::default(), Cell::new(0));
        assert_eq!(signed(&cache, &count, "a", 10), signed(&cache, &count, "a", 10));
        assert_eq!(count.get(), 1);
    }

    #[test]
    fn failure_is_not_remembered() {
        let cache = SignatureCache::default();
        assert_eq!(cache.get_or_sign("a", 10, || Err("no random bytes")), Err("no random bytes"));
        assert_eq!(cache.get_or_sign("a", 10, || Ok::<_, ()>("q".to_owned())).as_deref(), Ok("q"));
    }

    #[test]
    fn number_of_entries_is_bounded() {
        let (cache, count) = (SignatureCache::default(), Cell::new(0));
        for number in 0..2 * MAX_ENTRIES {
            signed(&cache, &count, &number.to_string(), 10);
            assert!(cache.0.lock().expect("a lock").queries.len() <= MAX_ENTRIES);
        }
    }

    proptest! {
        #[test]
        fn query_is_always_of_the_resource_and_end_asked_for(
            asked in prop::collection::vec((0..5_u8, 0..4_u64), 1..60),
        ) {
            let (cache, count) = (SignatureCache::default(), Cell::new(0));
            for (resource, expires) in asked {
                let query = signed(&cache, &count, &resource.to_string(), expires);
                let start = format!("{resource} {expires} ");
                prop_assert!(query.starts_with(&start), "{} instead of {}", query, start);
            }
        }
    }
}
