mod picture;
mod sound;

use api::{MediaItem as Item, MediaState};
use domain::media::{Declared, Derivatives, MediaItem, State, Upload};
use function_kit::failure::Failure;

use crate::{link_window::LinkWindow, links::Links};

/// The item as `caller` sees it, who must be allowed to; `None` if it has been deleted. Files are left out unless `links`
/// are given.
pub async fn media_item(
    item: MediaItem,
    caller: &str,
    links: Option<(&Links, LinkWindow)>,
) -> Result<Option<Item>, Failure> {
    let mut taken_down_for = None;
    let (upload, state, derivatives, reason) = match item.state {
        State::Processing(upload) => (upload, MediaState::Processing, None, None),
        State::Ready(upload, derivatives) => (upload, MediaState::Ready, derivatives, None),
        State::Failed(upload, reason) => (upload, MediaState::Failed, None, Some(reason)),
        State::TakenDown(upload, why) => {
            taken_down_for = Some(why);
            (upload, MediaState::TakenDown, None, None)
        }
        State::Deleted { .. } => return Ok(None),
    };
    let Upload { size, uploaded_at, declared: Declared { content_type, intent }, detected_type } = upload;
    let mut response = Item {
        id: item.id,
        kind: item.kind,
        uploaded_at: format!("{uploaded_at:.3}"),
        content_type,
        detected_type,
        bytes: size,
        visibility: intent.visibility,
        post: intent.post,
        file_name: intent.file_name.filter(|_| item.owner == caller),
        owner: item.owner,
        state,
        reason,
        taken_down_for,
        width: None,
        height: None,
        placeholder: None,
        variants: None,
        duration_ms: None,
        codec: None,
        sample_rate: None,
        channels: None,
        loudness: None,
        silence: None,
        waveform: None,
        renditions: None,
    };
    match derivatives {
        Some(Derivatives::Picture(picture)) => picture::fill_in(picture, links, &mut response).await?,
        Some(Derivatives::Sound(sound)) => sound::fill_in(*sound, links, &mut response).await?,
        None => {}
    }
    Ok(Some(response))
}
