//! The deployed stack under test.

mod api;
mod graph;
mod media;

use aws_client::AwsClient;
use stack::{
    Stack,
    users::{User, Users},
};
use tokio::sync::OnceCell;

pub use self::api::Response;
use crate::stack_lock::StackLock;

/// The deployed stack, as one test uses it.
pub struct Deployed {
    pub stack: Stack,
    pub aws: AwsClient,
    http: reqwest::Client,
    reader: OnceCell<User>,
    _lock: StackLock,
}

impl Deployed {
    /// Uses the stack beside other tests.
    pub async fn shared() -> Self {
        Self::with(StackLock::shared().await)
    }

    /// Uses the stack while no other test does.
    pub async fn exclusive() -> Self {
        Self::with(StackLock::exclusive().await)
    }

    fn with(lock: StackLock) -> Self {
        let stack = Stack::under_test().expect("stack");
        let aws = stack.aws();
        Self { stack, aws, http: reqwest::Client::new(), reader: OnceCell::new(), _lock: lock }
    }

    /// A new user with this name.
    pub async fn sign_up(&self, name: &str) -> User {
        Users::from_stack(&self.stack).expect("user pool").sign_up(name).await.expect("user")
    }

    /// The same user at each call, without relations: they see public items only.
    pub async fn reader(&self) -> &User {
        self.reader.get_or_init(|| self.sign_up("reader")).await
    }

    /// An output of the template.
    pub fn output(&self, name: &str) -> &str {
        self.stack.output(name).expect("output")
    }
}
