use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use http_server::{json_response, now_millis};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    fault::{FaultRequest, ActiveFault},
    http::App,
    fcm::Phone,
    record::{Notification, Profile, Reachability, UndisplayedMessage},
    sns::Sns,
};

/// A phone and what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhoneSnapshot {
    /// Its token.
    pub token: String,
    /// How it is set up.
    pub profile: Profile,
    /// Whether it can be reached.
    pub reach: Reachability,
    /// What it shows, the oldest first.
    pub screen: Vec<Notification>,
}

/// A platform endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointSnapshot {
    /// Its ARN.
    pub endpoint_arn: String,
    /// The ARN of its application.
    pub application_arn: String,
    /// The token of the app on a device.
    pub token: String,
    /// Whether publishing to it is tried.
    pub enabled: bool,
    /// What its maker noted on it.
    pub custom_user_data: String,
}

/// Things that happened, and the number of the last one of any kind.
#[derive(Debug, Serialize, Deserialize)]
pub struct EventList<T> {
    /// The number.
    pub head: u64,
    /// The things, the oldest first.
    pub items: Vec<T>,
}

/// Whether a phone can be reached.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReachabilityJson {
    /// Whether.
    pub reach: Reachability,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    #[serde(default)]
    since: u64,
}

pub async fn phones(State(app): State<Arc<App>>) -> Response {
    all_phones(&app.sns())
}

pub async fn phone(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    shown(&app, &token)
}

pub async fn register_phone(State(app): State<Arc<App>>, Path(token): Path<String>, body: Bytes) -> Response {
    match parse::<Profile>(&body) {
        Ok(profile) => {
            app.sns().fcm.register_phone(&token, profile);
            shown(&app, &token)
        }
        Err(problem) => problem.into_response(),
    }
}

pub async fn set_reachability(State(app): State<Arc<App>>, Path(token): Path<String>, body: Bytes) -> Response {
    match parse::<ReachabilityJson>(&body) {
        Ok(ReachabilityJson { reach }) => {
            app.sns().fcm.set_reachability(&token, reach, now_millis());
            shown(&app, &token)
        }
        Err(problem) => problem.into_response(),
    }
}

pub async fn disable_endpoints(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let mut sns = app.sns();
    let endpoints = sns.registry.endpoints().filter(|(_, endpoint)| endpoint.token == token);
    for arn in endpoints.map(|(arn, _)| arn.to_owned()).collect::<Vec<_>>() {
        sns.registry.disable(&arn);
    }
    drop(sns);
    endpoints_of(&app, |endpoint| endpoint.token == token)
}

pub async fn endpoints(State(app): State<Arc<App>>) -> Response {
    endpoints_of(&app, |_| true)
}

pub async fn notifications(State(app): State<Arc<App>>, Query(Since { since }): Query<Since>) -> Response {
    let sns = app.sns();
    let items: Vec<_> = sns.fcm.notifications(since).collect();
    json_response(StatusCode::OK, &EventList::<&Notification> { head: sns.fcm.head(), items })
}

pub async fn undisplayed(State(app): State<Arc<App>>, Query(Since { since }): Query<Since>) -> Response {
    let sns = app.sns();
    let items: Vec<_> = sns.fcm.undisplayed(since).collect();
    json_response(StatusCode::OK, &EventList::<&UndisplayedMessage> { head: sns.fcm.head(), items })
}

pub async fn faults(State(app): State<Arc<App>>) -> Response {
    standing(&app)
}

pub async fn inject_fault(State(app): State<Arc<App>>, body: Bytes) -> Response {
    match parse::<FaultRequest>(&body) {
        Ok(order) => {
            app.sns().faults.inject(request);
            standing(&app)
        }
        Err(problem) => problem.into_response(),
    }
}

pub async fn clear_faults(State(app): State<Arc<App>>) -> Response {
    app.sns().faults.clear();
    standing(&app)
}

pub async fn reset(State(app): State<Arc<App>>) -> Response {
    let mut sns = app.sns();
    sns.fcm.reset();
    sns.faults.clear();
    all_phones(&sns)
}

fn all_phones(sns: &Sns) -> Response {
    let phones: Vec<_> = sns.fcm.phones().iter().map(|(token, phone)| copy(token, phone)).collect();
    json_response(StatusCode::OK, &phones)
}

fn shown(app: &App, token: &str) -> Response {
    match app.sns().fcm.phones().get(token) {
        Some(phone) => json_response(StatusCode::OK, &copy(token, phone)),
        None => (StatusCode::NOT_FOUND, "no such phone").into_response(),
    }
}

fn copy(token: &str, phone: &Phone) -> PhoneSnapshot {
    let screen = phone.screen.iter().map(|shown| Notification::clone(shown)).collect();
    PhoneSnapshot { token: token.to_owned(), profile: phone.profile.clone(), reach: phone.reach, screen }
}

fn endpoints_of(app: &App, is_meant: impl Fn(&EndpointSnapshot) -> bool) -> Response {
    let sns = app.sns();
    let copies = sns.registry.endpoints().map(|(arn, endpoint)| EndpointSnapshot {
        endpoint_arn: arn.to_owned(),
        application_arn: endpoint.application.clone(),
        token: endpoint.token.clone(),
        enabled: endpoint.enabled,
        custom_user_data: endpoint.user_data.clone(),
    });
    json_response(StatusCode::OK, &copies.filter(is_meant).collect::<Vec<_>>())
}

fn standing(app: &App) -> Response {
    let sns = app.sns();
    let standing: &[ActiveFault] = sns.faults.all();
    json_response(StatusCode::OK, &standing)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}
