//! The photograph that the events of `tests/events` name.

use aws_client::AwsClient;
use domain::media::{Declared, Derivatives, Intent, Kind, MediaId, Original, Outcome, Picture, Report, Sequencer};
use test_support::photographs::photograph;

/// The key of its original.
pub const KEY: &str = "photo/mina/고양이.jpg";

/// Stores its original.
pub async fn store_photograph(aws: &AwsClient) {
    aws.put_object("originals", KEY, "image/jpeg", photograph("고양이.jpg")).await.expect("object stored");
}

/// The report of a worker that has processed it.
pub fn ready_report() -> Report {
    let derived = Derivatives::Picture(Picture {
        width: 451,
        height: 300,
        thumb_hash: "AA==".into(),
        dominant_colour: "#102030".into(),
        variants: vec![],
    });
    let original = Original {
        id: MediaId::of_key(KEY),
        key: KEY.into(),
        kind: Kind::Photo,
        owner: "mina".into(),
        size: 34_306,
        uploaded_at: "2026-11-22T03:04:05.678Z".parse().expect("time"),
        sequencer: Sequencer::parse("0055AED6DCD90281E5").expect("sequencer"),
        declared: Declared { content_type: Some("image/jpeg".into()), intent: Intent::default() },
    };
    Report { original, outcome: Outcome::Ready(derived), detected_type: Some("image/jpeg".to_owned()) }
}
