use function_kit::failure::Failure;
use opensearch::{Index, Page, Search, SortKey};

/// What finds: on AWS, OpenSearch; in tests, a list.
pub trait Find {
    async fn find(
        &self,
        search: Search<'_>,
        caller: &str,
        after: Option<&SortKey>,
        size: usize,
    ) -> Result<Page, Failure>;
}

impl Find for Index {
    async fn find(
        &self,
        search: Search<'_>,
        caller: &str,
        after: Option<&SortKey>,
        size: usize,
    ) -> Result<Page, Failure> {
        Self::find(self, search, caller, after, size).await
    }
}
