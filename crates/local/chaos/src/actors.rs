//! The users of one history and their actions on a real stack.

mod accounts;

use std::{
    cell::Cell,
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use domain::{
    media::{Kind, MediaId},
    push::Platform,
};
use http::{Method, StatusCode};
use jiff::Timestamp;
use mobile_push::Profile;
use neptune::Commit;
use serde_json::{Value, json};
use stack::{
    Stack,
    photographs::{self, Photograph},
    uploads::{self, UploadFile},
    users::{User, Users},
};
use uuid::Uuid;

use super::{
    model::{self, Content, Link, Node, Place, Write},
    operation::Operation,
    size::PERSONS,
    sounds,
};

/// How long an action is retried before the stack is considered broken.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The password of all accounts.
const PASSWORD: &str = "correct horse 7 Battery!";
/// Pause between two attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// An original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Key of the original.
    pub key: String,
    /// Id of the media item.
    pub id: MediaId,
    /// Number of the owner.
    pub owner: usize,
}

/// An upload by an app.
#[derive(Debug, Clone, Copy)]
pub struct Upload {
    /// Number of the owner.
    pub person: usize,
    /// Number of the upload.
    pub file: usize,
    /// Content.
    pub content: Content,
    /// Number of the story that it belongs to.
    pub story: Option<usize>,
    /// `public`, `followers` or `private`.
    pub visibility: &'static str,
}

/// A file to store.
struct SampleFile {
    kind: Kind,
    name: String,
    content_type: &'static str,
    bytes: Vec<u8>,
}

/// The persons of a history with accounts, vertices and phones, and their files.
pub struct Actors {
    accounts: Users,
    users: Vec<User>,
    tokens: Vec<String>,
    /// Ids of the requested exports, by the number of the person.
    exports: BTreeMap<usize, String>,
    photographs: Vec<Photograph>,
    /// Makes names unique among histories.
    history_id: String,
    stored: BTreeMap<Place, StoredFile>,
}

impl Actors {
    /// Creates accounts, vertices and phones.
    pub async fn create(stack: &Stack) -> Result<Self> {
        let history_id = Uuid::new_v4().simple().to_string();
        let accounts = Users::from_stack(stack)?;
        let (mut users, mut tokens) = (Vec::new(), Vec::new());
        for person in 0..PERSONS {
            let name = format!("person {person}");
            let user = accounts.sign_up_as(&name, &email(&history_id, person), PASSWORD).await?;
            let token = format!("chaos-{history_id}-{person}");
            let profile = Profile { name, language: "ko".into(), platform: Platform::Android };
            stack.mobile_push().register_phone(&token, &profile).await?;
            users.push(user);
            tokens.push(token);
        }
        let actors = Self {
            accounts,
            users,
            tokens,
            exports: BTreeMap::new(),
            photographs: photographs::all()?,
            history_id,
            stored: BTreeMap::new(),
        };
        actors.add_vertices(stack).await?;
        Ok(actors)
    }

    /// Adds persons and tags to the graph.
    pub async fn add_vertices(&self, stack: &Stack) -> Result<()> {
        stack.neptune().commit(&self.commit(model::initial_writes())).await?;
        Ok(())
    }

    /// Number of sample photographs.
    pub fn photographs(&self) -> usize {
        self.photographs.len()
    }

    /// All files that were ever stored, deleted ones included.
    pub fn stored(&self) -> &BTreeMap<Place, StoredFile> {
        &self.stored
    }

    /// The person with this number.
    pub fn user(&self, person: usize) -> &User {
        &self.users[person]
    }

    /// The number of the phone with this token.
    pub fn phone_of(&self, token: &str) -> Option<usize> {
        self.tokens.iter().position(|other| other == token)
    }

    /// Uploads a file like an app, with retries.
    pub async fn upload(&mut self, stack: &Stack, upload: Upload) -> Result<()> {
        let Upload { person, file, content, story, visibility } = upload;
        let story = story.map(|story| self.id(Node::Story(story)));
        let SampleFile { kind, name, content_type, bytes } = self.sample_file(content);
        let user = &self.users[person];
        let upload =
            UploadFile { kind, name: &name, content_type, bytes: bytes.clone(), visibility, post: story.as_deref() };
        let signed = retry("upload", async || {
            request(stack, user, Method::POST, "/v1/uploads", Some(&upload.request_body())).await
        });
        let (_, signed) = signed.await?;
        let id = signed["id"].as_str().context("the upload has no id")?;
        let key = format!("{kind}/{}/{id}", user.id);
        retry("send", async || match uploads::put_presigned(&signed, bytes.clone()).await {
            Ok(status) if status.is_success() => Ok(Some(())),
            // The response to an earlier attempt was lost: a presigned URL works once.
            Ok(StatusCode::PRECONDITION_FAILED) => Ok(Some(())),
            Ok(status) if status.is_server_error() => Ok(None),
            Ok(status) => bail!("S3 rejects an upload: {status}"),
            Err(_) => Ok(None),
        })
        .await?;
        self.stored.insert(Place::File(file), StoredFile { id: MediaId::of_key(&key), key, owner: person });
        Ok(())
    }

