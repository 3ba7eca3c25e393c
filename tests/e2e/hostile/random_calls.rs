//! Random calls of the API by random people, compared with the model.

use std::collections::{BTreeMap, BTreeSet};

use domain::media::MediaId;
use http::Method;
use serde_json::{Value, json};
use stack::users::User;
use test_support::wait::wait_until;

use super::model::{Item, Model, Person, State};
use crate::{
    access_table::VISIBILITIES,
    deployed::{Deployed, Response},
    seeded_random::SeededRandom,
};

/// The highest number of deletions: each takes a moment.
const DELETIONS: usize = 4;

/// The highest number of changes of visibility, which take as long.
const CHANGES: usize = 4;

const KINDS: [&str; 3] = ["photo", "audio", "avatar"];
pub const POSTS: [&str; 2] = ["story-1", "story-2"];
const DEVICES: [&str; 3] = ["phone", "tablet", "phone.2"];

/// The SHA-256 of an empty file.
const CHECKSUM: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/// The people, the model, and the ids, cursors and handles that calls have returned.
pub struct RandomCalls<'a> {
    pub deployed: &'a Deployed,
    pub people: &'a [User],
    pub model: Model,
    pub random: SeededRandom,
    /// Ids of media, uploads, devices and people, and ids of nothing.
    pub ids: Vec<String>,
    /// Caller, path without the cursor, and cursor.
    pub cursors: Vec<(Person, String, String)>,
    /// Uploads in parts: caller, id and handle.
    pub handles: Vec<(Person, String, String)>,
    /// The number of calls of each operation, by status.
    pub counts: BTreeMap<(String, u16), usize>,
    pub deletions: usize,
    pub changes: usize,
}

