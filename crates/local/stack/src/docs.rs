//! A server of two pages that call the API from another origin, as a web client does: Swagger UI with a form for signing
//! up and in, and a page that uploads and plays stories.
//!
//! ```text
//! GET  /docs            Swagger UI
//! GET  /docs/api.json   the base URL of the API
//! POST /docs/sign-up    {"email", "password"} → {"sub", "accessToken"}
//! POST /docs/sign-in    the same for an existing account
//! GET  /docs/{file}     files of Swagger UI
//! GET  /stories         the story page (`stories.rs`)
//! ```
//!
//! `cargo xtask docs` runs it as a process.

mod stories;

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http_server::{Server, json_response, serve_until_shutdown};
use serde::{Deserialize, Serialize};
use utoipa_swagger_ui::Config;

use crate::{stack::Stack, users::Users};

/// Arguments of `cargo xtask docs`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Port on 127.0.0.1; 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// State file of the stack. The stack can be deployed later.
    #[arg(long, value_name = "FILE")]
    stack: PathBuf,
}

/// Runs the server until SIGTERM or Ctrl-C: `cargo xtask docs`.
pub async fn run(arguments: Arguments) -> Result<()> {
    serve_until_shutdown(|| start(arguments), Server::endpoint).await
}

fn start(Arguments { port, stack }: Arguments) -> Result<Server> {
    let app = Arc::new(App { stack, swagger: Arc::new(Config::from("openapi.json")) });
    Server::start("docs", port, |_| {
        Router::new()
            .route("/", get(async || Redirect::temporary("/docs")))
            .route("/docs", get(async || Html(include_str!("docs/page.html"))))
            .route("/docs/api.json", get(api))
            .route("/docs/sign-up", post(sign_up))
            .route("/docs/sign-in", post(sign_in))
            .route("/docs/{file}", get(file))
            .merge(stories::routes())
            .with_state(app)
    })
}

struct App {
    stack: PathBuf,
    swagger: Arc<Config<'static>>,
}

#[derive(Serialize)]
struct Api {
    url: String,
}

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedIn {
    sub: String,
    access_token: String,
}

async fn api(State(app): State<Arc<App>>) -> Response {
    respond(Stack::load(&app.stack).and_then(|stack| Ok(Api { url: stack.api_url("")? })))
}

async fn sign_up(State(app): State<Arc<App>>, Json(credentials): Json<Credentials>) -> Response {
    respond(authenticate(&app, credentials, true).await)
}

async fn sign_in(State(app): State<Arc<App>>, Json(credentials): Json<Credentials>) -> Response {
    respond(authenticate(&app, credentials, false).await)
}

async fn authenticate(app: &App, Credentials { email, password }: Credentials, is_new: bool) -> Result<SignedIn> {
    let users = Users::from_stack(&Stack::load(&app.stack)?)?;
    if is_new {
        users.create(&email, &password).await?;
    }
    let tokens = users.sign_in(&email, &password).await?;
    Ok(SignedIn { sub: users.sub_from_token(&tokens.access).await?, access_token: tokens.access })
}

/// The value as JSON, or an error message for the page.
fn respond<T: Serialize>(result: Result<T>) -> Response {
    match result {
        Ok(value) => json_response(StatusCode::OK, &value),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    }
}

async fn file(State(app): State<Arc<App>>, Path(name): Path<String>) -> Response {
    match utoipa_swagger_ui::serve(&name, app.swagger.clone()) {
        Ok(Some(file)) => ([(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
