//! Reservations of concurrent executions.

use std::collections::BTreeMap;

use yaml_serde::Value as Yaml;

use super::template::{Template, text};

/// Event sources ignore reservations. Requests find no execution free if the function's queues use all that it reserves.
#[test]
fn reservation_that_queues_can_use_up_is_refused() {
    let template = Template::read("template.yaml");
    let mut used = BTreeMap::<_, Option<u64>>::new();
    for source in template.resources("AWS::Lambda::EventSourceMapping").values() {
        let function = text(&source["Properties"]["FunctionName"]).expect("a function");
        let maximum = source["Properties"]["ScalingConfig"]["MaximumConcurrency"].as_u64();
        // Others depend on the scale, so they are no numbers.
        used.entry(function)
            .and_modify(|used| *used = used.zip(maximum).map(|(one, other)| one + other))
            .or_insert(maximum);
    }
    let functions = template.resources("AWS::Serverless::Function").into_iter();
    let reserving = functions.filter(|(_, function)| {
        let reservation = &function["Properties"]["ReservedConcurrentExecutions"];
        let reservation = reservation.as_sequence().into_iter().flatten();
        reservation.into_iter().any(|value| text(value) == Some("ApiConcurrency"))
    });
    let used = reserving.filter_map(|(name, _)| used.get(name));
    let most = used
        .map(|used| used.expect("a reserving function has a fixed maximum"))
        .max()
        .expect("a function with requests and a queue");
    let assertion = &template.yaml["Rules"]["ApiConcurrencyExceedsThatOfQueues"]["Assertions"][0]["Assert"];
    let refused = &assertion["Fn::Not"][0]["Fn::Contains"];
    assert_eq!(text(&refused[1]), Some("ApiConcurrency"));
    let refused: Vec<_> = refused[0].as_sequence().into_iter().flatten().filter_map(Yaml::as_str).collect();
    let expected: Vec<_> = (1..=most).map(|number| number.to_string()).collect();
    assert_eq!(refused, expected);
}
