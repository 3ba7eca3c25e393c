//! A page that tells and plays stories: a recording goes in as an app sends it, its waveform is drawn
//! from what the backend made of it, and its rendition is played from where clients fetch it.

use axum::{
    Router,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};

use crate::tools::Tool;

/// `GET /stories` and what it loads.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/stories", get(async || Html(include_str!("stories.html"))))
        .route("/stories/wavesurfer.js", get(wavesurfer))
}

/// wavesurfer.js (BSD 3-Clause), out of its npm package.
async fn wavesurfer() -> Response {
    let file = Tool::Player.folder().join("node_modules/wavesurfer.js/dist/wavesurfer.esm.js");
    match std::fs::read(&file) {
        Ok(script) => ([(header::CONTENT_TYPE, "text/javascript")], script).into_response(),
        Err(error) => (StatusCode::NOT_FOUND, format!("{}: {error}", file.display())).into_response(),
    }
}
