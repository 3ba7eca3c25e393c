use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use aws_client::AwsClient;
use domain::media::MediaId;
use http::Method;
use serde_json::Value;

use super::findings::Findings;
use crate::{
    driver::Driver,
    model::{self, Content, Place, State},
    size::PERSONS,
    sounds,
};

/// Number of derivatives of a recording: two renditions and two waveforms.
const SOUND_FILES: usize = 4;

/// Checks all items and all derivatives. `earlier` has the ready items of earlier histories.
pub async fn check(driver: &Driver<'_>, earlier: &mut BTreeSet<MediaId>, findings: &mut Findings) -> Result<()> {
    let bucket = driver.stack.output("DerivedBucketName")?;
    let aws = driver.stack.aws();
    let mut derivatives = all_keys(&aws, bucket).await?;
    let (states, visibilities) = (model::media(&driver.executed), model::visibilities(&driver.executed));
    let erased = model::erased(&driver.executed);
    for (place, stored) in driver.actors.stored() {
        let state = states.get(place).copied().unwrap_or(State::Gone);
        // Another person, if the account is erased.
        let reader = if erased.contains(&stored.owner) { (stored.owner + 1) % PERSONS } else { stored.owner };
        let user = driver.actors.user(reader);
        let response = user.send(driver.stack, Method::GET, &format!("/v1/media/{}", stored.id), &[], None).await?;
        let item: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        let actual = match (response.status.as_u16(), item["state"].as_str()) {
            (404, _) => "gone".to_owned(),
            (200, Some(state)) => state.to_owned(),
            (status, _) => format!("status {status}"),
        };
        let expected = match state {
            State::Ready(_) => "ready",
            State::Failed => "failed",
            State::Gone => "gone",
        };
        if actual != expected {
            findings.violations.push(format!("{place:?} ({}) is {actual}, not {expected}", stored.id));
        }
        let files = derivatives.remove(&stored.id.to_string()).unwrap_or_default();
        let linked = match state {
            State::Ready(_) => links(&item),
            State::Failed | State::Gone => BTreeSet::new(),
        };
        let unlinked: Vec<_> = files.difference(&linked).collect();
        let missing: Vec<_> = linked.difference(&files).collect();
        if !unlinked.is_empty() || !missing.is_empty() {
            findings.violations.push(format!(
                "{place:?}: files that the item does not link {unlinked:?}, links without files {missing:?}"
            ));
        }
        if let (State::Ready(_), Place::File(file)) = (state, place) {
            let allowed = visibilities.get(file).into_iter().flatten();
            if !allowed.clone().any(|visibility| item["visibility"] == *visibility) {
                let allowed: Vec<_> = allowed.collect();
                findings
                    .violations
                    .push(format!("{place:?} ({}) is {}, not {allowed:?}", stored.id, item["visibility"]));
            }
        }
        if let State::Ready(content) = state {
            if let Err(difference) = check_content(&item, content, linked.len()) {
                findings.violations.push(format!("{place:?} ({}), of {content:?}: {difference}", stored.id));
            }
            findings.ready += 1;
            findings.sounds += u64::from(matches!(content, Content::Sound(_)));
            earlier.insert(stored.id);
        }
    }
    for id in earlier.iter() {
        derivatives.remove(&id.to_string());
    }
    findings.violations.extend(derivatives.keys().map(|id| format!("there are files of {id}, but no item")));
    Ok(())
}

/// Checks that an item has the content that was stored last, as far as the item shows it.
fn check_content(item: &Value, content: Content, files: usize) -> Result<(), String> {
    match content {
        Content::Photograph(_) if files == 0 => Err("no files".to_owned()),
        Content::Photograph(_) => Ok(()),
        Content::Sound(_) if files != SOUND_FILES => Err(format!("{files} files, not {SOUND_FILES}")),
        Content::Sound(sound) if item["durationMs"] != sounds::duration_ms(sound) => {
            Err(format!("{} ms, not {}", item["durationMs"], sounds::duration_ms(sound)))
        }
        Content::Sound(_) => Ok(()),
    }
}

/// The keys of the files that an item links.
fn links(item: &Value) -> BTreeSet<String> {
    let lists = [&item["variants"], &item["renditions"], &item["waveform"]["files"]];
    let files = lists.into_iter().filter_map(Value::as_array).flatten();
    let urls = files.filter_map(|file| file["url"].as_str());
    let key = |url: &str| {
        let path = url.split_once("://")?.1.split_once('/')?.1;
        Some(path.split('?').next().unwrap_or(path).to_owned())
    };
    urls.filter_map(key).collect()
}

/// All keys of a bucket, by the item id with which they begin.
async fn all_keys(aws: &AwsClient, bucket: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last = String::new();
    loop {
        let page = aws.list_objects_after(bucket, "", &last).await?;
        let Some(end) = page.last() else { return Ok(keys) };
        last = end.clone();
        for key in page {
            let id = key.split('/').next().context("a key without item id")?.to_owned();
            keys.entry(id).or_default().insert(key);
        }
    }
}
