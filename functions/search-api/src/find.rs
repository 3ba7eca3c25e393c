use domain::search::{Kind, Query};
use function_kit::failure::Failure;
use search_index::{Index, Page, Place, Search};

/// What finds: on AWS, OpenSearch; in tests, a list.
pub trait Find {
    async fn find(
        &self,
        search: Search,
        query: &Query,
        kind: Option<Kind>,
        caller: &str,
        after: Option<&Place>,
        size: usize,
    ) -> Result<Page, Failure>;
}

impl Find for Index {
    async fn find(
        &self,
        search: Search,
        query: &Query,
        kind: Option<Kind>,
        caller: &str,
        after: Option<&Place>,
        size: usize,
    ) -> Result<Page, Failure> {
        Self::find(self, search, query, kind, caller, after, size).await
    }
}
