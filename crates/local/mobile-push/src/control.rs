use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use http_server::{json, now};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    fault::{Order, Standing},
    http::App,
    network::Phone,
    record::{Notification, Profile, Reach, Unshown},
    sns::Sns,
};

/// A phone and what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhoneCopy {
    /// Its token.
    pub token: String,
    /// How it is set up.
    pub profile: Profile,
    /// Whether it can be reached.
    pub reach: Reach,
    /// What it shows, the oldest first.
    pub screen: Vec<Notification>,
}

/// A platform endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointCopy {
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
pub struct Happened<T> {
    /// The number.
    pub head: u64,
    /// The things, the oldest first.
    pub items: Vec<T>,
}

/// Whether a phone can be reached.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReachJson {
    /// Whether.
    pub reach: Reach,
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

pub async fn set_up(State(app): State<Arc<App>>, Path(token): Path<String>, body: Bytes) -> Response {
    match parse::<Profile>(&body) {
        Ok(profile) => {
            app.sns().network.set_up(&token, profile);
            shown(&app, &token)
        }
        Err(problem) => problem.into_response(),
    }
}

pub async fn set_reach(State(app): State<Arc<App>>, Path(token): Path<String>, body: Bytes) -> Response {
    match parse::<ReachJson>(&body) {
        Ok(ReachJson { reach }) => {
            app.sns().network.set_reach(&token, reach, now());
            shown(&app, &token)
        }
        Err(problem) => problem.into_response(),
    }
}

pub async fn disable(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let mut sns = app.sns();
    let endpoints = sns.directory.endpoints().filter(|(_, endpoint)| endpoint.token == token);
    for arn in endpoints.map(|(arn, _)| arn.to_owned()).collect::<Vec<_>>() {
        sns.directory.disable(&arn);
    }
    drop(sns);
    endpoints_of(&app, |endpoint| endpoint.token == token)
}

pub async fn endpoints(State(app): State<Arc<App>>) -> Response {
    endpoints_of(&app, |_| true)
}

pub async fn notifications(State(app): State<Arc<App>>, Query(Since { since }): Query<Since>) -> Response {
    let sns = app.sns();
    let items: Vec<_> = sns.network.notifications(since).collect();
    json(StatusCode::OK, &Happened::<&Notification> { head: sns.network.head(), items })
}

pub async fn unshown(State(app): State<Arc<App>>, Query(Since { since }): Query<Since>) -> Response {
    let sns = app.sns();
    let items: Vec<_> = sns.network.unshown(since).collect();
    json(StatusCode::OK, &Happened::<&Unshown> { head: sns.network.head(), items })
}

pub async fn faults(State(app): State<Arc<App>>) -> Response {
    standing(&app)
}

pub async fn order_fault(State(app): State<Arc<App>>, body: Bytes) -> Response {
    match parse::<Order>(&body) {
        Ok(order) => {
            app.sns().faults.order(order);
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
    sns.network.reset();
    sns.faults.clear();
    all_phones(&sns)
}

fn all_phones(sns: &Sns) -> Response {
    let phones: Vec<_> = sns.network.phones().iter().map(|(token, phone)| copy(token, phone)).collect();
    json(StatusCode::OK, &phones)
}

fn shown(app: &App, token: &str) -> Response {
    match app.sns().network.phones().get(token) {
        Some(phone) => json(StatusCode::OK, &copy(token, phone)),
        None => (StatusCode::NOT_FOUND, "no such phone").into_response(),
    }
}

fn copy(token: &str, phone: &Phone) -> PhoneCopy {
    let screen = phone.screen.iter().map(|shown| Notification::clone(shown)).collect();
    PhoneCopy { token: token.to_owned(), profile: phone.profile.clone(), reach: phone.reach, screen }
}

fn endpoints_of(app: &App, is_meant: impl Fn(&EndpointCopy) -> bool) -> Response {
    let sns = app.sns();
    let copies = sns.directory.endpoints().map(|(arn, endpoint)| EndpointCopy {
        endpoint_arn: arn.to_owned(),
        application_arn: endpoint.application.clone(),
        token: endpoint.token.clone(),
        enabled: endpoint.enabled,
        custom_user_data: endpoint.user_data.clone(),
    });
    json(StatusCode::OK, &copies.filter(is_meant).collect::<Vec<_>>())
}

fn standing(app: &App) -> Response {
    let sns = app.sns();
    let standing: &[Standing] = sns.faults.all();
    json(StatusCode::OK, &standing)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}
