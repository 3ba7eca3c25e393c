use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use futures_util::stream;
use http_server::now_millis;

use super::{
    call::{Call, Scope},
    control,
    event::Event,
    fault::Failure,
    sns::{is_emulated, resource},
    state::App,
    xml,
};

/// Maximum size of a call of the query protocol in bytes. Messages have at most 256 KB.
const MAX_CALL: usize = 8 << 20;

/// The routes of the emulator.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/_phones", get(control::phones).delete(control::reset))
        .route("/_phones/notifications", get(control::notifications))
        .route("/_phones/unshown", get(control::undisplayed))
        .route("/_phones/endpoints", get(control::endpoints))
        .route("/_phones/faults", get(control::faults).post(control::inject_fault).delete(control::clear_faults))
        .route("/_phones/{token}", get(control::phone).put(control::register_phone))
        .route("/_phones/{token}/reach", put(control::set_reachability))
        .route("/_phones/{token}/disable", post(control::disable_endpoints))
        .fallback(aws)
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

/// Handles an AWS request: emulates it or forwards it.
async fn aws(State(app): State<Arc<App>>, request: Request) -> Response {
    if !may_be_emulated(&request) {
        return app.forward(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_CALL).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match Call::parse(parts.uri.query().unwrap_or_default(), &body).filter(is_emulated) {
        Some(call) => handle(app, &parts, &body, &call).await,
        None => app.forward(Request::from_parts(parts, Body::from(body))).await,
    }
}

/// Whether this may be a call of SNS. The bodies of other calls are not parsed.
fn may_be_emulated(request: &Request) -> bool {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let authorization = text(header::AUTHORIZATION);
    request.method() == Method::POST
        && text(header::CONTENT_TYPE).starts_with("application/x-www-form-urlencoded")
        && (authorization.is_empty() || authorization.contains("/sns/aws4_request"))
}

async fn handle(app: Arc<App>, parts: &Parts, body: &Bytes, call: &Call) -> Response {
    let scope = Scope::of(&parts.headers);
    let resource = resource(call, &scope);
    if let Some(upstream) = &app.upstream
        && let Err(denied) = upstream.authorize(parts, body, &call.action, &resource).await
    {
        return denied;
    }
    let (result, is_lost) = {
        let mut sns = app.sns();
        let token = sns.token(call).map(str::to_owned);
        let fault = sns.faults.take(|fault| fault.matches(&call.action, token.as_deref()));
        if let Some(error) = fault.as_ref().and_then(|fault| fault.failure.error(&call.action, &resource)) {
            return xml::error(&error);
        }
        let is_lost = fault.is_some_and(|fault| fault.failure == Failure::LostAnswer);
        (sns.call(call, &scope, now_millis()), is_lost)
    };
    let response = match result {
        Ok(result) => {
            publish_events(&app, result.events);
            xml::result(&call.action, &result.elements)
        }
        Err(error) => xml::error(&error),
    };
    if is_lost { lost_response() } else { response }
}

/// Publishes events to topics in the background.
fn publish_events(app: &Arc<App>, events: Vec<Event>) {
    for event in events {
        let app = app.clone();
        tokio::spawn(async move {
            let Some(upstream) = &app.upstream else { return };
            let message = event.message.to_string();
            let call = [
                ("Action", "Publish"),
                ("Version", "2010-03-31"),
                ("TopicArn", event.topic.as_str()),
                ("Subject", event.subject.as_str()),
                ("Message", message.as_str()),
            ];
            if let Err(error) = upstream.admin.query("sns", &call).await {
                eprintln!("cannot publish to {}: {error:#}", event.topic);
            }
        });
    }
}

/// Closes the connection without a response: a body that fails before its first byte has this effect.
fn lost_response() -> Response {
    let aborted = stream::once(async { Err::<Bytes, _>(std::io::Error::other("injected fault")) });
    Response::new(Body::from_stream(aborted))
}
