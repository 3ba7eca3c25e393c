use std::{io::Write as _, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::Response,
    routing::{get, post},
};
use flate2::{Compression, write::GzEncoder};
use http_server::{json_bytes_response, json_response, now_millis};

use super::{control, error_response::ErrorResponse, open_cypher, query, signature, state::App};

/// The routes of the emulator.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/propertygraph/stream", get(stream))
        .route("/pg/stream", get(stream))
        .route("/opencypher", post(open_cypher))
        .route("/emulator/commit", post(control::commit))
        .route("/emulator/head", get(control::head))
        .route("/emulator/graph", get(control::graph))
        .route("/emulator/trim", post(control::trim))
        .route("/emulator/reset", post(control::reset))
        .route("/emulator/faults", get(control::faults).post(control::inject_fault).delete(control::clear_faults))
        .fallback(unknown)
        // Bulk loads are single commits.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

async fn unknown(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let message = format!("no route {}", uri.path());
    app.error(ErrorResponse::new(StatusCode::NOT_FOUND, "BadRequestException", message))
}

async fn stream(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Response {
    if app.requires_signature
        && let Err(error) = signature::check(&headers)
    {
        return app.error(error);
    }
    let request = match query::parse(uri.query().unwrap_or_default()) {
        Ok(request) => request,
        Err(error) => return app.error(error),
    };
    let read = app.database().read(&request, now_millis());
    if !read.delay.is_zero() {
        tokio::time::sleep(read.delay).await;
    }
    match read.page {
        Ok(page) if accepts_gzip(&headers) => compressed(&app, page).await,
        Ok(page) => json_bytes_response(StatusCode::OK, page),
        Err(error) => app.error(error),
    }
}

async fn open_cypher(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    if app.requires_signature
        && let Err(error) = signature::check(&headers)
    {
        return app.error(error);
    }
    let results = open_cypher::KnownQuery::parse(&body).and_then(|query| query.run(app.database().graph()));
    match results {
        Ok(results) => json_response(StatusCode::OK, &results),
        Err(error) => app.error(error),
    }
}

/// Whether the client accepts gzip with a weight other than 0.
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
    // Compressing 10 MB blocks the thread for too long.
    let compressed = tokio::task::spawn_blocking(move || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 8), Compression::fast());
        encoder.write_all(&page)?;
        encoder.finish()
    });
    match compressed.await.map_err(anyhow::Error::new).and_then(|page| Ok(page?)) {
        Ok(page) => {
            let mut response = json_bytes_response(StatusCode::OK, page);
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        Err(error) => app.error(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_if_accepted_with_positive_weight() {
        let accepts = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            accepts_gzip(&headers)
        };
        assert!(["gzip", "br, GZIP;q=0.5", "gzip, deflate"].into_iter().all(accepts));
        assert!(!["", "identity", "gzip;q=0", "xgzip"].into_iter().any(accepts));
    }
}
