use api::{MediaItem, MediaVariant, Placeholder};
use domain::media::Picture;
use function_kit::failure::Failure;

use crate::{epoch::Epoch, links::Links};

/// Shows what was made of a picture. Variants are left out unless `links` are given.
pub async fn show(picture: Picture, links: Option<(&Links, Epoch)>, shown: &mut MediaItem) -> Result<(), Failure> {
    let Picture { width, height, thumb_hash, dominant_colour, variants } = picture;
    shown.width = Some(width);
    shown.height = Some(height);
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
    Ok(())
}
