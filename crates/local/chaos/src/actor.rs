//! The people of one history, and what they do with a real stack.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use domain::{
    media::{Kind, MediaId},
    push::Platform,
};
use http::{Method, StatusCode};
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
    generator::PERSONS,
    model::{self, Content, Link, Node, Place, Write},
    operation::Operation,
    sounds,
};

/// How long an operation is tried again before something must be wrong with the stack itself.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// Where a file has come to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The original's key.
    pub key: String,
    /// Its item.
    pub id: MediaId,
    /// Whose it is.
    pub owner: usize,
}

/// What an app can send.
struct Sendable {
    kind: Kind,
    name: String,
    content_type: &'static str,
    bytes: Vec<u8>,
}

/// Persons with accounts, vertices and phones, and what they have stored.
pub struct Cast {
    users: Vec<User>,
    tokens: Vec<String>,
    photographs: Vec<Photograph>,
    /// Keeps this history's names apart from others'.
    tale: String,
    stored: BTreeMap<Place, Stored>,
}

impl Cast {
    /// Signs everybody up, and gives them vertices and phones.
    pub async fn assemble(stack: &Stack) -> Result<Self> {
        let tale = Uuid::new_v4().simple().to_string();
        let accounts = Users::from_stack(stack)?;
        let (mut users, mut tokens) = (Vec::new(), Vec::new());
        for person in 0..PERSONS {
            let name = format!("person {person}");
            let user = accounts.sign_up(&name).await?;
            let token = format!("chaos-{tale}-{person}");
            let profile = Profile { name, language: "ko".into(), platform: Platform::Android };
            stack.mobile_push().set_up(&token, &profile).await?;
            users.push(user);
            tokens.push(token);
        }
        let cast = Self { users, tokens, photographs: photographs::all()?, tale, stored: BTreeMap::new() };
        stack.neptune().commit(&cast.commit(model::beginning())).await?;
        Ok(cast)
    }

    /// How many kinds of photographs there are.
    pub fn photographs(&self) -> usize {
        self.photographs.len()
    }

    /// All that was ever stored, also what is gone.
    pub fn stored(&self) -> &BTreeMap<Place, Stored> {
        &self.stored
    }

    /// The person with this number.
    pub fn user(&self, person: usize) -> &User {
        &self.users[person]
    }

    /// The phone that has this token.
    pub fn phone_of(&self, token: &str) -> Option<usize> {
        self.tokens.iter().position(|known| known == token)
    }

    /// Sends a file as an app does, and tries again as an app does.
    pub async fn upload(&mut self, stack: &Stack, person: usize, file: usize, content: Content) -> Result<()> {
        let Sendable { kind, name, content_type, bytes } = self.sendable(content);
        let user = &self.users[person];
        let upload = File { kind, name: &name, content_type, bytes: bytes.clone(), visibility: "public", post: None };
        let signed = persistently("upload", async || {
            ask(stack, user, Method::POST, "/v1/uploads", Some(&upload.request_body())).await
        });
        let (_, signed) = signed.await?;
        let id = signed["id"].as_str().context("an upload without id")?;
        let key = format!("{kind}/{}/{id}", user.id);
        persistently("send", async || match uploads::put_presigned(&signed, bytes.clone()).await {
            Ok(status) if status.is_success() => Ok(Some(())),
            // The answer to an earlier try was lost: what was signed can be sent once.
            Ok(StatusCode::PRECONDITION_FAILED) => Ok(Some(())),
            Ok(status) if status.is_server_error() => Ok(None),
            Ok(status) => bail!("S3 does not take an upload: {status}"),
            Err(_) => Ok(None),
        })
        .await?;
        self.stored.insert(Place::File(file), Stored { id: MediaId::of_key(&key), key, owner: person });
        Ok(())
    }

    /// Gives somebody a place in the bucket for files of this kind.
    pub fn reserve(&mut self, person: usize, place: usize, kind: Kind) {
        let key = format!("{kind}/{}/{}-{place}", self.users[person].id, self.tale);
        self.stored.insert(Place::Place(place), Stored { id: MediaId::of_key(&key), key, owner: person });
    }

    /// Puts a photograph or a recording to a place in the bucket.
    pub async fn put(&self, stack: &Stack, place: usize, content: Content) -> Result<()> {
        let Sendable { content_type, bytes, .. } = self.sendable(content);
        self.put_bytes(stack, place, content_type, bytes).await
    }

    /// Puts what is no photograph, or no recording.
    pub async fn put_broken(&self, stack: &Stack, place: usize, kind: Kind) -> Result<()> {
        let content_type = if kind == Kind::Audio { sounds::CONTENT_TYPE } else { "image/jpeg" };
        self.put_bytes(stack, place, content_type, b"neither picture nor sound".to_vec()).await
    }

    async fn put_bytes(&self, stack: &Stack, place: usize, content_type: &str, bytes: Vec<u8>) -> Result<()> {
        let key = self.key(place)?;
        stack.aws().put_object(stack.output("OriginalsBucketName")?, key, content_type, bytes).await
    }

