use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::{
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{sns::Sns, upstream::Upstream};

/// State shared by the routes.
pub struct App {
    sns: Mutex<Sns>,
    pub upstream: Option<Upstream>,
}

impl App {
    /// The state for serving `sns` and forwarding all other calls to `upstream`.
    pub fn new(sns: Sns, upstream: Option<Upstream>) -> Self {
        Self { sns: Mutex::new(sns), upstream }
    }

    /// Locks the emulated SNS.
    pub fn sns(&self) -> MutexGuard<'_, Sns> {
        // A panic in an operation leaves no partial state.
        self.sns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forwards a request to the upstream emulator.
    pub async fn forward(&self, request: Request) -> Response {
        match &self.upstream {
            Some(upstream) => upstream.forward(request).await,
            None => (StatusCode::NOT_IMPLEMENTED, "no upstream emulator is configured").into_response(),
        }
    }
}
