//! Lambda stops a function that feeds its own event source after about 16 turns, unless its `RecursiveLoop` is `Allow`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    metrics::Metric,
    roles::{find_targets, grants},
    template::{Template, resource, text},
};

/// Functions that hand a message on to a queue behind which it ends after a few turns, which Lambda does not stop. Without
/// permission for more, it would stop a mistake. audio-worker never hands on what comes from its second queue.
/// metadata-writer sends a file of a story after each copy of the original; the copy is compared with the story, and is
/// copied again only if the story has changed.
const HANDED_ON_FEW_TIMES: [(&str, &str); 2] =
    [("AudioWorker", "SlowAudioQueue"), ("MetadataWriter", "StoryFilesQueue")];

/// Which resource sends events to which.
#[derive(Default)]
struct Events(BTreeMap<String, BTreeSet<String>>);

impl Events {
    /// Functions to what their roles may write, buckets to their topics, topics to their queues, queues to their functions.
    fn of(template: &Template) -> Self {
        let mut events = Self::default();
        for (name, function) in template.resources("AWS::Serverless::Function") {
            for grant in grants(function) {
                let writes = ["sqs:SendMessage", "sns:Publish", "s3:PutObject", "s3:DeleteObject", "lambda:Invoke"];
                if writes.iter().any(|action| grant.action.starts_with(action))
                    && let Some(target) = grant.resource(template)
                    && !HANDED_ON_FEW_TIMES.contains(&(name, target))
                {
                    events.add(name, target);
                }
            }
        }
        for mapping in template.resources("AWS::Lambda::EventSourceMapping").values() {
            let name = |property: &str| resource(text(&mapping["Properties"][property]).expect("a reference"));
            events.add(name("EventSourceArn"), name("FunctionName"));
        }
        for subscription in template.resources("AWS::SNS::Subscription").values() {
            let name = |property: &str| resource(text(&subscription["Properties"][property]).expect("a reference"));
            events.add(name("TopicArn"), name("Endpoint"));
        }
        for (name, bucket) in template.resources("AWS::S3::Bucket") {
            let targets = bucket["Properties"].get("NotificationConfiguration").map(find_targets).unwrap_or_default();
            targets.into_iter().for_each(|target| events.add(name, target));
        }
        events
    }

    fn add(&mut self, from: &str, to: &str) {
        self.0.entry(from.to_owned()).or_default().insert(to.to_owned());
    }

    /// Whether events of `name` can reach `name` again.
    fn feeds_itself(&self, name: &str) -> bool {
        let (mut reached, mut open) = (BTreeSet::new(), vec![name]);
        while let Some(from) = open.pop() {
            for to in self.0.get(from).into_iter().flatten() {
                if to == name {
                    return true;
                }
                if reached.insert(to) {
                    open.push(to);
                }
            }
        }
        false
    }
}

/// The functions that feed themselves, and those that may.
fn of(template: &Template) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let events = Events::of(template);
    let functions = template.resources("AWS::Serverless::Function");
    let feeds = functions.keys().copied().filter(|name| events.feeds_itself(name)).collect();
    let allowed =
        |function: &yaml_serde::Value| function["Properties"].get("RecursiveLoop").and_then(text) == Some("Allow");
    let may = functions.iter().filter(|(_, function)| allowed(function)).map(|(name, _)| *name).collect();
    (feeds, may)
}

#[test]
fn exactly_functions_that_feed_themselves_are_allowed_to() {
    let template = Template::read("template.yaml");
    let (feeds, may) = of(&template);
    assert_eq!(feeds, may);
    let bounded = BTreeSet::from(["AccountApi", "DeviceApi", "ExportWorker", "MediaApi", "PushFanout"]);
    assert_eq!(feeds, bounded, "a new loop needs a bound on its turns, then an entry here");
}

#[test]
fn function_that_feeds_itself_has_an_alarm_for_stopped_loops() {
    let template = Template::read("template.yaml");
    let alarms = Template::all();
    let alarms = alarms.iter().flat_map(|template| template.resources("AWS::CloudWatch::Alarm").into_values());
    let metrics = alarms.map(|alarm| Metric::of_alarm(&alarm["Properties"]));
    let watched: BTreeSet<_> = metrics
        .filter(|metric| metric.name == "RecursiveInvocationsDropped")
        .map(|metric| resource(&metric.dimensions["FunctionName"]).to_owned())
        .collect();
    assert_eq!(of(&template).0.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), watched);
}

#[test]
fn loops_through_queues_topics_and_buckets_are_found() {
    let mut events = Events::default();
    let edges = [
        ("Function", "Bucket"),
        ("Bucket", "Topic"),
        ("Topic", "Queue"),
        ("Queue", "Function"),
        ("Other", "Queue"),
        ("Queue", "DeadLetters"),
    ];
    edges.iter().for_each(|(from, to)| events.add(from, to));
    assert!(events.feeds_itself("Function"));
    assert!(!events.feeds_itself("Other") && !events.feeds_itself("DeadLetters"));
}
