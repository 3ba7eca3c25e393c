use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use aws_client::AwsClient;
use domain::media::MediaId;
use http::Method;
use serde_json::Value;

use super::Findings;
use crate::{
    driver::Driver,
    model::{self, Content, State},
    sounds,
};

/// Of a recording: two renditions, two waveforms.
const SOUND_FILES: usize = 4;

/// All items, and all derived files. `others` are the items of earlier histories that are shown.
pub async fn check(driver: &Driver<'_>, others: &mut BTreeSet<MediaId>, findings: &mut Findings) -> Result<()> {
    let bucket = driver.stack.output("DerivedBucketName")?;
    let aws = driver.stack.aws();
    let mut kept = all_keys(&aws, bucket).await?;
    let states = model::media(&driver.done);
    for (place, stored) in driver.cast.stored() {
        let state = states.get(place).copied().unwrap_or(State::Gone);
        let user = driver.cast.user(stored.owner);
        let answer = user.send(driver.stack, Method::GET, &format!("/v1/media/{}", stored.id), &[], None).await?;
        let item: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        let found = match (answer.status.as_u16(), item["state"].as_str()) {
            (404, _) => "gone".to_owned(),
            (200, Some(state)) => state.to_owned(),
            (status, _) => format!("status {status}"),
        };
        let expected = match state {
            State::Ready(_) => "ready",
            State::Failed => "failed",
            State::Gone => "gone",
        };
        if found != expected {
            findings.violations.push(format!("{place:?} ({}) is {found}, not {expected}", stored.id));
        }
        let files = kept.remove(&stored.id.to_string()).unwrap_or_default();
        let linked = match state {
            State::Ready(_) => links(&item),
            State::Failed | State::Gone => BTreeSet::new(),
        };
        let unlinked: Vec<_> = files.difference(&linked).collect();
        let missing: Vec<_> = linked.difference(&files).collect();
        if !unlinked.is_empty() || !missing.is_empty() {
            findings
                .violations
                .push(format!("{place:?}: files without item {unlinked:?}, item without files {missing:?}"));
        }
        if let State::Ready(content) = state {
            if let Err(what) = shows(&item, content, linked.len()) {
                findings.violations.push(format!("{place:?} ({}), of {content:?}: {what}", stored.id));
            }
            findings.ready += 1;
            findings.heard += u64::from(matches!(content, Content::Sound(_)));
            others.insert(stored.id);
        }
    }
    for id in others.iter() {
        kept.remove(&id.to_string());
    }
    findings.violations.extend(kept.keys().map(|id| format!("files of {id}, which is no item")));
    Ok(())
}

/// Whether an item is what was sent last, as far as that can be seen of it.
fn shows(item: &Value, content: Content, files: usize) -> Result<(), String> {
    match content {
        Content::Photograph(_) if files == 0 => Err("it has no files".to_owned()),
        Content::Photograph(_) => Ok(()),
        Content::Sound(_) if files != SOUND_FILES => Err(format!("{files} files, not {SOUND_FILES}")),
        Content::Sound(sound) if item["durationMs"] != sounds::duration_ms(sound) => {
            Err(format!("{} ms, not {}", item["durationMs"], sounds::duration_ms(sound)))
        }
        Content::Sound(_) => Ok(()),
    }
}

/// The keys of the files that an item links to.
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

/// All keys of a bucket, by the item that they begin with.
async fn all_keys(aws: &AwsClient, bucket: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last = String::new();
    loop {
        let page = aws.list_objects_after(bucket, "", &last).await?;
        let Some(end) = page.last() else { return Ok(keys) };
        last = end.clone();
        for key in page {
            let id = key.split('/').next().context("a key without an item")?.to_owned();
            keys.entry(id).or_default().insert(key);
        }
    }
}
