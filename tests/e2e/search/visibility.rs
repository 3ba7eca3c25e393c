//! Results by the visibility of stories.

use neptune::Commit;
use stack::users::User;
use uuid::Uuid;

use super::scenario::SearchScenario;
use crate::{
    commits::{edge, remove_story},
    seeded_random::SeededRandom,
};

#[tokio::test]
async fn followers_story_is_found_by_follower_until_blocked() {
    let search = SearchScenario::start().await;
    let (mina, jun) = (search.sign_up("미나").await, search.sign_up("준").await);
    let id = search.publish(&mina, &search.word, "followers").await;
    search.deployed.commit(&edge("follows", &jun.id, &mina.id)).await;
    search.wait_until_indexed().await;
    assert_eq!(search.found(&jun, &search.word).await, [id.as_str()]);
    assert!(search.found(search.deployed.reader().await, &search.word).await.is_empty());
    search.deployed.commit(&edge("blocks", &mina.id, &jun.id)).await;
    search.wait_until_indexed().await;
    assert!(search.found(&jun, &search.word).await.is_empty());
    assert_eq!(search.found(&mina, &search.word).await, [id]);
}

struct Story {
    id: String,
    visibility: &'static str,
    exists: bool,
}

#[tokio::test]
async fn random_changes_leave_only_visible_stories_found() {
    let search = SearchScenario::start().await;
    let (mina, jun) = (search.sign_up("미나").await, search.sign_up("준").await);
    // Other changes in each run.
    let mut random = SeededRandom::new(u64::from(Uuid::new_v4().as_fields().0));
    let mut stories: Vec<Story> = Vec::new();
    for number in 0..30 {
        let visibility = *random.pick(&["public", "followers", "private"]);
        let action = random.below(3);
        if action == 2 || stories.is_empty() {
            let id = search.publish(&mina, &format!("{} {number}", search.word), visibility).await;
            stories.push(Story { id, visibility, exists: true });
            continue;
        }
        let at = random.below(stories.len());
        let story = &mut stories[at];
        if action == 0 && story.exists {
            story.exists = false;
            search.deployed.commit(&remove_story(&story.id)).await;
        // The graph has no commit that changes nothing.
        } else if action == 1 && story.exists && story.visibility != visibility {
            story.visibility = visibility;
            search.deployed.commit(&Commit::new().set(&story.id, "visibility", visibility)).await;
        }
    }
    search.wait_until_indexed().await;
    let expected = |is_visible: &dyn Fn(&str) -> bool| {
        let visible = stories.iter().filter(|story| story.exists && is_visible(story.visibility));
        let mut ids: Vec<_> = visible.map(|story| story.id.clone()).collect();
        ids.sort();
        ids
    };
    let found = async |user: &User| {
        let mut found = search.found(user, &search.word).await;
        found.sort();
        found
    };
    assert_eq!(found(&mina).await, expected(&|_| true));
    assert_eq!(found(&jun).await, expected(&|visibility| visibility == "public"));
}
