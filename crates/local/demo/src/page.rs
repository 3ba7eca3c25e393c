use std::fmt::Write;

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    Shown,
    day::{Day, Untold},
    drawing, list, metadata, shortened, size,
};

/// One page that needs nothing but itself.
pub fn render(shown: &[Shown], story: &str, day: &Day) -> Result<String> {
    let mut figures = String::new();
    for photograph in shown {
        figure(&mut figures, photograph).with_context(|| format!("cannot show {}", photograph.name))?;
    }
    let mut untold = String::new();
    for Untold { what, why } in &day.untold {
        writeln!(untold, "<li>{}: {}</li>", escape(what), escape(why))?;
    }
    let phones = drawing::phones(&day.phones);
    let (mut page, mut rest) = (String::new(), include_str!("page.html"));
    // One pass: what stands in a place is not looked into for more of them.
    for (place, text) in [
        ("{phones.css}", drawing::STYLE),
        ("{figures}", &figures),
        ("{story}", story),
        ("{phones}", &phones),
        ("{untold}", &untold),
    ] {
        let (before, after) = rest.split_once(place).with_context(|| format!("the page has no place {place}"))?;
        page.extend([before, text]);
        rest = after;
    }
    Ok(page + rest)
}

fn figure(page: &mut String, shown: &Shown) -> Result<()> {
    let item = &shown.item;
    let links: Vec<String> = list(&item["variants"])
        .iter()
        .zip(&shown.variants)
        .map(|(variant, bytes)| data_url(variant["type"].as_str().unwrap_or_default(), bytes))
        .collect();
    // The page shows what a phone would fetch: the middle size.
    let middle = list(&item["variants"]).iter().position(|variant| {
        variant["type"] == "image/webp" && variant["width"].as_u64().max(variant["height"].as_u64()) <= Some(512)
    });
    let middle = middle.unwrap_or_default();
    let found: Vec<String> = shown.variants.iter().flat_map(|bytes| metadata::in_picture(bytes)).collect();
    let says = |found: &[String]| if found.is_empty() { "no metadata".to_owned() } else { found.join(", ") };

    writeln!(page, "<article><h2>{}</h2><div class=\"pair\">", escape(&shown.name))?;
    let colour = item["placeholder"]["colour"].as_str().unwrap_or("#000000");
    let placeholder = placeholder(item["placeholder"]["thumbHash"].as_str().unwrap_or_default())?;
    let ratio = format!("{} / {}", item["width"], item["height"]);
    writeln!(
        page,
        "<figure><div class=\"picture\" style=\"aspect-ratio: {ratio}; background: {colour}\"><img src=\"{placeholder}\" \
         alt=\"\"></div><figcaption>while it loads: ThumbHash over <span class=\"swatch\" style=\"background: \
         {colour}\"></span> {colour}</figcaption></figure>"
    )?;
    writeln!(
        page,
        "<figure><div class=\"picture\" style=\"aspect-ratio: {ratio}\"><img src=\"{}\" alt=\"{}\"></div>\
         <figcaption>{} × {}, ready {} ms after the upload</figcaption></figure></div>",
        links.get(middle).map(String::as_str).unwrap_or_default(),
        escape(&shown.name),
        item["width"],
        item["height"],
        shown.took.as_millis()
    )?;
    writeln!(page, "<table><thead><tr><th>variant</th><th>type</th><th>size</th></tr></thead><tbody>")?;
    for ((variant, bytes), link) in list(&item["variants"]).iter().zip(&shown.variants).zip(&links) {
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
        "<p>The original, {}, carries {}. Its variants carry {}.</p>",
        size(shown.original_bytes as u64),
        escape(&says(&shown.original_metadata)),
        escape(&says(&found))
    )?;
    let json = serde_json::to_string_pretty(&shortened(item.clone()))?;
    writeln!(
        page,
        "<details><summary>The item as the API answers it</summary><pre>{}</pre></details></article>",
        escape(&json)
    )?;
    Ok(())
}

/// What a client draws from a `ThumbHash`.
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_page_is_filled() {
        let untold = Untold { what: "Sam likes <it>".into(), why: "{phones}".into() };
        let page = render(&[], "<audio>", &Day { phones: Vec::new(), untold: vec![untold] }).unwrap();
        assert!(page.contains("<li>Sam likes &lt;it&gt;: {phones}</li>") && page.contains("class=\"phones\""));
        assert!(page.contains(".bezel {"), "the style");
        assert!(page.contains("<audio>"), "the story");
        for place in ["{figures}", "{story}", "{phones.css}", "{untold}"] {
            assert!(!page.contains(place), "{place}");
        }
    }
}
