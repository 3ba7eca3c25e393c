//! Scenarios and expectations that several tests use.

use domain::graph::Change;
use function_kit::failure::Failure;

use super::{changes::add_edge, in_memory_backend::InMemoryBackend};
use crate::publish_error::PublishError;

/// Mina publishes a story, and Jun likes it.
pub fn liked_story() -> Vec<Change> {
    vec![add_edge(1, "told", "mina", "s1"), add_edge(2, "likes", "jun", "s1")]
}

pub fn transient() -> PublishError {
    PublishError::Failed { kind: "throttled", failure: Failure::transient("publish", "slower") }
}

pub fn invalid() -> PublishError {
    PublishError::Failed { kind: "invalid", failure: Failure::bug("publish", "INVALID_ARGUMENT") }
}

/// Adds `count` people with a device each, who follow Mina from commit 1 on.
pub async fn add_followers(backend: &InMemoryBackend, count: u64) -> Vec<String> {
    let fans: Vec<_> = (1..=count).map(|number| format!("fan{number:04}")).collect();
    for (fan, commit_num) in fans.iter().zip(1..) {
        backend.add_device(fan, "phone");
        backend.deliver(&[add_edge(commit_num, "follows", fan, "mina")]).await;
    }
    fans
}

/// Expected notifications as (recipient, rule), sorted.
pub fn notifications(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut expected: Vec<_> = pairs.iter().map(|(user, rule)| ((*user).to_owned(), (*rule).to_owned())).collect();
    expected.sort();
    expected
}

/// Expected notifications of a story.
pub fn story_sent_to(fans: &[String]) -> Vec<(String, String)> {
    fans.iter().map(|fan| (fan.clone(), "story".to_owned())).collect()
}

/// All permutations of `items`.
pub fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = items.split_first() else { return vec![vec![]] };
    let insert = |order: Vec<T>| {
        (0..=order.len()).map(move |at| {
            let mut longer = order.clone();
            longer.insert(at, first.clone());
            longer
        })
    };
    permutations(rest).into_iter().flat_map(|order| insert(order).collect::<Vec<_>>()).collect()
}
