//! Any call by anybody about anything, and what the model says to it.

use std::collections::{BTreeMap, BTreeSet};

use domain::media::MediaId;
use http::Method;
use local::users::User;
use serde_json::{Value, json};

use crate::{
    model::{Item, Model, Person, State},
    support::{Answer, Deployed, chance::Chance, eventually},
};

/// An owner may delete so many items: each takes a moment.
const DELETIONS: usize = 4;

const KINDS: [&str; 3] = ["photo", "audio", "avatar"];
pub const POSTS: [&str; 2] = ["story-1", "story-2"];
const DEVICES: [&str; 3] = ["phone", "tablet", "phone.2"];

/// People, what is known of them, and what has been got hold of.
pub struct Matrix<'a> {
    pub deployed: &'a Deployed,
    pub people: &'a [User],
    pub model: Model,
    pub chance: Chance,
    /// All ids that anybody knows: of media, uploads and devices, and such as nobody has.
    pub ids: Vec<String>,
    /// With who got them, and the path that they continue.
    pub cursors: Vec<(Person, String, String)>,
    /// Uploads in parts: whose, their ids, their handles.
    pub handles: Vec<(Person, String, String)>,
    /// How often each operation was called, by status.
    pub calls: BTreeMap<(String, u16), usize>,
    pub deletions: usize,
}

