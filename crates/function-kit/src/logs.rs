//! JSON lines on standard output, which is where Lambda takes logs from.
//!
//! Log identifiers, never tokens, names or texts: a key holds a file name, so log the item's id.

use tracing::level_filters::LevelFilter;

/// Starts logging at the level in `AWS_LAMBDA_LOG_LEVEL`, which the function's `LoggingConfig`
/// sets; `INFO` if there is none.
pub fn init() {
    let level =
        std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    tracing_subscriber::fmt().json().flatten_event(true).with_max_level(level).with_current_span(false).init();
}