    /// Reserves a key in the bucket for a person's files of this kind.
    pub fn reserve(&mut self, person: usize, place: usize, kind: Kind) {
        let key = format!("{kind}/{}/{}-{place}", self.users[person].id, self.history_id);
        self.stored.insert(Place::Place(place), StoredFile { id: MediaId::of_key(&key), key, owner: person });
    }

    /// Stores a photograph or a recording at a place in the bucket.
    pub async fn put(&self, stack: &Stack, place: usize, content: Content) -> Result<()> {
        let SampleFile { content_type, bytes, .. } = self.sample_file(content);
        self.put_bytes(stack, place, content_type, bytes).await
    }

    /// Stores a file that is not a valid photograph or recording.
    pub async fn put_invalid(&self, stack: &Stack, place: usize, kind: Kind) -> Result<()> {
        let content_type = if kind == Kind::Audio { sounds::CONTENT_TYPE } else { "image/jpeg" };
        self.put_bytes(stack, place, content_type, b"neither picture nor sound".to_vec()).await
    }

    async fn put_bytes(&self, stack: &Stack, place: usize, content_type: &str, bytes: Vec<u8>) -> Result<()> {
        let key = self.key(place)?;
        stack.aws().put_object(stack.output("OriginalsBucketName")?, key, content_type, bytes).await
    }

    /// Whether there is an object at a place in the bucket.
    pub async fn exists(&self, stack: &Stack, place: usize) -> Result<bool> {
        let key = self.key(place)?;
        let keys = stack.aws().list_objects(stack.output("OriginalsBucketName")?, key).await?;
        Ok(keys.iter().any(|other| other == key))
    }

    fn key(&self, place: usize) -> Result<&str> {
        let stored = self.stored.get(&Place::Place(place)).context("the place is not reserved")?;
        Ok(&stored.key)
    }

    fn sample_file(&self, content: Content) -> SampleFile {
        match content {
            Content::Photograph(number) => {
                let Photograph { name, content_type, bytes } = self.photographs[number].clone();
                SampleFile { kind: Kind::Photo, name, content_type, bytes }
            }
            Content::Sound(number) => SampleFile {
                kind: Kind::Audio,
                name: format!("{number}.wav"),
                content_type: sounds::CONTENT_TYPE,
                bytes: sounds::recording(number),
            },
        }
    }

    /// Deletes the object at a place in the bucket. Returns whether there ever was one.
    pub async fn delete_in_bucket(&self, stack: &Stack, place: usize) -> Result<bool> {
        let Some(stored) = self.stored.get(&Place::Place(place)) else { return Ok(false) };
        stack.aws().delete_object(stack.output("OriginalsBucketName")?, &stored.key).await?;
        Ok(true)
    }

    /// Deletes an upload by the API, if the API has its item. Returns whether it was deleted.
    pub async fn delete_by_api(&self, stack: &Stack, file: usize) -> Result<bool> {
        let Some(stored) = self.stored.get(&Place::File(file)) else { return Ok(false) };
        let (user, path) = (self.user(stored.owner), format!("/v1/media/{}", stored.id));
        let (status, _) = retry("read an item", async || request(stack, user, Method::GET, &path, None).await).await?;
        if status != StatusCode::OK {
            return Ok(false);
        }
        // A retry after a lost response returns 404.
        retry("delete an item", async || request(stack, user, Method::DELETE, &path, None).await).await?;
        Ok(true)
    }

    /// Sets the visibility of an upload by the API. Returns whether the API accepts it: it knows the item, and no story
    /// decides.
    pub async fn set_file_visibility(&self, stack: &Stack, file: usize, visibility: &str) -> Result<bool> {
        let Some(stored) = self.stored.get(&Place::File(file)) else { return Ok(false) };
        let (user, path) = (self.user(stored.owner), format!("/v1/media/{}", stored.id));
        let body = json!({"visibility": visibility});
        let attempts = Cell::new(0);
        let (status, _) = retry("set a visibility", async || {
            attempts.set(attempts.get() + 1);
            request(stack, user, Method::PUT, &format!("{path}/visibility"), Some(&body)).await
        })
        .await?;
        ensure!(
            status.is_success() || matches!(status, StatusCode::NOT_FOUND | StatusCode::CONFLICT),
            "{path}/visibility: {status}"
        );
        if status.is_success() || attempts.get() == 1 {
            return Ok(status.is_success());
        }
        // An attempt whose answer was lost may have succeeded.
        let (_, item) = retry("read an item", async || request(stack, user, Method::GET, &path, None).await).await?;
        Ok(item["visibility"] == visibility)
    }

