//! A sequence of changes in the graph and their notifications. A change without notification is followed by one with a
//! notification: when that arrives, the former has been processed.

mod engine;
mod scenario;

use anyhow::{Result, ensure};
use domain::push::Platform;
use neptune::Commit;
use serde_json::json;
use stack::Stack;
use uuid::Uuid;

pub use scenario::{Day, NotNotified};
use scenario::{Scenario, edge, edge_id};

/// Runs the scenario on a deployed stack.
pub async fn run(stack: &Stack) -> Result<Day> {
    println!("\n■ A day in the graph");
    let mut scenario = Scenario::start(stack).await?;
    let mina = scenario.sign_up("미나", "ko", Platform::Android).await?;
    let jun = scenario.sign_up("준", "ko-KR", Platform::Ios).await?;
    let olivia = scenario.sign_up("Olivia", "en", Platform::Ios).await?;
    let sam = scenario.sign_up("Sam", "en-US", Platform::Android).await?;

    let follows = |from: &str, to: &str| edge("follows", from, to);
    scenario.step("준 follows 미나", follows(&jun, &mina), &[&mina]).await?;
    scenario.step("Olivia follows 미나", follows(&olivia, &mina), &[&mina]).await?;
    scenario.step("Sam follows Olivia", follows(&sam, &olivia), &[&olivia]).await?;

    let snow = story(&mina, "첫눈 오는 밤");
    scenario.step("미나 publishes a story: 첫눈 오는 밤", snow.commit, &[&jun, &olivia]).await?;
    scenario.search(&sam, "Sam searches for 첫눈", "첫눈", &snow.id).await?;
    println!("    answered by {}", engine::description(stack).await?);

    let likes = |who: &str, what: &str| edge("likes", who, what);
    scenario
        .unnotified_step("미나 likes her own story", likes(&mina, &snow.id), "no notification of one's own action")
        .await?;
    let like_and_unlike = likes(&sam, &snow.id).remove_edge(edge_id("likes", &sam, &snow.id));
    scenario
        .unnotified_step("Sam adds and removes a like in one commit", like_and_unlike, "the commit has no net change")
        .await?;
    scenario.step("Olivia likes the story", likes(&olivia, &snow.id), &[&mina]).await?;
    scenario.step("준 also likes it: one notification for both", likes(&jun, &snow.id), &[&mina]).await?;

    let remark = comment(&olivia, &snow.id);
    scenario.step("Olivia comments on it", remark.commit, &[&mina]).await?;
    scenario.step("미나 replies to Olivia", comment(&mina, &remark.id).commit, &[&olivia]).await?;

    let unlike = Commit::new().remove_edge(edge_id("likes", &olivia, &snow.id));
    scenario.unnotified_step("Olivia removes her like", unlike, "no notification of a removal").await?;
    let unfollow = Commit::new().remove_edge(edge_id("follows", &olivia, &mina));
    scenario.unnotified_step("Olivia unfollows 미나", unfollow, "no notification of a removal").await?;
    scenario.step("Sam follows 준", follows(&sam, &jun), &[&jun]).await?;
    scenario
        .step(
            "미나 publishes another story: 준 is notified, Olivia is not",
            story(&mina, "골목 끝 빵집").commit,
            &[&jun],
        )
        .await?;

    scenario.unnotified_step("미나 blocks Sam", edge("blocks", &mina, &sam), "no notification of a block").await?;
    scenario.unnotified_step("준 mutes 미나", edge("mutes", &jun, &mina), "no notification of a mute").await?;
    scenario.set_preferences(&olivia, "Olivia mutes likes", &json!({"muted": ["likes"]})).await?;
    scenario.set_preferences(&sam, "Sam sets quiet hours", &scenario::quiet_now()).await?;
    let quiet = scenario.step("준 follows Sam: a silent notification", follows(&jun, &sam), &[&sam]).await?;
    ensure!(quiet.iter().all(|shown| shown.notice.silent), "Sam's notification in quiet hours was not silent");
    scenario.unnotified_step("Sam likes 미나's story", likes(&sam, &snow.id), "미나 has blocked Sam").await?;
    scenario.unnotified_step("미나 likes Olivia's comment", likes(&mina, &remark.id), "Olivia has muted likes").await?;
    scenario
        .unnotified_step(
            "미나 publishes a third story",
            story(&mina, "새벽 버스").commit,
            "준 has muted 미나, Olivia has unfollowed her",
        )
        .await?;
    scenario.step("준 follows Olivia", follows(&jun, &olivia), &[&olivia]).await?;
    scenario.finish().await
}

/// A new vertex and the commit that adds it.
struct NewVertex {
    id: String,
    commit: Commit,
}

/// A story of `author`.
fn story(author: &str, title: &str) -> NewVertex {
    let id = format!("story-{}", Uuid::new_v4());
    let edge = edge_id("told", author, &id);
    let commit = Commit::new().add_vertex(&id, ["story"]).set(&id, "title", title);
    NewVertex { commit: commit.add_edge(edge, "told", author, &id), id }
}

/// A comment of `author` on `target`.
fn comment(author: &str, target: &str) -> NewVertex {
    let id = format!("comment-{}", Uuid::new_v4());
    let commit = Commit::new()
        .add_vertex(&id, ["comment"])
        .add_edge(edge_id("wrote", author, &id), "wrote", author, &id)
        .add_edge(edge_id("replies_to", &id, target), "replies_to", &id, target);
    NewVertex { id, commit }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use neptune::{NeptuneEmulator, Options};

    use super::*;

    #[tokio::test]
    async fn commits_are_valid_and_change_the_graph() {
        let emulator = NeptuneEmulator::start(Options::default()).unwrap();
        let graph = emulator.client();
        let (mina, jun) = ("mina", "jun");
        let snow = story(mina, "첫눈 오는 밤");
        let remark = comment(jun, &snow.id);
        let (story_id, comment_id) = (snow.id.clone(), remark.id.clone());
        let like_and_unlike = edge("likes", jun, &snow.id).remove_edge(edge_id("likes", jun, &snow.id));
        for commit in [
            Commit::new().add_vertex(mina, ["person"]).add_vertex(jun, ["person"]),
            edge("follows", jun, mina),
            snow.commit,
            remark.commit,
            like_and_unlike,
            edge("likes", jun, &story_id),
            Commit::new().remove_edge(edge_id("follows", jun, mina)),
        ] {
            let committed = graph.commit(&commit).await.unwrap();
            assert!(committed.commit_num.is_some(), "{commit:?}");
        }
        let edges = graph.graph().await.unwrap().edges;
        let edges: BTreeSet<_> =
            edges.values().map(|edge| (edge.label.as_str(), edge.from.as_str(), edge.to.as_str())).collect();
        let (story, comment) = (story_id.as_str(), comment_id.as_str());
        let expected =
            [("told", mina, story), ("wrote", jun, comment), ("replies_to", comment, story), ("likes", jun, story)];
        assert_eq!(edges, BTreeSet::from(expected));
    }
}
