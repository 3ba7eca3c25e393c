//! Deletes outdated derivatives, and invalidates the CDN for them.

use domain::media::{
    CleanupScope, MediaId, Sequencer, invalidation_marker_key, is_invalidation_marker, item_prefix, keys_to_delete,
};
use function_kit::failure::Failure;

use crate::{
    file::{Content, File},
    ports::Ports,
};

/// Deletes the files of an item that are in `scope`, then invalidates the CDN.
///
/// An invalidation marker (see [`invalidation_marker_key`]) exists from before the deletion until the invalidation is
/// accepted. If this function fails between the two, the retry finds the marker and invalidates. Without outdated files and
/// markers it invalidates nothing.
pub(crate) async fn clean_up(ports: &impl Ports, id: MediaId, scope: CleanupScope<'_>) -> Result<(), Failure> {
    let keys = ports.list(id).await?;
    let outdated = keys_to_delete(&keys, scope);
    if outdated.is_empty() {
        return Ok(());
    }
    delete_and_invalidate(ports, id, outdated).await
}

/// Deletes the files up to the generation `last`, whose original is no longer the object's current version, and
/// invalidates the CDN in any case.
///
/// A late repeat may have stored files again that others deleted since. A client may have fetched them in between, although
/// nothing is left to delete.
pub(crate) async fn clean_up_gone(ports: &impl Ports, id: MediaId, last: &Sequencer) -> Result<(), Failure> {
    let keys = ports.list(id).await?;
    delete_or_invalidate(ports, id, keys_to_delete(&keys, CleanupScope::UpTo(last)), last).await
}

/// Deletes all files of an item that an operator took down, and invalidates the CDN in any case, as [`clean_up_gone`] does.
/// `last` is the generation of the event.
///
/// The item is looked at after the files are listed: files that were made after a restoration are not among them.
pub(crate) async fn clean_up_taken_down(ports: &impl Ports, id: MediaId, last: &Sequencer) -> Result<(), Failure> {
    let keys = ports.list(id).await?;
    if !ports.is_taken_down(id).await? {
        // The restoration has an event of its own, whose worker deletes older files.
        return Ok(());
    }
    delete_or_invalidate(ports, id, keys_to_delete(&keys, CleanupScope::All), last).await
}

async fn delete_or_invalidate(
    ports: &impl Ports,
    id: MediaId,
    outdated: Vec<&str>,
    last: &Sequencer,
) -> Result<(), Failure> {
    if outdated.is_empty() {
        let reference = format!("{}{last}/{}", item_prefix(id), ports.nonce());
        return ports.invalidate(id, &reference, None).await;
    }
    delete_and_invalidate(ports, id, outdated).await
}

async fn delete_and_invalidate(ports: &impl Ports, id: MediaId, outdated: Vec<&str>) -> Result<(), Failure> {
    // The nonce makes the caller reference new: CloudFront does nothing for a reference that it knows, although files may
    // have been stored, fetched and deleted again since.
    let marker = outdated.iter().max().and_then(|key| invalidation_marker_key(key, &ports.nonce()));
    let Some(marker) = marker else { return Ok(()) };
    let (mut markers, files): (Vec<_>, Vec<_>) = outdated.into_iter().partition(|key| is_invalidation_marker(key));
    // A marker of another attempt means that more files than these have been deleted.
    let is_complete = markers.is_empty();
    if !files.is_empty() {
        let content_type = "application/octet-stream".to_owned();
        ports.put(File { key: marker.clone(), content_type, content: Content::Bytes(Vec::new()) }).await?;
        markers.push(&marker);
        ports.delete(&files).await?;
    }
    ports.invalidate(id, &marker, is_complete.then_some(files.as_slice())).await?;
    ports.delete(&markers).await
}