    /// Registers a person's phone.
    pub async fn sign_in(&self, stack: &Stack, person: usize, phone: usize) -> Result<()> {
        let device = json!({"token": self.tokens[phone], "platform": "android", "language": "ko"});
        self.set(stack, person, Method::PUT, "/v1/devices/phone", Some(&device)).await
    }

    /// Whether a person has a registered phone.
    pub async fn has_device(&self, stack: &Stack, person: usize) -> Result<bool> {
        let path = "/v1/devices/phone";
        let (status, _) =
            retry(path, async || request(stack, self.user(person), Method::GET, path, None).await).await?;
        ensure!(status.is_success() || status == StatusCode::NOT_FOUND, "{path}: {status}");
        Ok(status.is_success())
    }

    /// Removes the registration of a person's phone.
    pub async fn sign_out(&self, stack: &Stack, person: usize) -> Result<()> {
        self.set(stack, person, Method::DELETE, "/v1/devices/phone", None).await
    }

    /// Sets the notification preferences of a person.
    pub async fn set_preferences(&self, stack: &Stack, person: usize, muted: &[&str]) -> Result<()> {
        self.set(stack, person, Method::PUT, "/v1/notification-preferences", Some(&json!({"muted": muted}))).await
    }

    /// Marks all notifications in the inbox of a person as read. Returns the time up to which, in milliseconds since 1970.
    pub async fn read_inbox(&self, stack: &Stack, person: usize) -> Result<i64> {
        // The whole milliseconds that the API keeps.
        let through = Timestamp::from_millisecond(Timestamp::now().as_millisecond())?;
        let read = json!({"through": through});
        self.set(stack, person, Method::PUT, "/v1/notifications/read", Some(&read)).await?;
        Ok(through.as_millisecond())
    }

    async fn set(&self, stack: &Stack, person: usize, method: Method, path: &str, body: Option<&Value>) -> Result<()> {
        let (status, body) =
            retry(path, async || request(stack, self.user(person), method.clone(), path, body).await).await?;
        // Repeated sign-outs return 404.
        let is_done = status.is_success() || (method == Method::DELETE && status == StatusCode::NOT_FOUND);
        ensure!(is_done, "{method} {path}: {status} {body}");
        Ok(())
    }

    /// The graph commit of an operation.
    pub fn commit_of(&self, operation: &Operation) -> Option<Commit> {
        let writes = model::writes(operation);
        (!writes.is_empty()).then(|| self.commit(writes))
    }

    fn commit(&self, writes: Vec<Write>) -> Commit {
        writes.into_iter().fold(Commit::new(), |commit, write| match write {
            Write::Add(node) => commit.add_vertex(self.id(node), [node.label()]),
            Write::Remove(node) => commit.remove_vertex(self.id(node)),
            Write::Link(link) => commit.add_edge(self.edge(link), link.label, self.id(link.from), self.id(link.to)),
            Write::Unlink(link) => commit.remove_edge(self.edge(link)),
            Write::Set(node, name, value) => commit.set(self.id(node), name, value),
            Write::Unset(node, name) => commit.remove_property(self.id(node), name),
        })
    }

    /// The id of a vertex.
    pub fn id(&self, node: Node) -> String {
        match node {
            Node::Person(person) => self.user(person).id.clone(),
            Node::Story(number) | Node::Comment(number) | Node::Tag(number) => {
                format!("{}-{}-{number}", node.label(), self.history_id)
            }
        }
    }

    /// The id of an edge.
    pub fn edge(&self, link: Link) -> String {
        format!("{}:{}:{}", link.label, self.id(link.from), self.id(link.to))
    }

    /// A unique message body that no function can parse.
    pub fn poison(&self, number: usize) -> String {
        format!("poison-{}-{number}", self.history_id)
    }
}

/// The address with which a person signs in.
fn email(history_id: &str, person: usize) -> String {
    format!("{person}-{history_id}@iyagi.example")
}

/// Calls the API. `None` on a server error or without a response: the call can be retried.
async fn request(
    stack: &Stack,
    user: &User,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Option<(StatusCode, Value)>> {
    let Ok(response) = user.send(stack, method, path, &[], body).await else { return Ok(None) };
    if response.status.is_server_error() {
        return Ok(None);
    }
    Ok(Some((response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))))
}

/// Retries until `attempt` returns a value.
///
/// # Errors
/// After two minutes: faults alone cannot cause that many failures.
async fn retry<T>(name: &str, attempt: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(executed) = attempt().await? {
            return Ok(executed);
        }
        ensure!(Instant::now() < deadline, "{name}: no success within {} s", TIMEOUT.as_secs());
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}