impl RandomCalls<'_> {
    /// Makes one or more calls as a random person.
    pub async fn step(&mut self) {
        let person = self.random.below(self.people.len());
        match self.random.below(19) {
            0..3 => self.item(person).await,
            3..5 => self.batch(person).await,
            5..8 => self.list(person).await,
            8 => self.cursor(person).await,
            9..11 => self.delete(person).await,
            11 => self.upload(person).await,
            12 => self.handle(person).await,
            13 => self.device(person).await,
            14 => self.preferences(person).await,
            15 => self.notifications(person).await,
            16 => self.visibility(person).await,
            17 => self.report(person).await,
            _ => self.search(person).await,
        }
    }

    /// Calls the API as `person`. No response is a server error or contains data of other people.
    async fn call(&mut self, person: Person, route: &str, path: &str, body: Option<&Value>) -> Response {
        self.call_with_headers(person, route, path, &[], body).await
    }

    async fn call_with_headers(
        &mut self,
        person: Person,
        route: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Response {
        let method: Method = route.split(' ').next().and_then(|method| method.parse().ok()).expect("method");
        let response = self.deployed.request_with_headers(&self.people[person], method, path, headers, body).await;
        *self.counts.entry((route.to_owned(), response.status)).or_default() += 1;
        let row = format!("{} calls {route} {path} {body:?}: {response:?}", self.people[person].name);
        assert!(response.status < 500, "{row}");
        let text = response.body.to_string();
        for (other, user) in self.people.iter().enumerate() {
            // Only the owner gets file names, and no response has tokens.
            assert!(other == person || !text.contains(&file_name(user)), "{row}");
            assert!(!text.contains(&push_token(user)) && !text.contains(&user.access_token), "{row}");
        }
        response
    }

    fn any_id(&mut self) -> String {
        self.random.pick(&self.ids).clone()
    }

    async fn item(&mut self, person: Person) {
        let id = self.any_id();
        let expected = id.parse().map_or(404, |id| self.model.get(person, id));
        let response = self.call(person, "GET /v1/media/{id}", &format!("/v1/media/{id}"), None).await;
        assert_eq!(response.status, expected, "{person} {id}: {response:?}");
        if expected == 200 {
            let item = &self.model.items[&id.parse().expect("id")];
            assert_eq!(response.body["owner"], self.people[item.owner].id.as_str());
            assert_eq!(response.body["visibility"], item.visibility);
        }
    }

    async fn batch(&mut self, person: Person) {
        let ids: Vec<MediaId> = (0..6).filter_map(|_| self.any_id().parse().ok()).collect();
        let body = json!({"ids": ids});
        let response = self.call(person, "POST /v1/media/batch", "/v1/media/batch", Some(&body)).await;
        if ids.is_empty() {
            assert_eq!(response.status, 400);
            return;
        }
        let mut seen = BTreeSet::new();
        let expected: Vec<_> =
            ids.into_iter().filter(|id| seen.insert(*id) && self.model.is_in_batch(person, *id)).collect();
        assert_eq!(ids_of(&response.body), expected, "{person}");
    }

    /// Reads a whole list, page by page.
    async fn list(&mut self, person: Person) {
        let owner = self.random.below(self.people.len());
        let (kind, post) = match self.random.below(3) {
            0 => (None, None),
            1 => (Some(*self.random.pick(&KINDS)), None),
            _ => (None, Some(*self.random.pick(&POSTS))),
        };
        let mut path = format!("/v1/media?owner={}", self.people[owner].id);
        path.extend(kind.map(|kind| format!("&kind={kind}")));
        path.extend(post.map(|post| format!("&post={post}")));
        let order = *self.random.pick(&["", "&order=oldest"]);
        path.push_str(order);
        let limit = 1 + self.random.below(7);
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.call(person, "GET /v1/media", &format!("{path}&limit={limit}{cursor}"), None).await;
            assert_eq!(page.status, 200, "{page:?}");
            found.extend(ids_of(&page.body));
            let Some(next) = page.body["next"].as_str() else { break };
            self.cursors.push((person, path.clone(), next.to_owned()));
            cursor = format!("&cursor={next}");
        }
        found.sort();
        let expected = self.model.listed(person, owner, kind, post);
        assert_eq!(found, expected, "{person} lists {path}");
    }

    /// Uses a cursor as another person, in another list, and in a search.
    async fn cursor(&mut self, person: Person) {
        if self.cursors.is_empty() {
            return;
        }
        let (owner, path, cursor) = self.random.pick(&self.cursors).clone();
        let (_, other_path, _) = self.random.pick(&self.cursors).clone();
        let same_list = self.call(person, "GET /v1/media", &format!("{path}&cursor={cursor}"), None).await;
        let other_list = self.call(owner, "GET /v1/media", &format!("{other_path}&cursor={cursor}"), None).await;
        let search = self.call(owner, "GET /v1/search", &format!("/v1/search?q=a&cursor={cursor}"), None).await;
        let expected = |is_valid: bool| if is_valid { 200 } else { 400 };
        assert_eq!(same_list.status, expected(person == owner), "{same_list:?}");
        assert_eq!(other_list.status, expected(path == other_path), "{other_list:?}");
        assert_eq!(search.status, 400, "{search:?}");
    }

    async fn delete(&mut self, person: Person) {
        let id = self.any_id();
        let expected = id.parse().map_or(404, |id| self.model.delete(person, id));
        if expected == 204 && self.deletions == DELETIONS {
            return;
        }
        let path = format!("/v1/media/{id}");
        let response = self.call(person, "DELETE /v1/media/{id}", &path, None).await;
        assert_eq!(response.status, expected, "{person} {id}: {response:?}");
        if expected == 204 {
            self.deletions += 1;
            let owner = &self.people[person];
            wait_until("the deletion", async || self.deployed.get(owner, &path).await.status == 404).await;
            let item = self.model.items.get_mut(&id.parse().expect("id")).expect("item");
            item.state = State::Deleted;
        }
    }

    /// Changes who may see an item. Others than the owner change nothing, whatever they may see.
    async fn visibility(&mut self, person: Person) {
        let (id, visibility) = (self.any_id(), *self.random.pick(&VISIBILITIES));
        let media_id: Option<MediaId> = id.parse().ok();
        let expected = media_id.map_or(404, |id| self.model.delete(person, id));
        if expected == 204 && self.changes == CHANGES {
            return;
        }
        let (path, body) = (format!("/v1/media/{id}"), json!({"visibility": visibility}));
        let route = "PUT /v1/media/{id}/visibility";
        let response = self.call(person, route, &format!("{path}/visibility"), Some(&body)).await;
        assert_eq!(response.status, expected, "{person} {id}: {response:?}");
        if let Some(id) = media_id.filter(|_| expected == 204) {
            self.changes += 1;
            let owner = &self.people[person];
            wait_until("the visibility", async || {
                let item = self.deployed.get(owner, &path).await.body;
                item["visibility"] == visibility && item["state"] != "processing"
            })
            .await;
            self.model.items.get_mut(&id).expect("item").visibility = visibility;
        }
    }

    /// Reports an item, which only who sees it can.
    async fn report(&mut self, person: Person) {
        let id = self.any_id();
        let parsed: Option<MediaId> = id.parse().ok();
        // An id of nothing is no media id.
        let expected = parsed.map_or(400, |id| self.model.report(person, id));
        let body = json!({"mediaId": id, "reason": "other", "text": file_name(&self.people[person])});
        let response = self.call(person, "POST /v1/reports", "/v1/reports", Some(&body)).await;
        assert_eq!(response.status, expected, "{person} {id}: {response:?}");
        if let Some(reported) = response.body["id"].as_str() {
            let same = self.call(person, "POST /v1/reports", "/v1/reports", Some(&body)).await;
            assert_eq!(same.body["id"], reported, "a person has two reports of an item");
        }
    }

    /// Declares an upload. All people use the same idempotency keys, and have separate uploads.
    async fn upload(&mut self, person: Person) {
        let visibility = *self.random.pick(&VISIBILITIES);
        let size = *self.random.pick(&[100_u64, 100 << 20]);
        let body = json!({
            "kind": "audio", "contentType": "audio/mp4", "size": size,
            "checksum": CHECKSUM, "visibility": visibility,
            "fileName": file_name(&self.people[person]),
        });
        // The key includes the values that vary: one key with two declarations would be refused.
        let key = format!("{}-{visibility}-{size}", self.random.below(2));
        let headers = [("idempotency-key", key.as_str())];
        let response = self.call_with_headers(person, "POST /v1/uploads", "/v1/uploads", &headers, Some(&body)).await;
        assert_eq!(response.status, 201, "{response:?}");
        let media_id: MediaId = response.body["mediaId"].as_str().and_then(|id| id.parse().ok()).expect("id");
        let item = Item { owner: person, visibility, kind: "audio", post: None, state: State::Pending };
        let declared = self.model.items.entry(media_id).or_insert(item);
        assert_eq!(declared.owner, person, "two people have the same upload");
        let id = response.body["id"].as_str().expect("id").to_owned();
        self.handles.extend(response.body["handle"].as_str().map(|handle| (person, id.clone(), handle.to_owned())));
        self.ids.extend([media_id.to_string(), id]);
    }

    /// Uses a handle as another person, and with another upload.
    async fn handle(&mut self, person: Person) {
        if self.handles.is_empty() {
            return;
        }
        let (owner, own_id, handle) = self.random.pick(&self.handles).clone();
        let id = if self.random.below(2) == 0 { own_id.clone() } else { self.any_id() };
        let is_own = person == owner && id == own_id;
        let state = self.call(person, "GET /v1/uploads/{handle}", &format!("/v1/uploads/{handle}"), None).await;
        assert_eq!(state.status, if person == owner { 200 } else { 400 }, "{state:?}");
        let parts = json!({"handle": handle, "parts": [{"number": 1, "checksum": CHECKSUM}]});
        let signed =
            self.call(person, "POST /v1/uploads/{id}/parts", &format!("/v1/uploads/{id}/parts"), Some(&parts)).await;
        let complete = json!({"handle": handle});
        let path = format!("/v1/uploads/{id}/complete");
        let completed = self.call(person, "POST /v1/uploads/{id}/complete", &path, Some(&complete)).await;
        if is_own {
            assert_eq!((signed.status, completed.status), (200, 409), "{signed:?} {completed:?}");
        } else {
            assert!(matches!((signed.status, completed.status), (400, 400) | (404, 404)), "{signed:?} {completed:?}");
        }
    }

    /// Uses a device. All people use the same device ids, and have separate devices.
    async fn device(&mut self, person: Person) {
        let id = *self.random.pick(&DEVICES);
        let path = format!("/v1/devices/{id}");
        match self.random.below(4) {
            0 => {
                let platform = *self.random.pick(&["android", "ios"]);
                let token = format!("{}-{id}", push_token(&self.people[person]));
                let body = json!({"token": token, "platform": platform});
                let response = self.call(person, "PUT /v1/devices/{id}", &path, Some(&body)).await;
                assert_eq!(response.status, 200, "{response:?}");
                self.model.devices.insert((person, id.to_owned()), platform.to_owned());
            }
            1 => {
                let response = self.call(person, "DELETE /v1/devices/{id}", &path, None).await;
                assert_eq!(response.status, 204, "{response:?}");
                self.model.devices.remove(&(person, id.to_owned()));
            }
            2 => {
                let expected = self.model.devices.get(&(person, id.to_owned())).cloned();
                let response = self.call(person, "GET /v1/devices/{id}", &path, None).await;
                assert_eq!(response.status == 200, expected.is_some(), "{response:?}");
                assert_eq!(response.body["platform"].as_str(), expected.as_deref());
            }
            _ => {
                let response = self.call(person, "GET /v1/devices", "/v1/devices", None).await;
                let shown = response.body["items"].as_array().expect("items").iter();
                let shown: BTreeMap<_, _> =
                    shown.filter_map(|item| item["id"].as_str().zip(item["platform"].as_str())).collect();
                assert_eq!(shown, self.model.devices_of(person));
            }
        }
    }

    async fn preferences(&mut self, person: Person) {
        let path = "/v1/notification-preferences";
        if self.random.below(2) == 0 {
            let muted = *self.random.pick(&["likes", "replies", "mentions"]);
            let body = json!({"muted": [muted], "hideContent": self.random.below(2) == 0});
            let response = self.call(person, &format!("PUT {path}"), path, Some(&body)).await;
            assert_eq!((response.status, &response.body), (200, &body));
            self.model.preferences.insert(person, body);
        }
        let response = self.call(person, &format!("GET {path}"), path, None).await;
        assert_eq!(response.body, self.model.preferences_of(person));
    }

    /// Reads the inbox, which holds follows of this person only, and marks it as read.
    async fn notifications(&mut self, person: Person) {
        let response = self.call(person, "GET /v1/notifications", "/v1/notifications", None).await;
        let people = self.people;
        let number = |id: &Value| people.iter().position(|user| id == user.id.as_str());
        for item in response.items() {
            let follower = number(&item["actors"][0]["id"]).expect("a person");
            assert_eq!((&item["rule"], number(&item["target"])), (&json!("follow"), Some(person)), "{item}");
            assert!(self.model.may_notify(follower, person), "{person}: {item}");
        }
        let through = *self.random.pick(&["2026-01-01T00:00:00Z", "2999-01-01T00:00:00Z"]);
        let body = json!({"through": through});
        let route = "PUT /v1/notifications/read";
        let read = self.call(person, route, "/v1/notifications/read", Some(&body)).await;
        assert_eq!(read.status, 200, "{read:?}");
        assert!(through < "2900" || read.body["unread"] == 0, "{read:?}");
    }

    /// Asks for a copy of everything about a person, which no other person sees.
    pub async fn export(&mut self, person: Person) {
        let begun = self.call(person, "POST /v1/me/exports", "/v1/me/exports", None).await;
        assert_eq!(begun.status, 202, "{begun:?}");
        let path = format!("/v1/me/exports/{}", begun.body["id"].as_str().expect("an id"));
        for other in 0..self.people.len() {
            let export = self.call(other, "GET /v1/me/exports/{id}", &path, None).await;
            assert_eq!(export.status, if other == person { 200 } else { 404 }, "{other}: {export:?}");
        }
    }

    /// Erases the account of a person, and no other.
    pub async fn erase(&mut self, person: Person) {
        let erased = self.call(person, "DELETE /v1/me", "/v1/me", None).await;
        assert_eq!(erased.status, 202, "{erased:?}");
        for other in 0..self.people.len() {
            let progress = self.call(other, "GET /v1/me/erasure", "/v1/me/erasure", None).await;
            assert_eq!(progress.status, if other == person { 200 } else { 404 }, "{other}: {progress:?}");
        }
    }

    /// Searches for a file name, which is not indexed.
    async fn search(&mut self, person: Person) {
        let other = &self.people[self.random.below(self.people.len())];
        let query = format!("?q={}", file_name(other));
        for route in ["GET /v1/search", "GET /v1/search/suggestions"] {
            let path = format!("{}{query}", route.trim_start_matches("GET "));
            let response = self.call(person, route, &path, None).await;
            assert!(response.status == 200 && response.items().is_empty(), "{response:?}");
        }
        let response = self.call(person, "GET /v1/openapi.json", "/v1/openapi.json", None).await;
        assert_eq!(response.status, 200);
    }
}

/// The name of all files of a person.
pub fn file_name(user: &User) -> String {
    format!("name-of-{}", user.id)
}

/// The prefix of the push tokens of a person's devices.
fn push_token(user: &User) -> String {
    format!("token-of-{}", user.id)
}

fn ids_of(body: &Value) -> Vec<MediaId> {
    let items = body["items"].as_array().expect("items").iter();
    items.map(|item| item["id"].as_str().and_then(|id| id.parse().ok()).expect("id")).collect()
}
