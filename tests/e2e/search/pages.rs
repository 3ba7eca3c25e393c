//! Pages of search results.

use super::scenario::{SearchScenario, ids};

#[tokio::test]
async fn result_pages_hold_each_visible_story_once() {
    let search = SearchScenario::start().await;
    let (mina, jun) = (search.sign_up("미나").await, search.sign_up("준").await);
    let mut expected = Vec::new();
    for number in 0..7 {
        let visibility = if number % 3 == 1 { "private" } else { "public" };
        let id = search.publish(&mina, &search.word, visibility).await;
        expected.extend((visibility == "public").then_some(id));
    }
    search.wait_until_indexed().await;
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut parameters = vec![("q", search.word.as_str()), ("limit", "2")];
        parameters.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = search.query(&jun, &parameters).await;
        assert_eq!(page.status, 200, "{page:?}");
        found.extend(ids(&page));
        let Some(next) = page.body["next"].as_str() else { break };
        let other_user = search.query(&mina, &[("q", &search.word), ("cursor", next)]).await;
        assert_eq!(other_user.problem(), (400, "urn:iyagi:problem:invalid-cursor"));
        cursor = Some(next.to_owned());
    }
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "each once");
}
