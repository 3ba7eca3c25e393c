use function_kit::failure::Failure;
use opensearch::{Index, Page, Search, SortKey, Viewer};

/// Interface to the index: OpenSearch in production, a list in tests.
pub trait SearchIndex {
    async fn search(
        &self,
        search: Search<'_>,
        viewer: Viewer<'_>,
        after: Option<&SortKey>,
        size: usize,
    ) -> Result<Page, Failure>;
}

impl SearchIndex for Index {
    async fn search(
        &self,
        search: Search<'_>,
        viewer: Viewer<'_>,
        after: Option<&SortKey>,
        size: usize,
    ) -> Result<Page, Failure> {
        Self::search(self, search, viewer, after, size).await
    }
}
