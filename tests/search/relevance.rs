//! Relevance of search results for Korean as people type it: titles and queries with judgements by hand.
//!
//! `relevance/titles.tsv` holds ids and titles, `relevance/queries.tsv` a group, the kind of search, the query and its
//! relevant titles (2: what was meant; 1: related). `docs/design/search.md` has the figures.

use std::collections::BTreeMap;

use domain::{
    media::Visibility,
    search::{Content, Document, Query, Story},
};
use jiff::Timestamp;
use opensearch::{Analyzer, MatchMode, Search};
use stack::search_server::Engine;

use crate::engines::{JUN, World, has_opensearch, server};

/// Results that count.
const DEPTH: usize = 10;

/// A query with the grades of its relevant titles.
struct Judged {
    group: &'static str,
    mode: MatchMode,
    query: Query,
    grades: BTreeMap<&'static str, u32>,
}

/// Means over all queries.
struct Relevance {
    /// Gain of the first ten results, discounted by rank, as a part of the best possible.
    ndcg: f64,
    /// Part of the relevant titles among the first ten results.
    recall: f64,
}

fn titles() -> Vec<Document> {
    let titles = include_str!("relevance/titles.tsv").lines().enumerate().map(|(number, line)| {
        let (id, title) = line.split_once('\t').expect("an id and a title");
        // Equally good matches are sorted by time.
        let published_at = Timestamp::from_second(1_795_305_600 + i64::try_from(number).expect("a number"));
        let story = Story {
            title: title.into(),
            author: "mina".into(),
            published_at: published_at.expect("a time"),
            visibility: Visibility::Public,
            tags: vec![],
        };
        Document { vertex: id.into(), version: 1, content: Content::Story(story) }
    });
    titles.collect()
}

fn queries() -> Vec<Judged> {
    let queries = include_str!("relevance/queries.tsv").lines().map(|line| {
        let [group, mode, query, grades] = line.split('\t').collect::<Vec<_>>().try_into().expect("four columns");
        let mode = match mode {
            "search" => MatchMode::Words,
            "suggest" => MatchMode::Prefixes,
            other => panic!("{other} is no kind of search"),
        };
        let grade = |text: &'static str| {
            let (id, grade) = text.split_once('=').expect("an id and a grade");
            (id, grade.parse().expect("a grade"))
        };
        let grades = grades.split(' ').map(grade).collect();
        Judged { group, mode, query: Query::parse(query).expect("a query"), grades }
    });
    queries.collect()
}

/// Measures all queries, and prints the means of each group.
async fn measure(engine: Engine, analyzer: Analyzer) -> Relevance {
    let world = World::at(server(engine).endpoint(), analyzer);
    world.fill(&titles()).await;
    let (mut ndcg, mut recall, mut groups) = (Vec::new(), Vec::new(), BTreeMap::<_, Vec<f64>>::new());
    for Judged { group, mode, query, grades } in &queries() {
        let search = Search { query: Some((*mode, query)), kind: None, tag: None };
        let page = world.index.search(search, JUN, None, DEPTH).await.expect("a page");
        let found: Vec<_> = page.hits.iter().map(|hit| grades.get(hit.id.as_str()).copied().unwrap_or(0)).collect();
        let mut best: Vec<_> = grades.values().copied().collect();
        best.sort_unstable_by(|a, b| b.cmp(a));
        let gain = discounted_gain(&found) / discounted_gain(&best);
        let hits = found.iter().filter(|grade| **grade > 0).count();
        ndcg.push(gain);
        recall.push(hits as f64 / grades.len().min(DEPTH) as f64);
        groups.entry(*group).or_default().push(gain);
    }
    let relevance = Relevance { ndcg: mean(&ndcg), recall: mean(&recall) };
    let groups: Vec<_> = groups.iter().map(|(group, gains)| format!("{group} {:.2}", mean(gains))).collect();
    println!(
        "{engine}, {analyzer:?}: nDCG@10 {:.4}, recall@10 {:.4}; nDCG by group: {}",
        relevance.ndcg,
        relevance.recall,
        groups.join(", ")
    );
    relevance
}

fn discounted_gain(grades: &[u32]) -> f64 {
    let gain = |(rank, grade): (usize, &u32)| (f64::from(2_u32.pow(*grade)) - 1.0) / (rank as f64 + 2.0).log2();
    grades.iter().take(DEPTH).enumerate().map(gain).sum()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn judgements_are_about_existing_titles() {
    let titles: BTreeMap<_, _> = titles().into_iter().map(|title| (title.vertex.clone(), title)).collect();
    let queries = queries();
    assert!(titles.len() >= 200 && queries.len() >= 60, "{} titles, {} queries", titles.len(), queries.len());
    for Judged { query, grades, .. } in queries {
        assert!(grades.iter().all(|(id, grade)| titles.contains_key(*id) && (1..=2).contains(grade)), "{query:?}");
    }
}

#[tokio::test]
async fn default_analyzer_is_the_most_relevant_and_not_below_its_measured_figures() {
    if !has_opensearch() {
        return;
    }
    let both = measure(Engine::OpenSearch, Analyzer::NoriBigram).await;
    let nori = measure(Engine::OpenSearch, Analyzer::Nori).await;
    let bigram = measure(Engine::OpenSearch, Analyzer::Bigram).await;
    assert!(both.ndcg > nori.ndcg && nori.ndcg > bigram.ndcg);
    assert!(both.recall > nori.recall && nori.recall > bigram.recall);
    assert!(both.ndcg >= 0.965 && both.recall >= 0.976, "{} {}", both.ndcg, both.recall);
}

#[tokio::test]
async fn embedded_engine_is_not_below_its_measured_figures() {
    let bigram = measure(Engine::Embedded, Analyzer::Bigram).await;
    assert!(bigram.ndcg >= 0.85 && bigram.recall >= 0.85, "{} {}", bigram.ndcg, bigram.recall);
}
