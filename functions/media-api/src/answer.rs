use api::{MediaItem as Item, MediaState, MediaVariant, Placeholder};
use domain::media::{Declared, Derived, MediaItem, State, Upload};
use function_kit::failure::Failure;

use crate::{epoch::Epoch, links::Links};

/// What `caller` sees of `item`, which they may see; nothing if it has been deleted. Variants are left
/// out unless `links` are given.
pub async fn shown(item: MediaItem, caller: &str, links: Option<(&Links, Epoch)>) -> Result<Option<Item>, Failure> {
    let (upload, state, derived, reason) = match item.state {
        State::Processing(upload) => (upload, MediaState::Processing, None, None),
        State::Ready(upload, derived) => (upload, MediaState::Ready, derived, None),
        State::Failed(upload, reason) => (upload, MediaState::Failed, None, Some(reason)),
        State::Deleted { .. } => return Ok(None),
    };
    let Upload { size, uploaded_at, declared: Declared { content_type, intent } } = upload;
    let mut shown = Item {
        id: item.id,
        kind: Some(item.kind),
        uploaded_at: Some(format!("{uploaded_at:.3}")),
        content_type,
        bytes: Some(size),
        visibility: Some(intent.visibility),
        post: intent.post,
        file_name: intent.file_name.filter(|_| item.owner == caller),
        owner: Some(item.owner),
        state: Some(state),
        reason,
        width: None,
        height: None,
        placeholder: None,
        variants: None,
    };
    if let Some(derived) = derived {
        let Derived { width, height, thumb_hash, dominant_colour, variants } = derived;
        (shown.width, shown.height) = (Some(width), Some(height));
        shown.placeholder = Some(Placeholder { thumb_hash, colour: dominant_colour });
        if let Some((links, epoch)) = links {
            let keys: Vec<_> = variants.iter().map(|variant| variant.key.as_str()).collect();
            let urls = links.to(&keys, epoch).await?;
            let variants = variants.into_iter().zip(urls).map(|(variant, url)| MediaVariant {
                url,
                width: variant.width,
                height: variant.height,
                bytes: variant.size,
                content_type: variant.content_type,
            });
            shown.variants = Some(variants.collect());
        }
    }
    Ok(Some(shown))
}
