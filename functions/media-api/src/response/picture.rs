use api::{MediaItem, MediaVariant, Placeholder};
use domain::media::Picture;
use function_kit::failure::Failure;

use crate::{link_window::LinkWindow, links::Links};

/// Fills in the fields of a picture. Variants are left out unless `links` are given.
pub async fn fill_in(
    picture: Picture,
    links: Option<(&Links, LinkWindow)>,
    response: &mut MediaItem,
) -> Result<(), Failure> {
    let Picture { width, height, thumb_hash, dominant_colour, variants } = picture;
    response.width = Some(width);
    response.height = Some(height);
    response.placeholder = Some(Placeholder { thumb_hash, colour: dominant_colour });
    if let Some((links, window)) = links {
        let keys: Vec<_> = variants.iter().map(|variant| variant.key.as_str()).collect();
        let urls = links.urls(&keys, window).await?;
        let variants = variants.into_iter().zip(urls).map(|(variant, url)| MediaVariant {
            url,
            width: variant.width,
            height: variant.height,
            bytes: variant.size,
            content_type: variant.content_type,
        });
        response.variants = Some(variants.collect());
    }
    Ok(())
}
