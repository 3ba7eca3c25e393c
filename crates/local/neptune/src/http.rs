use std::{
    io::Write as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::Response,
    routing::{get, post},
};
use flate2::{Compression, write::GzEncoder};
use http_server::{bytes, json, now};

use super::{answers::Problem, control, database::Database, open_cypher, query, signature};

/// What the routes share.
pub struct App {
    database: Mutex<Database>,
    requires_signature: bool,
    next_request: AtomicU64,
}

impl App {
    /// Serves `database`.
    pub fn new(database: Database, requires_signature: bool) -> Self {
        Self { database: Mutex::new(database), requires_signature, next_request: AtomicU64::new(1) }
    }

    /// The database, for a moment.
    pub fn database(&self) -> MutexGuard<'_, Database> {
        // No operation of the database leaves it in pieces when it panics.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer that is no success.
    pub fn refuse(&self, problem: impl Into<Problem>) -> Response {
        let id = self.next_request.fetch_add(1, Ordering::Relaxed);
        problem.into().into_response(format!("00000000-0000-0000-0000-{id:012}"))
    }
}

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/propertygraph/stream", get(stream))
        .route("/pg/stream", get(stream))
        .route("/opencypher", post(ask))
        .route("/emulator/commit", post(control::commit))
        .route("/emulator/head", get(control::head))
        .route("/emulator/graph", get(control::graph))
        .route("/emulator/trim", post(control::trim))
        .route("/emulator/reset", post(control::reset))
        .route("/emulator/faults", get(control::faults).post(control::order_fault).delete(control::clear_faults))
        .fallback(unknown)
        // A bulk load comes in one commit.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

async fn unknown(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let message = format!("there is nothing at {}", uri.path());
    app.refuse(Problem::new(StatusCode::NOT_FOUND, "BadRequestException", message))
}

async fn stream(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Response {
    if app.requires_signature
        && let Err(problem) = signature::check(&headers)
    {
        return app.refuse(problem);
    }
    let request = match query::parse(uri.query().unwrap_or_default()) {
        Ok(request) => request,
        Err(problem) => return app.refuse(problem),
    };
    let answer = app.database().read(&request, now());
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    match answer.page {
        Ok(page) if accepts_gzip(&headers) => compressed(&app, page).await,
        Ok(page) => bytes(StatusCode::OK, page),
        Err(refusal) => app.refuse(refusal),
    }
}

async fn ask(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    if app.requires_signature
        && let Err(problem) = signature::check(&headers)
    {
        return app.refuse(problem);
    }
    let answer = open_cypher::Question::parse(&body).and_then(|question| question.answer(app.database().graph()));
    match answer {
        Ok(results) => json(StatusCode::OK, &results),
        Err(problem) => app.refuse(problem),
    }
}

/// Whether the client wants gzip: named, and not with a weight of zero.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|weight| weight.parse::<f32>().ok());
        is_gzip && weight != Some(0.0)
    })
}

async fn compressed(app: &App, page: Vec<u8>) -> Response {
    // 10 MB take a while: others are answered meanwhile.
    let compressed = tokio::task::spawn_blocking(move || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 8), Compression::fast());
        encoder.write_all(&page)?;
        encoder.finish()
    });
    match compressed.await.map_err(anyhow::Error::new).and_then(|page| Ok(page?)) {
        Ok(page) => {
            let mut response = bytes(StatusCode::OK, page);
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        Err(error) => app.refuse(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_named_and_not_refused() {
        let accepts = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            accepts_gzip(&headers)
        };
        assert!(["gzip", "br, GZIP;q=0.5", "gzip, deflate"].into_iter().all(accepts));
        assert!(!["", "identity", "gzip;q=0", "xgzip"].into_iter().any(accepts));
    }
}
