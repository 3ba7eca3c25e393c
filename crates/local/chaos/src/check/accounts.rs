//! Checks erased accounts and exports.

use anyhow::{Context, Result};
use http::Method;
use serde_json::Value;
use stack::traces::{self, Person};

use super::findings::Findings;
use crate::{driver::Driver, model, operation::Operation};

/// The first bytes of a zip file with entries.
const ZIP: &[u8] = b"PK\x03\x04";

/// Checks that nothing is left of erased persons, and that every other person has the requested export.
pub async fn check(driver: &Driver<'_>, findings: &mut Findings) -> Result<()> {
    let erased = model::erased(&driver.executed);
    for person in &erased {
        check_erasure(driver, *person, findings).await?;
    }
    for (person, id) in driver.actors.exports().iter().filter(|(person, _)| !erased.contains(person)) {
        if let Err(difference) = check_export(driver, *person, id).await? {
            findings.violations.push(format!("export {id} of person {person}: {difference}"));
        }
        findings.exports += 1;
    }
    Ok(())
}

async fn check_erasure(driver: &Driver<'_>, person: usize, findings: &mut Findings) -> Result<()> {
    let (user, stack) = (driver.actors.user(person), &*driver.stack);
    let response = user.send(stack, Method::GET, "/v1/me/erasure", &[], None).await?;
    let erasure: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if erasure["state"] != "finished" {
        findings.violations.push(format!("the erasure of person {person} is {} {erasure}", response.status));
    }
    let of = Person { id: user.id.clone(), texts: driver.actors.texts_of(person) };
    let is_reset = driver.executed.iter().any(|executed| executed.operation == Operation::Reset);
    let stored = traces::stored(stack, &of).await?.into_iter();
    let stored = stored.filter(|trace| !(is_reset && trace.is_copied));
    let logged = traces::logged(stack, &of, driver.started_at).await?;
    let found = stored.chain(logged).map(|trace| format!("of the erased person {person}: {trace}"));
    findings.violations.extend(found);
    if let Some(phone) = model::phone_before_erasure(&driver.executed, person) {
        let endpoints = stack.mobile_push().endpoints().await?;
        if endpoints.iter().any(|endpoint| driver.actors.phone_of(&endpoint.token) == Some(phone)) {
            findings.violations.push(format!("the erased person {person} has an endpoint"));
        }
    }
    findings.erasures += 1;
    Ok(())
}

/// Compares a requested export: it is ready, and its link leads to a zip file of the stated size.
async fn check_export(driver: &Driver<'_>, person: usize, id: &str) -> Result<Result<(), String>> {
    let path = format!("/v1/me/exports/{id}");
    let response = driver.actors.user(person).send(driver.stack, Method::GET, &path, &[], None).await?;
    let export: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if export["state"] != "ready" {
        return Ok(Err(format!("{} {export}", response.status)));
    }
    let url = export["url"].as_str().context("an export that is ready has no link")?;
    let response = reqwest::get(url).await?;
    let (status, bytes) = (response.status(), response.bytes().await?);
    if status.is_success() && bytes.starts_with(ZIP) && export["bytes"] == bytes.len() {
        return Ok(Ok(()));
    }
    Ok(Err(format!("its link answers {status} with {} bytes, not {}", bytes.len(), export["bytes"])))
}
