//! Exports and erasures of the persons' accounts.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use http::Method;
use stack::{Stack, users::User};

use super::{Actors, PASSWORD, email, request, retry};

impl Actors {
    /// Requests an export of a person. An attempt whose answer was lost may have requested another before.
    pub async fn export(&mut self, stack: &Stack, person: usize) -> Result<()> {
        let user = self.sign_in_again(person).await?;
        let (path, method) = ("/v1/me/exports", Method::POST);
        let (status, export) = retry(path, async || request(stack, &user, method.clone(), path, None).await).await?;
        let id = export["id"].as_str().with_context(|| format!("{path}: {status} {export}"))?;
        self.exports.insert(person, id.to_owned());
        Ok(())
    }

    /// Ids of the requested exports, by the number of the person.
    pub fn exports(&self) -> &BTreeMap<usize, String> {
        &self.exports
    }

    /// Starts the erasure of a person's account.
    pub async fn erase(&self, stack: &Stack, person: usize) -> Result<()> {
        let user = self.sign_in_again(person).await?;
        let (path, method) = ("/v1/me", Method::DELETE);
        let (status, body) = retry(path, async || request(stack, &user, method.clone(), path, None).await).await?;
        ensure!(status.is_success(), "{method} {path}: {status} {body}");
        Ok(())
    }

    /// The user of a person who has just entered the password again.
    async fn sign_in_again(&self, person: usize) -> Result<User> {
        let tokens = self.accounts.sign_in(&email(&self.history_id, person), PASSWORD).await?;
        Ok(User { access_token: tokens.access, ..self.user(person).clone() })
    }

    /// Texts by which a person is found, besides their id.
    pub fn texts_of(&self, person: usize) -> Vec<String> {
        vec![email(&self.history_id, person)]
    }
}
