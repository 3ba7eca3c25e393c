use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use axum::response::Response;

use super::{database::Database, error_response::ErrorResponse};

/// State shared by the routes.
pub struct App {
    database: Mutex<Database>,
    /// Whether requests must have SigV4 headers.
    pub requires_signature: bool,
    next_request: AtomicU64,
}

impl App {
    /// The state for serving `database`.
    pub fn new(database: Database, requires_signature: bool) -> Self {
        Self { database: Mutex::new(database), requires_signature, next_request: AtomicU64::new(1) }
    }

    /// Locks the database.
    pub fn database(&self) -> MutexGuard<'_, Database> {
        // A panic in a database operation leaves no partial state.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error response with a new request id.
    pub fn error(&self, error: impl Into<ErrorResponse>) -> Response {
        let id = self.next_request.fetch_add(1, Ordering::Relaxed);
        error.into().into_response(format!("00000000-0000-0000-0000-{id:012}"))
    }
}
