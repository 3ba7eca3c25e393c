use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    Decision, Declared, Derivatives, Kind, MediaId, Notification, NotificationError, ObjectEvent, OriginalKey,
    Sequencer, UnknownKey,
};

/// Message of a worker to `metadata-writer`: the outcome of processing one original.
///
/// It contains all of the S3 event and of the declared metadata, so it may arrive before the S3 event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The processed original.
    pub original: Original,
    /// Outcome of processing.
    pub outcome: Outcome,
    /// Content type by the bytes, whatever was declared. `None` if it is unknown or the report is of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_type: Option<String>,
}

/// One version of an original: an object with its place in S3's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// Hash of the key.
    pub id: MediaId,
    /// Key in the bucket of originals.
    pub key: String,
    /// Kind in the key.
    pub kind: Kind,
    /// Owner in the key.
    pub owner: String,
    /// Size in bytes.
    pub size: u64,
    /// Time at which S3 stored it.
    pub uploaded_at: Timestamp,
    /// S3's order of the key's events.
    pub sequencer: Sequencer,
    /// Declared metadata.
    pub declared: Declared,
}

impl Original {
    /// The original that `event` created, with its declared metadata. Fails if the key has no owner.
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

/// Outcome of processing an original.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Outcome {
    /// Processed.
    Ready(Derivatives),
    /// Cannot be processed, permanently.
    Failed {
        /// Reason of the failure.
        reason: Reason,
    },
}

/// Reason why an original cannot be processed. The names are stable: they are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema), schema(as = FailureReason, description = "Reason why an upload cannot be processed. New reasons may be added."))]
pub enum Reason {
    /// The object is empty.
    Empty,
    /// The object exceeds the size limit of its kind.
    TooLarge,
    /// The content is in no supported format.
    UnsupportedFormat,
    /// The picture's format is not the declared one. Only items of earlier versions have it: content decides now.
    TypeMismatch,
    /// The header declares more pixels than the limit.
    TooManyPixels,
    /// The recording exceeds the limit of duration, or of processing time.
    TooLong,
    /// A video without an audio track, or a recording without samples.
    NoSound,
    /// The file ends too early.
    Truncated,
    /// The file is invalid in its format.
    Corrupt,
}

/// A message of `metadata-writer`: from S3, a worker or an operator.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Objects were created or removed.
    Notification(Notification),
    /// An original was processed.
    Report(Box<Report>),
    /// An operator has decided about an item.
    Decision(Decision),
}

impl Message {
    /// Parses each kind. A report is recognised by its field `original`, so that an error names a place in the report; a
    /// decision by its `type`.
    pub fn parse(json: &str) -> Result<Self, NotificationError> {
        #[derive(Deserialize)]
        struct Head {
            original: Option<IgnoredAny>,
            r#type: Option<IgnoredAny>,
        }
        let Head { original, r#type } = serde_json::from_str(json)?;
        Ok(match (original, r#type) {
            (Some(_), _) => Self::Report(serde_json::from_str(json)?),
            (None, Some(_)) => Self::Decision(serde_json::from_str(json)?),
            (None, None) => Self::Notification(Notification::parse(json)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        media::{File, Intent, Loudness, Pause, Picture, Rendition, Silence, Sound, Waveform},
        user_report::ReportReason,
    };

    #[test]
    fn report_round_trips() {
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
        for (outcome, expected) in [
            (Outcome::Failed { reason: Reason::TooManyPixels }, r#"{"state":"failed","reason":"too_many_pixels"}"#),
            (Outcome::Ready(picture()), r#"{"state":"ready","width":4,"height":3,"#),
            (Outcome::Ready(sound()), r#"{"state":"ready","duration_ms":1500,"codec":"aac_lc","#),
        ] {
            let detected_type = Some("image/png".to_owned());
            let report = Report { original: original.clone(), outcome, detected_type };
            let text = serde_json::to_string(&report).expect("JSON");
            assert!(text.contains(&format!(r#""outcome":{expected}"#)), "{text}");
            assert_eq!(Message::parse(&text).expect("a message"), Message::Report(Box::new(report.clone())));
            // A report of the version before has no detected type.
            let before = text.replace(r#","detected_type":"image/png""#, "");
            assert_ne!(before, text);
            let report = Report { detected_type: None, ..report };
            assert_eq!(Message::parse(&before).expect("a message"), Message::Report(Box::new(report)));
        }
    }

    #[test]
    fn decision_is_recognised_by_its_type() {
        let (id, sequencer) = (MediaId::of_key("photo/mina/a"), Sequencer::parse("0A").expect("a sequencer"));
        let take_down = Decision::TakeDown { id, sequencer: sequencer.clone(), reason: ReportReason::Hate };
        for decision in [take_down, Decision::Restore { id, sequencer }] {
            let json = serde_json::to_string(&decision).expect("JSON");
            assert_eq!(Message::parse(&json).expect("a message"), Message::Decision(decision));
        }
        assert!(Message::parse(r#"{"type":"app.iyagi.media.take-down","id":"x"}"#).is_err());
        assert!(Message::parse(r#"{"type":"app.iyagi.media.other"}"#).is_err());
    }

    #[test]
    fn malformed_report_is_rejected_with_its_place() {
        let json = r#"{"original":{"id":7},"outcome":{"state":"failed","reason":"corrupt"}}"#;
        let Err(NotificationError::Shape(error)) = Message::parse(json) else { panic!("a message") };
        assert_eq!((error.line(), error.column()), (1, 19), "{error}");
    }

    #[test]
    fn reason_has_one_name() {
        use Reason::{
            Corrupt, Empty, NoSound, TooLarge, TooLong, TooManyPixels, Truncated, TypeMismatch, UnsupportedFormat,
        };
        for reason in
            [Empty, TooLarge, UnsupportedFormat, TypeMismatch, TooManyPixels, TooLong, NoSound, Truncated, Corrupt]
        {
            assert_eq!(json!(reason), <&str>::from(reason));
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
                // JSON and DynamoDB may write it without a fraction.
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
    fn messages_of_s3_and_workers_are_parsed() {
        let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent"}).to_string();
        assert_eq!(
            Message::parse(&test).expect("a message"),
            Message::Notification(Notification { events: vec![], unknown: vec![] })
        );
        for text in ["", "{}", "[]", "한국어", r#"{"original":{}}"#] {
            assert!(Message::parse(text).is_err(), "{text}");
        }
    }
}
