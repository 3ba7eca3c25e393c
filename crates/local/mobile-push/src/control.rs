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
    fault::{ActiveFault, FaultRequest},
    fcm::Phone,
    record::{Notification, Profile, Reachability, UndisplayedMessage},
    sns::Sns,
    state::App,
};

/// A phone and its displayed notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhoneSnapshot {
    /// FCM token.
    pub token: String,
    /// The profile.
    pub profile: Profile,
    /// The reachability.
    pub reach: Reachability,
    /// The displayed notifications, oldest first.
    pub screen: Vec<Notification>,
}

/// A platform endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointSnapshot {
    /// The ARN.
    pub endpoint_arn: String,
    /// ARN of the platform application.
    pub application_arn: String,
    /// FCM token.
    pub token: String,
    /// Whether SNS delivers to the endpoint.
    pub enabled: bool,
    /// `CustomUserData`.
    pub custom_user_data: String,
}

/// Events and the sequence number of the latest event of any kind.
#[derive(Debug, Serialize, Deserialize)]
pub struct EventList<T> {
    /// Sequence number of the latest event.
    pub head: u64,
    /// The events, oldest first.
    pub items: Vec<T>,
}

/// The reachability of a phone.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReachabilityJson {
    /// The reachability.
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
    phone_response(&app, &token)
}

pub async fn register_phone(State(app): State<Arc<App>>, Path(token): Path<String>, body: Bytes) -> Response {
    match parse::<Profile>(&body) {
        Ok(profile) => {
            app.sns().fcm.register_phone(&token, profile);
            phone_response(&app, &token)
        }
        Err(error) => error.into_response(),
    }
}

pub async fn set_reachability(State(app): State<Arc<App>>, Path(token): Path<String>, body: Bytes) -> Response {
    match parse::<ReachabilityJson>(&body) {
        Ok(ReachabilityJson { reach }) => {
            app.sns().fcm.set_reachability(&token, reach, now_millis());
            phone_response(&app, &token)
        }
        Err(error) => error.into_response(),
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
    active_faults(&app)
}

pub async fn inject_fault(State(app): State<Arc<App>>, body: Bytes) -> Response {
    match parse::<FaultRequest>(&body) {
        Ok(request) => {
            app.sns().faults.inject(request);
            active_faults(&app)
        }
        Err(error) => error.into_response(),
    }
}

pub async fn clear_faults(State(app): State<Arc<App>>) -> Response {
    app.sns().faults.clear();
    active_faults(&app)
}

pub async fn reset(State(app): State<Arc<App>>) -> Response {
    let mut sns = app.sns();
    sns.fcm.reset();
    sns.faults.clear();
    all_phones(&sns)
}

fn all_phones(sns: &Sns) -> Response {
    let phones: Vec<_> = sns.fcm.phones().iter().map(|(token, phone)| snapshot(token, phone)).collect();
    json_response(StatusCode::OK, &phones)
}

fn phone_response(app: &App, token: &str) -> Response {
    match app.sns().fcm.phones().get(token) {
        Some(phone) => json_response(StatusCode::OK, &snapshot(token, phone)),
        None => (StatusCode::NOT_FOUND, "unknown phone").into_response(),
    }
}

fn snapshot(token: &str, phone: &Phone) -> PhoneSnapshot {
    let screen = phone.screen.iter().map(|shown| Notification::clone(shown)).collect();
    PhoneSnapshot { token: token.to_owned(), profile: phone.profile.clone(), reach: phone.reach, screen }
}

fn endpoints_of(app: &App, matches: impl Fn(&EndpointSnapshot) -> bool) -> Response {
    let sns = app.sns();
    let snapshots = sns.registry.endpoints().map(|(arn, endpoint)| EndpointSnapshot {
        endpoint_arn: arn.to_owned(),
        application_arn: endpoint.application.clone(),
        token: endpoint.token.clone(),
        enabled: endpoint.enabled,
        custom_user_data: endpoint.user_data.clone(),
    });
    json_response(StatusCode::OK, &snapshots.filter(matches).collect::<Vec<_>>())
}

fn active_faults(app: &App) -> Response {
    let sns = app.sns();
    let faults: &[ActiveFault] = sns.faults.all();
    json_response(StatusCode::OK, &faults)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}
