//! The functions of search, each alone and as built for AWS, by the Lambda Runtime API: a story is
//! told and found.
//!
//! The same files serve `sam local invoke <Function> -e tests/events/<file>.json`.

mod support;

use local::{
    aws::Aws,
    emulator::Emulator,
    functions,
    runtime_api::{Answer, Function},
    search::SearchServer,
};
use serde_json::{Value, json};
use support::{create_fifo_queue, event, eventually, http_answer, messages};

#[tokio::test]
async fn the_functions_of_search_keep_their_contracts() {
    let mut world = World::new().await;
    let (mut indexer, mut api) = (world.start("SearchIndexer").await, world.start("SearchApi").await);
    let search = event("search");
    let (status, page) = http_answer(api.invoke(&search).await.expect("an answer"));
    assert_eq!((status, &page), (200, &json!({"items": []})), "there is no index yet");

    let changes = event("search-changes");
    let all_done = Answer::Response(json!({"batchItemFailures": []}));
    assert_eq!(indexer.invoke(&changes).await.expect("an answer"), all_done);
    assert_eq!(messages(&world.aws, &world.dead_letters, 1).await, ["this is not a change"]);
    let story = eventually("the story", async || {
        let (status, page) = http_answer(api.invoke(&search).await.expect("an answer"));
        assert_eq!(status, 200, "{page}");
        page["items"].get(0).cloned()
    })
    .await;
    let expected = json!({
        "kind": "story", "id": "s1", "title": "서울에서 만난 첫눈", "author": {"id": "mina", "name": "미나"},
        "publishedAt": "2026-11-22T03:04:05.678Z", "visibility": "public", "tags": [],
        // This server marks whole words.
        "highlight": [{"text": "서울에서", "match": true}, {"text": " 만난 첫눈", "match": false}]
    });
    assert_eq!(story, expected);
    let suggestions = asked(&search, "GET /v1/search/suggestions", json!({"q": "만"}));
    let (_, suggested) = http_answer(api.invoke(&suggestions).await.expect("an answer"));
    assert_eq!(suggested, json!({"items": [{"kind": "story", "id": "s1", "text": "서울에서 만난 첫눈"}]}));

    // A replay is no news, and nothing but what is listed is in the index.
    let before = world.documents().await;
    assert!(!before.to_string().contains("iyagi.example") && !before.to_string().contains("126.97"), "{before}");
    assert_eq!(before.as_array().map(Vec::len), Some(2), "{before}");
    assert_eq!(indexer.invoke(&changes).await.expect("an answer"), all_done);
    assert_eq!(world.documents().await, before);

    // Made anew from the table, in an index of its own.
    let order = json!({"rebuild": {"number": 2}});
    let answer = indexer.invoke(&order).await.expect("an answer");
    assert_eq!(answer, Answer::Response(json!({"offered": 4, "refused": 0})), "each in both passes");
    assert_eq!(world.documents().await, before);
    let (_, page) = http_answer(api.invoke(&search).await.expect("an answer"));
    assert_eq!(page["items"], json!([expected]));

    // The mirror holds what the index of people does not, also in an index of its own.
    let query =
        |query: &str| json!({"query": {"query_string": {"query": query}}, "sort": [{"entity_id.keyword": "asc"}]});
    let by_place = query("predicates.location.value:\"37.56,126.97\" AND entity_type:story");
    let mirrored = json!([[
        "aa3c25d1c1968a3e7fb37d0fe47470f6", 1, {
            "entity_id": "s1", "entity_type": ["story"], "document_type": "vertex",
            "predicates": {"location": [{"value": "37.56,126.97"}], "title": [{"value": "서울에서 만난 첫눈"}]}
        }
    ]]);
    assert_eq!(world.found_in("amazon_neptune", &by_place).await, mirrored);
    let all = world.found_in("amazon_neptune", &query("*")).await;
    let order = json!({"rebuild": {"number": 2, "mirror": true}});
    let answer = indexer.invoke(&order).await.expect("an answer");
    assert_eq!(answer, Answer::Response(json!({"offered": 6, "refused": 0})), "two vertices and an edge, twice");
    assert_eq!(world.found_in("amazon_neptune", &query("*")).await, all);
    assert_eq!(world.found_in("amazon_neptune-000002", &by_place).await, mirrored);

    for (parameters, status) in [(json!({}), 400), (json!({"q": "x".repeat(10_000)}), 400), (json!({"q": "((*"}), 200)]
    {
        let request = asked(&search, "GET /v1/search", parameters);
        assert_eq!(http_answer(api.invoke(&request).await.expect("an answer")).0, status);
    }
    let mut stranger = search.clone();
    stranger["requestContext"].as_object_mut().expect("an object").remove("authorizer");
    let (status, problem) = http_answer(api.invoke(&stranger).await.expect("an answer"));
    assert_eq!((status, &problem["type"]), (401, &json!("urn:iyagi:problem:unauthorized")));

    // Without an index, what comes waits, and who asks is told to try again.
    drop(world.search.take());
    let Answer::Response(answer) = indexer.invoke(&changes).await.expect("an answer") else { panic!("it failed") };
    assert_eq!(answer["batchItemFailures"].as_array().map(Vec::len), Some(3), "{answer}");
    let (status, problem) = http_answer(api.invoke(&search).await.expect("an answer"));
    assert_eq!((status, &problem["type"]), (503, &json!("urn:iyagi:problem:unavailable")));
}

