use std::collections::BTreeSet;

use api::{MediaField, MediaItem, Problem};
use store::media::Projection;

/// The fields of derivatives, which are the last in the list.
fn derivative_fields() -> impl Iterator<Item = MediaField> {
    MediaField::ALL.into_iter().skip_while(|field| *field != MediaField::Width)
}

/// The fields that contain links.
const LINKED: [MediaField; 3] = [MediaField::Variants, MediaField::Waveform, MediaField::Renditions];

/// The fields of an item that a client requests; `None` for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Option<BTreeSet<MediaField>>);

impl Fields {
    /// All fields.
    pub fn all() -> Self {
        Self(None)
    }

    /// The fields with these names.
    ///
    /// # Errors
    /// 400 if a name is unknown.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Problem> {
        let fields: Result<BTreeSet<_>, _> = names.into_iter().map(str::parse).collect();
        fields.map(Self::some).map_err(|_| {
            let all = MediaField::ALL.map(<&str>::from).join(", ");
            Problem::invalid_request(format!("`fields` must name some of {all}"))
        })
    }

    /// These fields; all, if there is none. Some generated clients send an empty list in place of none.
    pub fn some(fields: BTreeSet<MediaField>) -> Self {
        if fields.is_empty() { Self::all() } else { Self(Some(fields)) }
    }

    /// The part of the row that the fields need.
    pub fn projection(&self) -> Projection {
        match &self.0 {
            Some(fields) if derivative_fields().all(|field| !fields.contains(&field)) => Projection::Brief,
            _ => Projection::Full,
        }
    }

    /// Whether some of the fields contain links.
    pub fn have_links(&self) -> bool {
        self.0.as_ref().is_none_or(|fields| LINKED.iter().any(|field| fields.contains(field)))
    }

    /// Clears all other fields of an item, except the required ones.
    pub fn select(&self, mut item: MediaItem) -> MediaItem {
        if let Some(fields) = &self.0 {
            MediaField::ALL.into_iter().filter(|field| !fields.contains(field)).for_each(|field| item.clear(field));
        }
        item
    }

    /// A text that identifies the set of fields.
    pub fn text(&self) -> String {
        self.0
            .as_ref()
            .map_or_else(|| "*".to_owned(), |fields| fields.iter().map(<&str>::from).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use domain::media::{Kind, MediaId, Visibility};
    use serde_json::json;

    use super::*;

    /// An item with every field.
    fn item() -> MediaItem {
        MediaItem {
            id: MediaId::of_key("photo/mina/a.jpg"),
            kind: Kind::Photo,
            owner: "mina".into(),
            uploaded_at: "2026-11-22T00:00:00.000Z".into(),
            content_type: Some("image/png".into()),
            detected_type: Some("image/png".into()),
            bytes: 7,
            visibility: Visibility::Public,
            post: "p".to_owned().try_into().ok(),
            file_name: "a.png".to_owned().try_into().ok(),
            state: api::MediaState::Ready,
            reason: Some(domain::media::Reason::Empty),
            taken_down_for: Some(domain::user_report::ReportReason::Spam),
            width: Some(4),
            height: Some(3),
            placeholder: Some(api::Placeholder { thumb_hash: "AA==".into(), colour: "#102030".into() }),
            variants: Some(Vec::new()),
            duration_ms: Some(1_000),
            codec: Some("opus".into()),
            sample_rate: Some(48_000),
            channels: Some(1),
            loudness: Some(api::Loudness { integrated_lufs: None, range_lu: None, true_peak_dbtp: None, gain_db: 0.0 }),
            silence: Some(api::Silence { leading_ms: 0, trailing_ms: 0, pauses: Vec::new() }),
            waveform: Some(api::Waveform { preview: "AA".into(), files: Vec::new() }),
            renditions: Some(Vec::new()),
        }
    }

    fn named(text: &str) -> Result<Fields, u16> {
        Fields::named(text.split(',')).map_err(|problem| problem.status)
    }

    #[test]
    fn unknown_field_returns_400() {
        for text in ["", ",", "key", "id,", "Id", "id,position", "derived"] {
            assert_eq!(named(text), Err(400), "{text}");
        }
        assert_eq!(named("state,id,state").map(|fields| fields.text()), Ok("id,state".to_owned()));
    }

    #[test]
    fn only_requested_fields_are_read_signed_and_returned() {
        let (brief, sized) = (named("state").expect("fields"), named("width").expect("fields"));
        assert_eq!((brief.projection(), brief.have_links()), (Projection::Brief, false));
        assert_eq!((sized.projection(), sized.have_links()), (Projection::Full, false));
        for (text, linked) in [("renditions", true), ("waveform", true), ("durationMs", false), ("loudness", false)] {
            let fields = named(text).expect("fields");
            assert_eq!((fields.projection(), fields.have_links()), (Projection::Full, linked), "{text}");
        }
        assert_eq!((Fields::all().projection(), Fields::all().have_links()), (Projection::Full, true));
        let required = json!({
            "id": item().id, "kind": "photo", "owner": "mina", "uploadedAt": "2026-11-22T00:00:00.000Z", "bytes": 7,
            "visibility": "public", "state": "ready",
        });
        assert_eq!(json!(brief.select(item())), required);
        assert_eq!(Fields::all().select(item()), item());
    }

    #[test]
    fn every_field_is_requested_by_its_serialized_name() {
        assert_eq!(json!(item()).as_object().map(|item| item.len()), Some(MediaField::ALL.len()));
        for field in MediaField::ALL {
            let name = <&str>::from(field);
            assert_eq!(json!(field), json!(name));
            let one = json!(named(name).expect("a field").select(item()));
            let required = json!(named("id").expect("a field").select(item()));
            let names = one.as_object().expect("an object").keys();
            let names: Vec<_> = names.filter(|name| required.get(name).is_none()).collect();
            assert_eq!(names, if required.get(name).is_some() { vec![] } else { vec![name] });
        }
    }
}
