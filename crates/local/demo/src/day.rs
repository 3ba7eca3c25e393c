//! A short day in the graph: what people do, and what their phones show of it. And what they do
//! not: each thing that nobody is to be told of is followed by one that somebody is, so that it has
//! been looked at when that has come.

mod scenario;

use anyhow::{Result, ensure};
use domain::push::Platform;
use neptune::Commit;
use serde_json::json;
use stack::Stack;
use uuid::Uuid;

use super::drawing;
use scenario::{Stage, edge, edge_id};

/// What the page shows of the day.
pub struct Day {
    /// The phones at its end.
    pub phones: Vec<drawing::Phone>,
    /// What did not arrive anywhere, and why that is right.
    pub untold: Vec<Untold>,
}

/// Something that nobody was told of.
pub struct Untold {
    /// What was done.
    pub what: String,
    /// UndisplayedReason nobody hears of it.
    pub why: String,
}

/// Plays the day on a deployed stack.
pub async fn play(stack: &Stack) -> Result<Day> {
    println!("\n■ A day in the graph");
    let mut stage = Stage::set(stack).await?;
    let mina = stage.sign_up("미나", "ko", Platform::Android).await?;
    let jun = stage.sign_up("준", "ko-KR", Platform::Ios).await?;
    let olivia = stage.sign_up("Olivia", "en", Platform::Ios).await?;
    let sam = stage.sign_up("Sam", "en-US", Platform::Android).await?;

    let follows = |from: &str, to: &str| edge("follows", from, to);
    stage.step("준 follows 미나", follows(&jun, &mina), &[&mina]).await?;
    stage.step("Olivia follows 미나", follows(&olivia, &mina), &[&mina]).await?;
    stage.step("Sam follows Olivia", follows(&sam, &olivia), &[&olivia]).await?;

    let snow = story(&mina, "첫눈 오는 밤");
    stage.step("미나 tells a story: 첫눈 오는 밤", snow.commit, &[&jun, &olivia]).await?;
    stage.finds(&sam, "Sam searches for 첫눈", "첫눈", &snow.id).await?;

    let likes = |who: &str, what: &str| edge("likes", who, what);
    stage.untold("미나 likes her own story", likes(&mina, &snow.id), "nobody is told of their own doing").await?;
    let breath = likes(&sam, &snow.id).remove_edge(edge_id("likes", &sam, &snow.id));
    stage.untold("Sam likes it and takes that back in the same breath", breath, "it never was").await?;
    stage.step("Olivia likes the story", likes(&olivia, &snow.id), &[&mina]).await?;
    stage.step("준 likes it, too: one notification for both", likes(&jun, &snow.id), &[&mina]).await?;

    let wish = comment(&olivia, &snow.id);
    stage.step("Olivia comments on it", wish.commit, &[&mina]).await?;
    stage.step("미나 replies to Olivia", comment(&mina, &wish.id).commit, &[&olivia]).await?;

    let unlike = Commit::new().remove_edge(edge_id("likes", &olivia, &snow.id));
    stage.untold("Olivia takes her like back", unlike, "what is withdrawn is no news").await?;
    let unfollow = Commit::new().remove_edge(edge_id("follows", &olivia, &mina));
    stage.untold("Olivia follows 미나 no longer", unfollow, "what is withdrawn is no news").await?;
    stage.step("Sam follows 준", follows(&sam, &jun), &[&jun]).await?;
    stage
        .step("미나 tells another story: to 준, and to Olivia no more", story(&mina, "골목 끝 빵집").commit, &[&jun])
        .await?;

    stage.untold("미나 blocks Sam", edge("blocks", &mina, &sam), "a block is nobody's business").await?;
    stage.untold("준 mutes 미나", edge("mutes", &jun, &mina), "a mute is nobody's business").await?;
    stage.prefers(&olivia, "Olivia does not want to hear of likes", &json!({"muted": ["likes"]})).await?;
    stage.prefers(&sam, "Sam has quiet hours", &stage::quiet_now()).await?;
    let quiet = stage.step("준 follows Sam, quietly", follows(&jun, &sam), &[&sam]).await?;
    ensure!(quiet.iter().all(|shown| shown.notice.silent), "Sam was disturbed in his quiet hours");
    stage.untold("Sam likes 미나's story", likes(&sam, &snow.id), "she has blocked him").await?;
    stage
        .untold("미나 likes Olivia's comment", likes(&mina, &wish.id), "Olivia does not want to hear of likes")
        .await?;
    stage
        .untold("미나 tells a third story", story(&mina, "새벽 버스").commit, "준 has muted her, Olivia has left")
        .await?;
    stage.step("준 follows Olivia", follows(&jun, &olivia), &[&olivia]).await?;
    stage.end().await
}

/// Something that is written, and the commit that writes it.
struct Written {
    id: String,
    commit: Commit,
}

/// `author` tells a story.
fn story(author: &str, title: &str) -> Written {
    let id = format!("story-{}", Uuid::new_v4());
    let told = edge_id("told", author, &id);
    let commit = Commit::new().add_vertex(&id, ["story"]).set(&id, "title", title);
    Written { commit: commit.add_edge(told, "told", author, &id), id }
}

/// `author` comments on `what`.
fn comment(author: &str, what: &str) -> Written {
    let id = format!("comment-{}", Uuid::new_v4());
    let commit = Commit::new()
        .add_vertex(&id, ["comment"])
        .add_edge(edge_id("wrote", author, &id), "wrote", author, &id)
        .add_edge(edge_id("replies_to", &id, what), "replies_to", &id, what);
    Written { id, commit }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use neptune::{NeptuneEmulator, Options};

    use super::*;

    #[tokio::test]
    async fn what_is_done_in_a_day_can_be_done_in_the_graph() {
        let emulator = NeptuneEmulator::start(Options::default()).unwrap();
        let graph = emulator.client();
        let (mina, jun) = ("mina", "jun");
        let snow = story(mina, "첫눈 오는 밤");
        let wish = comment(jun, &snow.id);
        let (story_id, comment_id) = (snow.id.clone(), wish.id.clone());
        let breath = edge("likes", jun, &snow.id).remove_edge(edge_id("likes", jun, &snow.id));
        for commit in [
            Commit::new().add_vertex(mina, ["person"]).add_vertex(jun, ["person"]),
            edge("follows", jun, mina),
            snow.commit,
            wish.commit,
            breath,
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
        let wanted =
            [("told", mina, story), ("wrote", jun, comment), ("replies_to", comment, story), ("likes", jun, story)];
        assert_eq!(edges, BTreeSet::from(wanted));
    }
}