    /// Whether there is anything at a place in the bucket now.
    pub async fn is_there(&self, stack: &Stack, place: usize) -> Result<bool> {
        let key = self.key(place)?;
        let keys = stack.aws().list_objects(stack.output("OriginalsBucketName")?, key).await?;
        Ok(keys.iter().any(|found| found == key))
    }

    fn key(&self, place: usize) -> Result<&str> {
        let stored = self.stored.get(&Place::Place(place)).context("a place that nobody has")?;
        Ok(&stored.key)
    }

    fn sendable(&self, content: Content) -> Sendable {
        match content {
            Content::Photograph(number) => {
                let Photograph { name, content_type, bytes } = self.photographs[number].clone();
                Sendable { kind: Kind::Photo, name, content_type, bytes }
            }
            Content::Sound(number) => Sendable {
                kind: Kind::Audio,
                name: format!("{number}.wav"),
                content_type: sounds::CONTENT_TYPE,
                bytes: sounds::recording(number),
            },
        }
    }

    /// Deletes what is at a place in the bucket; whether there ever was anything.
    pub async fn delete_in_bucket(&self, stack: &Stack, place: usize) -> Result<bool> {
        let Some(stored) = self.stored.get(&Place::Place(place)) else { return Ok(false) };
        stack.aws().delete_object(stack.output("OriginalsBucketName")?, &stored.key).await?;
        Ok(true)
    }

    /// Deletes an upload by the API, once the API knows of it; whether it was.
    pub async fn delete_by_api(&self, stack: &Stack, file: usize) -> Result<bool> {
        let Some(stored) = self.stored.get(&Place::File(file)) else { return Ok(false) };
        let (user, path) = (self.user(stored.owner), format!("/v1/media/{}", stored.id));
        let (status, _) =
            persistently("look at a file", async || ask(stack, user, Method::GET, &path, None).await).await?;
        if status != StatusCode::OK {
            return Ok(false);
        }
        // After an answer that was lost, it is not there any more.
        persistently("delete a file", async || ask(stack, user, Method::DELETE, &path, None).await).await?;
        Ok(true)
    }

    /// Somebody signs in on a phone.
    pub async fn sign_in(&self, stack: &Stack, person: usize, phone: usize) -> Result<()> {
        let device = json!({"token": self.tokens[phone], "platform": "android", "language": "ko"});
        self.set(stack, person, Method::PUT, "/v1/devices/phone", Some(&device)).await
    }

    /// Somebody signs out.
    pub async fn sign_out(&self, stack: &Stack, person: usize) -> Result<()> {
        self.set(stack, person, Method::DELETE, "/v1/devices/phone", None).await
    }

    /// Somebody says what they do not want to hear of.
    pub async fn prefer(&self, stack: &Stack, person: usize, muted: &[&str]) -> Result<()> {
        self.set(stack, person, Method::PUT, "/v1/notification-preferences", Some(&json!({"muted": muted}))).await
    }

    async fn set(&self, stack: &Stack, person: usize, method: Method, path: &str, body: Option<&Value>) -> Result<()> {
        let (status, answer) =
            persistently(path, async || ask(stack, self.user(person), method.clone(), path, body).await).await?;
        // Who has signed out before cannot sign out again.
        let is_done = status.is_success() || (method == Method::DELETE && status == StatusCode::NOT_FOUND);
        ensure!(is_done, "{method} {path}: {status} {answer}");
        Ok(())
    }

    /// What an operation writes into the graph, as a commit.
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

    /// A vertex's id.
    pub fn id(&self, node: Node) -> String {
        match node {
            Node::Person(person) => self.user(person).id.clone(),
            Node::Story(number) | Node::Comment(number) | Node::Tag(number) => {
                format!("{}-{}-{number}", node.label(), self.tale)
            }
        }
    }

    /// An edge's id.
    pub fn edge(&self, link: Link) -> String {
        format!("{}:{}:{}", link.label, self.id(link.from), self.id(link.to))
    }

    /// What no function understands, unlike any other.
    pub fn poison(&self, number: usize) -> String {
        format!("poison-{}-{number}", self.tale)
    }
}

/// What the API says; nothing, if it failed or did not answer, and may do better.
async fn ask(
    stack: &Stack,
    user: &User,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Option<(StatusCode, Value)>> {
    let Ok(answer) = user.send(stack, method, path, &[], body).await else { return Ok(None) };
    if answer.status.is_server_error() {
        return Ok(None);
    }
    Ok(Some((answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))))
}

/// Tries until something comes of it.
///
/// # Errors
/// If nothing does for two minutes: faults are not so many.
async fn persistently<T>(what: &str, attempt: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(done) = attempt().await? {
            return Ok(done);
        }
        ensure!(Instant::now() < deadline, "{what}: tried in vain for {} s", PATIENCE.as_secs());
        tokio::time::sleep(PAUSE).await;
    }
}
