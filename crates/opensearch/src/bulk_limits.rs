/// Maximum size of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkLimits {
    /// Of the body.
    pub bytes: usize,
    /// Number of documents.
    pub documents: usize,
}

impl Default for BulkLimits {
    /// `docs/benchmarks/search.md` has the throughput by the number of documents. OpenSearch recommends 5 to 15 MB.
    fn default() -> Self {
        Self { bytes: 5 * 1024 * 1024, documents: 1_000 }
    }
}
