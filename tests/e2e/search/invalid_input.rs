//! Malicious queries, and stories with unusual properties.

use neptune::Commit;

use super::scenario::{SearchScenario, ids};

#[tokio::test]
async fn malicious_query_finds_nothing_private_and_invalid_one_returns_400() {
    let search = SearchScenario::start().await;
    let (mina, jun) = (search.sign_up("미나").await, search.sign_up("준").await);
    let private = search.publish(&mina, &search.word, "private").await;
    search.wait_until_indexed().await;
    let long = "x".repeat(7_000);
    // The gateway may refuse it before the function does.
    let response = search.query(&jun, &[("q", &"x".repeat(10_000))]).await;
    assert!([400, 414, 431].contains(&response.status), "{response:?}");
    for (query, status) in [
        ("", 400),
        (" \t\u{0}\u{1b}", 400),
        (long.as_str(), 400),
        ("\u{7}종\u{0}소리", 200),
        ("*", 200),
        ("id:* OR visibility:private", 200),
        ("_exists_:text AND NOT (", 200),
        ("\"}},{\"match_all\":{}}", 200),
        ("/.*/~99^1000", 200),
        ("\\", 200),
    ] {
        let response = search.query(&jun, &[("q", query)]).await;
        assert_eq!(response.status, status, "{query}: {response:?}");
        let expected = if status == 200 { "application/json" } else { "application/problem+json" };
        assert_eq!(response.content_type, expected, "{query}");
        assert!(status != 200 || !ids(&response).contains(&private), "{query}");
    }
    for parameters in [&[("q", "a"), ("kind", "comment")][..], &[("q", "a"), ("limit", "0")], &[("q", "a"), ("x", "y")]]
    {
        assert_eq!(search.query(&jun, parameters).await.status, 400, "{parameters:?}");
    }
    let (status, ..) = search.deployed.fetch(&search.deployed.stack.api_url("/v1/search?q=a").expect("URL")).await;
    assert_eq!(status, 401, "without a token");
}

#[tokio::test]
async fn unusual_properties_hide_story_until_they_are_replaced() {
    let search = SearchScenario::start().await;
    let (mina, jun) = (search.sign_up("미나").await, search.sign_up("준").await);
    let id = search.publish(&mina, &search.word, "public").await;
    search.wait_until_found(&jun, &search.word, &id).await;
    // A number is no title.
    search.deployed.commit(&Commit::new().set(&id, "title", 7_i32)).await;
    search.wait_until_indexed().await;
    assert!(search.found(&jun, &search.word).await.is_empty());
    search.deployed.commit(&Commit::new().set(&id, "title", search.word.as_str())).await;
    search.wait_until_found(&jun, &search.word, &id).await;
    // A title of a megabyte is omitted.
    search
        .deployed
        .commit(&Commit::new().set(&id, "title", format!("{} {}", search.word, "x".repeat(1_000_000))))
        .await;
    search.wait_until_indexed().await;
    assert!(search.found(&jun, &search.word).await.is_empty());
    search.deployed.commit(&Commit::new().set(&id, "title", search.word.as_str())).await;
    search.wait_until_found(&jun, &search.word, &id).await;
    // A message omits properties that do not fit, and `visibility` may be among them. Without it, the story
    // is private.
    let many = (0..10_000).fold(Commit::new(), |commit, n| commit.set(&id, format!("property {n}"), n));
    search.deployed.commit(&many).await;
    search.wait_until_indexed().await;
    assert!(search.found(&jun, &search.word).await.is_empty());
    assert_eq!(search.found(&mina, &search.word).await, [id.as_str()]);
    // Two commits: the graph has no commit that sets the present value.
    search.deployed.commit(&Commit::new().set(&id, "visibility", "private")).await;
    search.deployed.commit(&Commit::new().set(&id, "visibility", "public")).await;
    search.wait_until_found(&jun, &search.word, &id).await;
    let url = format!("{}/search/_mapping", search.deployed.stack.search_endpoint());
    let mapping = reqwest::get(url).await.expect("response").text().await.expect("body");
    assert!(mapping.contains("publishedAt") && !mapping.contains("property 1"), "{mapping}");
}
