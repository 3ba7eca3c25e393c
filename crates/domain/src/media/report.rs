use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Declared, Kind, MediaId, Notification, NotificationError, ObjectEvent, OriginalKey, Sequencer, Sound, UnknownKey,
    event,
};

/// What a worker tells `metadata-writer` about one state of one original.
///
/// It repeats all that the S3 event said and the object declared, so that it makes sense even when
/// it arrives first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was worked on.
    pub original: Original,
    /// What came of it.
    pub outcome: Outcome,
}

/// One state of one original: an object with a content at a place in S3's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// Derived from the key.
    pub id: MediaId,
    /// In the bucket of originals.
    pub key: String,
    /// From the key.
    pub kind: Kind,
    /// From the key.
    pub owner: String,
    /// In bytes.
    pub size: u64,
    /// When S3 stored it.
    pub uploaded_at: Timestamp,
    /// S3's order for this key.
    pub sequencer: Sequencer,
    /// From the object's headers.
    pub declared: Declared,
}

impl Original {
    /// The original that `event` tells of and that declares what is `declared`, if its key has an
    /// owner.
    pub fn of(event: &ObjectEvent, size: u64, declared: Declared) -> Result<Self, UnknownKey> {
        let OriginalKey { kind, owner } = OriginalKey::parse(&event.key)?;
        Ok(Self {
            id: MediaId::of_key(&event.key),
            key: event.key.clone(),
            kind,
            owner: owner.to_owned(),
            size,
            uploaded_at: event.at,
            sequencer: event.sequencer.clone(),
            declared,
        })
    }
}

/// What came of processing an original.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Outcome {
    /// It can be shown or heard.
    Ready(Derivatives),
    /// It never will be: trying again cannot help.
    Failed {
        /// Why.
        reason: Reason,
    },
}

/// Why an original cannot be shown or heard: stable codes, part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema), schema(as = FailureReason, description = "Why an upload cannot be shown. New reasons may come."))]
pub enum Reason {
    /// The object has no bytes.
    Empty,
    /// The object has more bytes than a picture or a recording may have.
    TooLarge,
    /// Its content is none of the formats that are read.
    UnsupportedFormat,
    /// It was uploaded as one kind of picture and is another.
    TypeMismatch,
    /// Its header claims more pixels than are decoded.
    TooManyPixels,
    /// It is a longer recording than is taken, or takes too long to prepare.
    TooLong,
    /// There is no sound in it: a video without, or a recording without a sample.
    NoSound,
    /// It ends too early.
    Truncated,
    /// It breaks the rules of its own format.
    Corrupt,
}

impl Reason {
    /// As it stands in messages and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::UnsupportedFormat => "unsupported_format",
            Self::TypeMismatch => "type_mismatch",
            Self::TooManyPixels => "too_many_pixels",
            Self::TooLong => "too_long",
            Self::NoSound => "no_sound",
            Self::Truncated => "truncated",
            Self::Corrupt => "corrupt",
        }
    }
}

/// All that was made from an original.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Derivatives {
    /// From a picture.
    Picture(Picture),
    /// From a recording.
    Sound(Box<Sound>),
}

/// All that was made from a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Of the original as shown, in pixels.
    pub width: u32,
    /// Of the original as shown, in pixels.
    pub height: u32,
    /// `ThumbHash` (<https://evanw.github.io/thumbhash/>), base 64: what to show while loading.
    pub thumb_hash: String,
    /// `#rrggbb`: what to show before that.
    pub dominant_colour: String,
    /// Largest first.
    pub variants: Vec<Variant>,
}

/// One file made from a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// In the bucket of derived files.
    pub key: String,
    /// `image/jpeg` or `image/webp`.
    pub content_type: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// In bytes.
    pub size: u64,
}

/// What arrives on `metadata-queue`: news from S3, or from a worker.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Objects came or went.
    Notification(Notification),
    /// An original has been processed.
    Report(Box<Report>),
}

impl Message {
    /// Reads either kind; anything else is a mistake of whoever sent it.
    pub fn parse(json: &str) -> Result<Self, NotificationError> {
        Ok(match serde_json::from_str(json)? {
            Wire::Report(report) => Self::Report(report),
            Wire::Notification(wire) => Self::Notification(wire.try_into()?),
        })
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Report(Box<Report>),
    Notification(event::Wire),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::media::{File, Intent, Loudness, Pause, Rendition, Silence, Waveform};

    #[test]
    fn a_report_survives_the_queue() {
        let original = Original {
            id: MediaId::of_key("photo/mina/가.jpg"),
            key: "photo/mina/가.jpg".into(),
            kind: Kind::Photo,
            owner: "mina".into(),
            size: 3,
            uploaded_at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            sequencer: Sequencer::parse("0A").expect("a sequencer"),
            declared: Declared { content_type: None, intent: Intent::default() },
        };
        for (outcome, wanted) in [
            (Outcome::Failed { reason: Reason::TooManyPixels }, r#"{"state":"failed","reason":"too_many_pixels"}"#),
            (Outcome::Ready(picture()), r#"{"state":"ready","width":4,"height":3,"#),
            (Outcome::Ready(sound()), r#"{"state":"ready","duration_ms":1500,"codec":"aac_lc","#),
        ] {
            let report = Report { original: original.clone(), outcome };
            let text = serde_json::to_string(&report).expect("JSON");
            assert!(text.contains(&format!(r#""outcome":{wanted}"#)), "{text}");
            assert_eq!(Message::parse(&text).expect("a message"), Message::Report(Box::new(report)));
        }
    }

    #[test]
    fn a_reason_has_one_name() {
        use Reason::{
            Corrupt, Empty, NoSound, TooLarge, TooLong, TooManyPixels, Truncated, TypeMismatch, UnsupportedFormat,
        };
        for reason in
            [Empty, TooLarge, UnsupportedFormat, TypeMismatch, TooManyPixels, TooLong, NoSound, Truncated, Corrupt]
        {
            assert_eq!(json!(reason), reason.as_str());
        }
    }

    fn picture() -> Derivatives {
        Derivatives::Picture(Picture {
            width: 4,
            height: 3,
            thumb_hash: "AA==".into(),
            dominant_colour: "#102030".into(),
            variants: vec![],
        })
    }

    fn sound() -> Derivatives {
        let file = File { key: "k".into(), size: 1 };
        Derivatives::Sound(Box::new(Sound {
            duration_ms: 1_500,
            codec: "aac_lc".into(),
            rate_hz: 44_100,
            channels: 1,
            loudness: Loudness {
                // As DynamoDB and JSON may write a whole number.
                integrated_lufs: Some(-23.0),
                range_lu: None,
                true_peak_dbtp: Some(-1.25),
                gain_db: 4.0,
                limited: false,
            },
            silence: Silence { leading_ms: 0, trailing_ms: 0, pauses: vec![Pause { start_ms: 0, end_ms: 600 }] },
            waveform: Waveform { preview: "AA".into(), json: file.clone(), binary: file.clone() },
            renditions: vec![Rendition { file, content_type: "audio/mp4".into(), channels: 1, rate_hz: 44_100 }],
        }))
    }

    #[test]
    fn tells_s3_from_workers() {
        let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent"}).to_string();
        assert_eq!(Message::parse(&test).expect("a message"), Message::Notification(Notification { events: vec![] }));
        for text in ["", "{}", "[]", "한국어", r#"{"original":{}}"#] {
            assert!(Message::parse(text).is_err(), "{text}");
        }
    }
}
