//! What a caller may not see has no influence on what they get: not on the results, the pages, the cursors or the number of
//! requests behind them.

use aws_lambda_events::encodings::Body;
use domain::media::Visibility;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::model_index::{Graph, ToldStory, ports};
use crate::handler::handle;

const CALLER: &str = "sora";
const PEOPLE: [&str; 4] = ["mina", "jun", "haneul", CALLER];
const TITLES: [&str; 3] = ["첫눈", "첫눈 오는 날", "첫차"];

/// Everything that a caller can observe of a graph.
#[derive(Debug, PartialEq)]
struct Observation {
    /// The bodies of all pages, with the length of the cursor in place of the cursor, which has a nonce.
    pages: Vec<Value>,
    suggestions: Value,
    /// Requests to the index and to DynamoDB.
    requests: (usize, usize),
}

async fn observe(graph: &Graph, limit: usize) -> Observation {
    let (ports, rules) = ports(graph, CALLER);
    let get = async |route: &str, parameters: Value| {
        let request = json!({
            "version": "2.0", "routeKey": route, "rawPath": "/", "headers": {},
            "rawQueryString": serde_urlencoded::to_string(&parameters).expect("a query"), "isBase64Encoded": false,
            "requestContext": {
                "http": {"method": "GET"},
                "authorizer": {"jwt": {"claims": {"sub": CALLER, "token_use": "access"}, "scopes": []}}
            }
        });
        let response = handle(&ports, &serde_json::from_value(request).expect("a request")).await;
        let Some(Body::Text(body)) = response.body else { panic!("no text") };
        assert_eq!(response.status_code, 200, "{body}");
        serde_json::from_str::<Value>(&body).expect("JSON")
    };
    let mut pages = Vec::new();
    let mut parameters = json!({"q": "첫", "limit": limit.to_string()});
    loop {
        let mut page = get("GET /v1/search", parameters.clone()).await;
        let next = page["next"].as_str().map(str::to_owned);
        if let Some(next) = &next {
            page["next"] = next.len().into();
        }
        pages.push(page);
        match next {
            Some(next) => parameters["cursor"] = next.into(),
            None => break,
        }
    }
    let suggestions = get("GET /v1/search/suggestions", json!({"q": "첫"})).await;
    let calls = rules.iter().map(aws_smithy_mocks::Rule::num_calls).sum();
    Observation { pages, suggestions, requests: (ports.index.requests.get(), calls) }
}

fn stories() -> impl Strategy<Value = Vec<ToldStory>> {
    let story = (0..PEOPLE.len(), 0..TITLES.len(), prop::sample::select(Visibility::ALL.to_vec()), 0..5_i64);
    prop::collection::vec(story, 0..40).prop_map(|stories| {
        let told =
            |(number, (author, title, visibility, told_at)): (usize, (usize, usize, Visibility, i64))| ToldStory {
                // The order by id differs from the order of the list.
                id: format!("s{}", number * 7 % 41),
                title: TITLES[title].to_owned(),
                author: PEOPLE[author].to_owned(),
                visibility,
                told_at: 1_795_305_600_000 + told_at,
            };
        stories.into_iter().enumerate().map(told).collect()
    })
}

fn graphs() -> impl Strategy<Value = Graph> {
    let people = || prop::collection::btree_set(prop::sample::select(PEOPLE[..3].to_vec()), 0..3);
    (stories(), people(), people()).prop_map(|(stories, followed, blocked)| Graph {
        stories,
        followed: followed.into_iter().map(str::to_owned).collect(),
        blocked: blocked.into_iter().map(str::to_owned).collect(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn hidden_stories_change_nothing_that_a_caller_observes(graph in graphs(), limit in 1..6_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut visible = graph.clone();
        visible.stories.retain(|story| graph.shows(CALLER, story));
        let (with, without) =
            runtime.block_on(async { (observe(&graph, limit).await, observe(&visible, limit).await) });
        let found: usize = with.pages.iter().map(|page| page["items"].as_array().map_or(0, Vec::len)).sum();
        prop_assert_eq!(found, visible.stories.len(), "what may be seen is found");
        prop_assert_eq!(with, without);
    }
}
