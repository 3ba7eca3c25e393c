//! A page that uploads and plays stories. It uses the API as an app does: presigned uploads, the waveform of the media
//! item, and renditions from the CDN.

use axum::{
    Router,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};

use crate::tools::Tool;

/// `GET /stories` and its script.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/stories", get(async || Html(include_str!("stories.html"))))
        .route("/stories/wavesurfer.js", get(wavesurfer))
}

/// wavesurfer.js (BSD 3-Clause) from its npm package.
async fn wavesurfer() -> Response {
    let file = Tool::Player.folder().join("node_modules/wavesurfer.js/dist/wavesurfer.esm.js");
    match std::fs::read(&file) {
        Ok(script) => ([(header::CONTENT_TYPE, "text/javascript")], script).into_response(),
        Err(error) => (StatusCode::NOT_FOUND, format!("{}: {error}", file.display())).into_response(),
    }
}
