use std::fmt::Write;

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    day::{Day, NotNotified},
    drawing,
    format::{escape_html, list, shorten_urls, size},
    metadata,
    photographs::UploadedPhotograph,
};

/// Renders a self-contained page.
pub fn render(photographs: &[UploadedPhotograph], story: &str, day: &Day) -> Result<String> {
    let mut figures = String::new();
    for photograph in photographs {
        figure(&mut figures, photograph).with_context(|| format!("cannot render {}", photograph.name))?;
    }
    let mut not_notified = String::new();
    for NotNotified { action, reason } in &day.not_notified {
        writeln!(not_notified, "<li>{}: {}</li>", escape_html(action), escape_html(reason))?;
    }
    let phones = drawing::phones(&day.phones);
    let (mut page, mut rest) = (String::new(), include_str!("page.html"));
    // Inserted text is not searched for placeholders.
    for (placeholder, text) in [
        ("{phones.css}", drawing::STYLE),
        ("{figures}", &figures),
        ("{story}", story),
        ("{phones}", &phones),
        ("{not_notified}", &not_notified),
    ] {
        let (before, after) =
            rest.split_once(placeholder).with_context(|| format!("the template lacks {placeholder}"))?;
        page.extend([before, text]);
        rest = after;
    }
    Ok(page + rest)
}

fn figure(page: &mut String, photograph: &UploadedPhotograph) -> Result<()> {
    let item = &photograph.item;
    let links: Vec<String> = list(&item["variants"])
        .iter()
        .zip(&photograph.variants)
        .map(|(variant, bytes)| data_url(variant["type"].as_str().unwrap_or_default(), bytes))
        .collect();
    // The middle size, as a phone would fetch.
    let middle = list(&item["variants"]).iter().position(|variant| {
        variant["type"] == "image/webp" && variant["width"].as_u64().max(variant["height"].as_u64()) <= Some(512)
    });
    let middle = middle.unwrap_or_default();
    let found: Vec<String> = photograph.variants.iter().flat_map(|bytes| metadata::describe(bytes)).collect();
    let describe = |found: &[String]| if found.is_empty() { "no metadata".to_owned() } else { found.join(", ") };

    writeln!(page, "<article><h2>{}</h2><div class=\"pair\">", escape_html(&photograph.name))?;
    let colour = item["placeholder"]["colour"].as_str().unwrap_or("#000000");
    let placeholder = placeholder(item["placeholder"]["thumbHash"].as_str().unwrap_or_default())?;
    let ratio = format!("{} / {}", item["width"], item["height"]);
    writeln!(
        page,
        "<figure><div class=\"picture\" style=\"aspect-ratio: {ratio}; background: {colour}\"><img src=\"{placeholder}\" \
         alt=\"\"></div><figcaption>placeholder: ThumbHash over <span class=\"swatch\" style=\"background: \
         {colour}\"></span> {colour}</figcaption></figure>"
    )?;
    writeln!(
        page,
        "<figure><div class=\"picture\" style=\"aspect-ratio: {ratio}\"><img src=\"{}\" alt=\"{}\"></div>\
         <figcaption>{} × {}, ready {} ms after the upload</figcaption></figure></div>",
        links.get(middle).map(String::as_str).unwrap_or_default(),
        escape_html(&photograph.name),
        item["width"],
        item["height"],
        photograph.duration.as_millis()
    )?;
    writeln!(page, "<table><thead><tr><th>variant</th><th>type</th><th>size</th></tr></thead><tbody>")?;
    for ((variant, bytes), link) in list(&item["variants"]).iter().zip(&photograph.variants).zip(&links) {
        writeln!(
            page,
            "<tr><td><a href=\"{link}\" download>{} × {}</a></td><td>{}</td><td>{}</td></tr>",
            variant["width"],
            variant["height"],
            variant["type"].as_str().unwrap_or_default(),
            size(bytes.len() as u64)
        )?;
    }
    writeln!(page, "</tbody></table>")?;
    writeln!(
        page,
        "<p>The original ({}) contains {}. Its variants contain {}.</p>",
        size(photograph.original_bytes as u64),
        escape_html(&describe(&photograph.original_metadata)),
        escape_html(&describe(&found))
    )?;
    let json = serde_json::to_string_pretty(&shorten_urls(item.clone()))?;
    writeln!(
        page,
        "<details><summary>Response of the API</summary><pre>{}</pre></details></article>",
        escape_html(&json)
    )?;
    Ok(())
}

/// A `ThumbHash` as PNG.
fn placeholder(hash: &str) -> Result<String> {
    let hash = BASE64_STANDARD.decode(hash)?;
    let (width, height, rgba) = thumbhash::thumb_hash_to_rgba(&hash).ok().context("not a ThumbHash")?;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, u32::try_from(width)?, u32::try_from(height)?);
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header()?.write_image_data(&rgba)?;
    Ok(data_url("image/png", &file))
}

fn data_url(content_type: &str, bytes: &[u8]) -> String {
    format!("data:{content_type};base64,{}", BASE64_STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_no_unfilled_placeholder() {
        let not_notified = NotNotified { action: "Sam likes <it>".into(), reason: "{phones}".into() };
        let page = render(&[], "<audio>", &Day { phones: Vec::new(), not_notified: vec![not_notified] }).unwrap();
        assert!(page.contains("<li>Sam likes &lt;it&gt;: {phones}</li>") && page.contains("class=\"phones\""));
        assert!(page.contains(".bezel {"), "the style");
        assert!(page.contains("<audio>"), "the story");
        for placeholder in ["{figures}", "{story}", "{phones.css}", "{not_notified}"] {
            assert!(!page.contains(placeholder), "{placeholder}");
        }
    }
}