fn asked(event: &Value, route: &str, parameters: Value) -> Value {
    let mut event = event.clone();
    event["routeKey"] = route.into();
    event["queryStringParameters"] = parameters;
    event
}

/// What the functions reach: an emulator, and a server that speaks OpenSearch's language.
struct World {
    emulator: Emulator,
    /// Until it is ended.
    search: Option<SearchServer>,
    endpoint: String,
    aws: Aws,
    dead_letters: String,
    secret: String,
    queue: String,
}

impl World {
    async fn new() -> Self {
        let emulator = Emulator::start("contract/search", false).expect("an emulator");
        let aws = Aws::new(emulator.endpoint());
        let search = SearchServer::start(0).expect("a server");
        let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
        let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
        for (name, attributes, schema) in [
            ("search", json!([attribute("id")]), json!([key("id", "HASH")])),
            ("mirror", json!([attribute("id")]), json!([key("id", "HASH")])),
            ("audience", json!([attribute("pk"), attribute("sk")]), json!([key("pk", "HASH"), key("sk", "RANGE")])),
        ] {
            let table = json!({
                "TableName": name, "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": attributes, "KeySchema": schema
            });
            aws.json("dynamodb", "DynamoDB_20120810.CreateTable", &table).await.expect("a table");
        }
        let queue = create_fifo_queue(&aws, "search.fifo").await;
        let dead_letters = create_fifo_queue(&aws, "search-dlq.fifo").await;
        let secret = json!({"Name": "sealing", "SecretString": "0123456789abcdef0123456789abcdef"});
        aws.json("secretsmanager", "secretsmanager.CreateSecret", &secret).await.expect("a secret");
        let endpoint = search.endpoint();
        Self { emulator, search: Some(search), endpoint, aws, queue, dead_letters, secret: "sealing".to_owned() }
    }

    async fn start(&self, logical_id: &str) -> Function {
        let endpoint = self.emulator.endpoint();
        let environment = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", local::emulator::ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", local::emulator::SECRET_KEY),
            ("AWS_REGION", local::emulator::REGION),
            ("SEARCH_TABLE", "search"),
            ("AUDIENCE_TABLE", "audience"),
            ("SEARCH_INDEX", "search"),
            ("SEARCH_ANALYZER", "bigram"),
            ("MIRROR_TABLE", "mirror"),
            ("MIRROR_INDEX", "amazon_neptune"),
            ("CALLER_BURST", "100"),
            ("CALLER_RATE", "10"),
            ("OPENSEARCH_ENDPOINT_URL", &self.endpoint),
            ("SEALING_SECRET_ARN", &self.secret),
            ("CALLER_BURST", "20"),
            ("CALLER_RATE", "1"),
            ("QUEUE_URL", &self.queue),
            ("DEAD_LETTER_QUEUE_URL", &self.dead_letters),
        ];
        Function::start(&functions::bootstrap(logical_id), &environment).await.expect("the function starts")
    }

    /// All documents where the alias leads, with their versions.
    async fn documents(&self) -> Value {
        self.found_in("search", &json!({"query": {"match_all": {}}, "sort": [{"id": "asc"}]})).await
    }

    /// What a query finds in an index, with versions.
    async fn found_in(&self, index: &str, query: &Value) -> Value {
        let path = |path: &str| format!("{}/{index}/{path}", self.endpoint);
        reqwest::get(path("_refresh")).await.expect("an answer");
        let mut body = query.clone();
        (body["version"], body["size"]) = (json!(true), json!(100));
        let request = reqwest::Client::new().post(path("_search")).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.expect("an answer").bytes().await.expect("a body");
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        let document = |hit: &Value| json!([hit["_id"], hit["_version"], hit["_source"]]);
        answer["hits"]["hits"].as_array().expect("hits").iter().map(document).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.emulator.stop().expect("the emulator ends");
    }
}
