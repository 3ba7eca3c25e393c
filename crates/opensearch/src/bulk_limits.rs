/// Maximum size of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkLimits {
    /// Of the body.
    pub bytes: usize,
    /// Number of documents.
    pub documents: usize,
}

impl Default for BulkLimits {
    /// OpenSearch recommends 5 to 15 MB. `cargo xtask bench search` measures the throughput by the number of documents.
    fn default() -> Self {
        Self { bytes: 5 * 1024 * 1024, documents: 1_000 }
    }
}