impl Matrix<'_> {
    /// One call by somebody, held against the model.
    pub async fn step(&mut self) {
        let person = self.chance.below(self.people.len());
        match self.chance.below(16) {
            0..3 => self.item(person).await,
            3..5 => self.batch(person).await,
            5..8 => self.list(person).await,
            8 => self.cursor(person).await,
            9..11 => self.delete(person).await,
            11 => self.upload(person).await,
            12 => self.handle(person).await,
            13 => self.device(person).await,
            14 => self.preferences(person).await,
            _ => self.search(person).await,
        }
    }

    /// Asks as `person`. Whatever it is, it is no fault of ours, and says nothing that is not theirs.
    async fn ask(&mut self, person: Person, route: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask_with(person, route, path, &[], body).await
    }

    async fn ask_with(
        &mut self,
        person: Person,
        route: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let method: Method = route.split(' ').next().and_then(|method| method.parse().ok()).expect("a method");
        let answer = self.deployed.ask_with(&self.people[person], method, path, headers, body).await;
        *self.calls.entry((route.to_owned(), answer.status)).or_default() += 1;
        let row = format!("{} asks {route} {path} {body:?}: {answer:?}", self.people[person].name);
        assert!(answer.status < 500, "{row}");
        let text = answer.body.to_string();
        for (other, user) in self.people.iter().enumerate() {
            // Names of files are their owner's alone, and tokens are nobody's.
            assert!(other == person || !text.contains(&secret_name(user)), "{row}");
            assert!(!text.contains(&secret_token(user)) && !text.contains(&user.access_token), "{row}");
        }
        answer
    }

    fn any_id(&mut self) -> String {
        self.chance.one(&self.ids).clone()
    }

    async fn item(&mut self, person: Person) {
        let id = self.any_id();
        let wanted = id.parse().map_or(404, |id| self.model.get(person, id));
        let answer = self.ask(person, "GET /v1/media/{id}", &format!("/v1/media/{id}"), None).await;
        assert_eq!(answer.status, wanted, "{person} {id}: {answer:?}");
        if wanted == 200 {
            let item = &self.model.items[&id.parse().expect("an id")];
            assert_eq!(answer.body["owner"], self.people[item.owner].id.as_str());
            assert_eq!(answer.body["visibility"], item.visibility);
        }
    }

    async fn batch(&mut self, person: Person) {
        let ids: Vec<MediaId> = (0..6).filter_map(|_| self.any_id().parse().ok()).collect();
        let body = json!({"ids": ids});
        let answer = self.ask(person, "POST /v1/media/batch", "/v1/media/batch", Some(&body)).await;
        if ids.is_empty() {
            assert_eq!(answer.status, 400);
            return;
        }
        let mut seen = BTreeSet::new();
        let wanted: Vec<_> =
            ids.into_iter().filter(|id| seen.insert(*id) && self.model.is_in_batch(person, *id)).collect();
        assert_eq!(ids_of(&answer.body), wanted, "{person}");
    }

    /// A whole list, page by page.
    async fn list(&mut self, person: Person) {
        let owner = self.chance.below(self.people.len());
        let (kind, post) = match self.chance.below(3) {
            0 => (None, None),
            1 => (Some(*self.chance.one(&KINDS)), None),
            _ => (None, Some(*self.chance.one(&POSTS))),
        };
        let mut path = format!("/v1/media?owner={}", self.people[owner].id);
        path.extend(kind.map(|kind| format!("&kind={kind}")));
        path.extend(post.map(|post| format!("&post={post}")));
        let order = *self.chance.one(&["", "&order=oldest"]);
        path.push_str(order);
        let limit = 1 + self.chance.below(7);
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.ask(person, "GET /v1/media", &format!("{path}&limit={limit}{cursor}"), None).await;
            assert_eq!(page.status, 200, "{page:?}");
            found.extend(ids_of(&page.body));
            let Some(next) = page.body["next"].as_str() else { break };
            self.cursors.push((person, path.clone(), next.to_owned()));
            cursor = format!("&cursor={next}");
        }
        found.sort();
        let wanted = self.model.listed(person, owner, kind, post);
        assert_eq!(found, wanted, "{person} lists {path}");
    }

    /// A cursor goes on for whom and where it was made, and nowhere else.
    async fn cursor(&mut self, person: Person) {
        if self.cursors.is_empty() {
            return;
        }
        let (owner, path, cursor) = self.chance.one(&self.cursors).clone();
        let (_, other_path, _) = self.chance.one(&self.cursors).clone();
        let there = self.ask(person, "GET /v1/media", &format!("{path}&cursor={cursor}"), None).await;
        let elsewhere = self.ask(owner, "GET /v1/media", &format!("{other_path}&cursor={cursor}"), None).await;
        let search = self.ask(owner, "GET /v1/search", &format!("/v1/search?q=a&cursor={cursor}"), None).await;
        let wanted = |holds: bool| if holds { 200 } else { 400 };
        assert_eq!(there.status, wanted(person == owner), "{there:?}");
        assert_eq!(elsewhere.status, wanted(path == other_path), "{elsewhere:?}");
        assert_eq!(search.status, 400, "{search:?}");
    }

    async fn delete(&mut self, person: Person) {
        let id = self.any_id();
        let wanted = id.parse().map_or(404, |id| self.model.delete(person, id));
        if wanted == 204 && self.deletions == DELETIONS {
            return;
        }
        let path = format!("/v1/media/{id}");
        let answer = self.ask(person, "DELETE /v1/media/{id}", &path, None).await;
        assert_eq!(answer.status, wanted, "{person} {id}: {answer:?}");
        if wanted == 204 {
            self.deletions += 1;
            let owner = &self.people[person];
            let is_gone = async || {
                let answer = self.deployed.ask(owner, Method::GET, &path, None).await;
                (answer.status == 404).then_some(())
            };
            eventually("a deletion", is_gone).await;
            let item = self.model.items.get_mut(&id.parse().expect("an id")).expect("an item");
            item.state = State::Deleted;
        }
    }

    /// The same keys from everybody: each has uploads of their own.
    async fn upload(&mut self, person: Person) {
        let visibility = *self.chance.one(&["public", "followers", "private"]);
        let size = *self.chance.one(&[100_u64, 70 << 20]);
        let body = json!({
            "kind": "audio", "contentType": "audio/mp4", "size": size,
            "checksum": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "visibility": visibility,
            "fileName": secret_name(&self.people[person]),
        });
        // One key and one declaration belong together, or it would be another request.
        let key = format!("{}-{visibility}-{size}", self.chance.below(2));
        let headers = [("idempotency-key", key.as_str())];
        let answer = self.ask_with(person, "POST /v1/uploads", "/v1/uploads", &headers, Some(&body)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let media_id: MediaId = answer.body["mediaId"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let item = Item { owner: person, visibility, kind: "audio", post: None, state: State::Pending };
        let known = self.model.items.entry(media_id).or_insert(item);
        assert_eq!(known.owner, person, "two people, one upload");
        let id = answer.body["id"].as_str().expect("an id").to_owned();
        self.handles.extend(answer.body["handle"].as_str().map(|handle| (person, id.clone(), handle.to_owned())));
        self.ids.extend([media_id.to_string(), id]);
    }

    /// A handle is its uploader's, and its upload's.
    async fn handle(&mut self, person: Person) {
        if self.handles.is_empty() {
            return;
        }
        let (owner, own_id, handle) = self.chance.one(&self.handles).clone();
        let id = if self.chance.below(2) == 0 { own_id.clone() } else { self.any_id() };
        let is_theirs = person == owner && id == own_id;
        let sum = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let parts = json!({"handle": handle, "parts": [{"number": 1, "checksum": sum}]});
        let signed =
            self.ask(person, "POST /v1/uploads/{id}/parts", &format!("/v1/uploads/{id}/parts"), Some(&parts)).await;
        let complete = json!({"handle": handle});
        let path = format!("/v1/uploads/{id}/complete");
        let completed = self.ask(person, "POST /v1/uploads/{id}/complete", &path, Some(&complete)).await;
        if is_theirs {
            assert_eq!((signed.status, completed.status), (200, 409), "{signed:?} {completed:?}");
        } else {
            assert!(matches!((signed.status, completed.status), (400, 400) | (404, 404)), "{signed:?} {completed:?}");
        }
    }

    /// Devices have the same ids with everybody, and are everybody's own.
    async fn device(&mut self, person: Person) {
        let id = *self.chance.one(&DEVICES);
        let path = format!("/v1/devices/{id}");
        match self.chance.below(4) {
            0 => {
                let platform = *self.chance.one(&["android", "ios"]);
                let token = format!("{}-{id}", secret_token(&self.people[person]));
                let body = json!({"token": token, "platform": platform});
                let answer = self.ask(person, "PUT /v1/devices/{id}", &path, Some(&body)).await;
                assert_eq!(answer.status, 200, "{answer:?}");
                self.model.devices.insert((person, id.to_owned()), platform.to_owned());
            }
            1 => {
                let answer = self.ask(person, "DELETE /v1/devices/{id}", &path, None).await;
                assert_eq!(answer.status, 204, "{answer:?}");
                self.model.devices.remove(&(person, id.to_owned()));
            }
            2 => {
                let wanted = self.model.devices.get(&(person, id.to_owned())).cloned();
                let answer = self.ask(person, "GET /v1/devices/{id}", &path, None).await;
                assert_eq!(answer.status == 200, wanted.is_some(), "{answer:?}");
                assert_eq!(answer.body["platform"].as_str(), wanted.as_deref());
            }
            _ => {
                let answer = self.ask(person, "GET /v1/devices", "/v1/devices", None).await;
                let shown = answer.body["items"].as_array().expect("items").iter();
                let shown: BTreeMap<_, _> =
                    shown.filter_map(|item| item["id"].as_str().zip(item["platform"].as_str())).collect();
                assert_eq!(shown, self.model.devices_of(person));
            }
        }
    }

    async fn preferences(&mut self, person: Person) {
        let path = "/v1/notification-preferences";
        if self.chance.below(2) == 0 {
            let muted = *self.chance.one(&["likes", "replies", "mentions"]);
            let body = json!({"muted": [muted]});
            let answer = self.ask(person, &format!("PUT {path}"), path, Some(&body)).await;
            assert_eq!((answer.status, &answer.body), (200, &body));
            self.model.preferences.insert(person, body);
        }
        let answer = self.ask(person, &format!("GET {path}"), path, None).await;
        assert_eq!(answer.body, self.model.preferences_of(person));
    }

    /// Nothing of media is found by its name.
    async fn search(&mut self, person: Person) {
        let other = &self.people[self.chance.below(self.people.len())];
        let query = format!("?q={}", secret_name(other));
        for route in ["GET /v1/search", "GET /v1/search/suggestions"] {
            let path = format!("{}{query}", route.trim_start_matches("GET "));
            let answer = self.ask(person, route, &path, None).await;
            let has_hits = |name: &str| answer.body[name].as_array().is_some_and(|hits| !hits.is_empty());
            assert!(answer.status == 200 && !has_hits("items"), "{answer:?}");
        }
        let answer = self.ask(person, "GET /v1/openapi.json", "/v1/openapi.json", None).await;
        assert_eq!(answer.status, 200);
    }
}

/// What all files of somebody are called.
pub fn secret_name(user: &User) -> String {
    format!("name-of-{}", user.id)
}

/// What the tokens of somebody's devices begin with.
fn secret_token(user: &User) -> String {
    format!("token-of-{}", user.id)
}

fn ids_of(body: &Value) -> Vec<MediaId> {
    let items = body["items"].as_array().expect("items").iter();
    items.map(|item| item["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")).collect()
}
