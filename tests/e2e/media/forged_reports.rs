//! Messages that a worker could send about items of another worker.

use domain::media::{Declared, ObjectChange, ObjectEvent, ObjectVersion, Original, Outcome, Reason, Report, Sequencer};
use test_support::{
    photographs::photograph,
    queues::{send_message, take_messages},
    s3_events::s3_notification,
    wait::wait_until,
};

use crate::deployed::Deployed;

/// Later than all sequencers of the emulator.
const LATEST: &str = "FF00000000000000";

fn failed(key: &str, size: usize) -> String {
    let event = ObjectEvent {
        key: key.to_owned(),
        at: "2026-11-22T00:00:00Z".parse().expect("time"),
        sequencer: Sequencer::parse(LATEST).expect("sequencer"),
        change: ObjectChange::Created { size: size as u64, version: ObjectVersion::of_etag("e") },
    };
    let original = Original::of(&event, size as u64, Declared::default()).expect("owned");
    let report = Report { original, outcome: Outcome::Failed { reason: Reason::Corrupt }, detected_type: None };
    serde_json::to_string(&report).expect("JSON")
}

#[tokio::test]
async fn picture_is_unchanged_by_reports_and_events_of_the_other_worker() {
    let deployed = Deployed::shared().await;
    let key = "photo/forged/a.jpg";
    let content = photograph("고양이.jpg");
    let id = deployed.put_original(key, "image/jpeg", content.clone()).await;
    let before = deployed.wait_until_processed(id).await;
    let removed = s3_notification("ObjectRemoved:DeleteMarkerCreated", key, LATEST, 0, "e");
    for body in [failed(key, content.len()), removed] {
        send_message(&deployed.aws, deployed.output("SoundReportsQueueUrl"), &body).await;
        wait_until("the dead letter", async || {
            let dead_letters = deployed.output("SoundReportsDeadLettersUrl");
            !take_messages(&deployed.aws, dead_letters, |letter| letter == body).await.is_empty()
        })
        .await;
    }
    let after = deployed.item(id).await.expect("the item");
    assert_eq!((&after["state"], &after["placeholder"]), (&before["state"], &before["placeholder"]));
}
