//! What can be found, in both indexes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use super::Findings;
use crate::{
    actor::Cast,
    driver::Driver,
    model::{self, Found, Graph, Node},
};

/// What people find; what cannot be found has left a document that says so.
const SEARCH: Index = Index { alias: "search", shown: r#"{"term": {"deleted": false}}"#, id: "id" };
/// What Neptune's own full-text queries find: the alias shows only what is there.
const MIRROR: Index = Index { alias: "amazon_neptune", shown: r#"{"match_all": {}}"#, id: "entity_id" };
/// So many documents are read at a time.
const PAGE: usize = 1_000;

struct Index {
    alias: &'static str,
    shown: &'static str,
    /// The field with the id of what a document is of.
    id: &'static str,
}

/// Holds both indexes against the graph of the model: all of it, as it is, and nothing else. `legacy` are
/// the documents of earlier histories, in which nothing may change either.
pub async fn check(
    driver: &Driver<'_>,
    legacy: &mut BTreeMap<&'static str, BTreeMap<String, Value>>,
    findings: &mut Findings,
) -> Result<()> {
    let cast = &driver.cast;
    let found = model::found(&driver.done).into_iter();
    let found: Vec<_> = found.map(|(node, found)| (cast.id(node), document(cast, node, &found))).collect();
    for (index, documents) in [(SEARCH, found), (MIRROR, mirror(cast, &Graph::of(&driver.done)))] {
        findings.documents += documents.len() as u64;
        let expected = legacy.entry(index.alias).or_default();
        expected.extend(documents);
        let actual = index.documents(driver.stack.search_endpoint()).await?;
        let violations = differences(expected, &actual);
        findings.violations.extend(violations.into_iter().map(|what| format!("{}: {what}", index.alias)));
    }
    Ok(())
}

/// What the index holds of what people find (`domain::search::Document`).
fn document(cast: &Cast, node: Node, found: &Found) -> Value {
    let mut document = json!({"deleted": false, "kind": node.label(), "id": cast.id(node)});
    let fields = match found {
        Found::Named(name) => json!({"text": name, "visibility": "public", "publishedAt": 0}),
        Found::Story(story) => {
            let tags: Vec<_> = story.tags.iter().map(|tag| cast.id(*tag)).collect();
            let mut fields = json!({
                "text": story.title, "author": cast.id(story.author), "visibility": story.visibility,
                "publishedAt": story.published_at,
            });
            if !tags.is_empty() {
                fields["tags"] = json!(tags);
            }
            fields
        }
    };
    if let (Some(document), Some(fields)) = (document.as_object_mut(), fields.as_object()) {
        document.extend(fields.clone());
    }
    document
}

/// What the mirror holds of a graph: each vertex and each edge (`domain::neptune_fts::Document`).
fn mirror(cast: &Cast, graph: &Graph) -> Vec<(String, Value)> {
    let element = |id: String, label: &str, sort: &str| {
        (id.clone(), json!({"entity_id": id, "entity_type": [label], "document_type": sort}))
    };
    let vertices = graph.nodes.iter().map(|(node, properties)| {
        let (id, mut document) = element(cast.id(*node), node.label(), "vertex");
        let held = properties.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.as_ref()?)));
        let predicates: Map<_, _> = held.map(|(name, value)| (name, json!([{ "value": value }]))).collect();
        if !predicates.is_empty() {
            document["predicates"] = predicates.into();
        }
        (id, document)
    });
    let edges = graph.links.keys().map(|link| element(cast.edge(*link), link.label, "edge"));
    vertices.chain(edges).collect()
}

impl Index {
    /// All that the alias shows now, by the ids of what it is of.
    async fn documents(&self, endpoint: &str) -> Result<BTreeMap<String, Value>> {
        let http = reqwest::Client::new();
        let url = format!("{endpoint}/{}", self.alias);
        let refreshed = http.post(format!("{url}/_refresh")).send().await?.status();
        ensure!(refreshed.is_success(), "{} cannot be refreshed: {refreshed}", self.alias);
        let (mut documents, mut after) = (BTreeMap::new(), None);
        loop {
            let query: Value = serde_json::from_str(self.shown)?;
            let mut body = json!({"size": PAGE, "query": query, "sort": [{self.sort_field(): "asc"}]});
            if let Some(after) = after {
                body["search_after"] = json!([after]);
            }
            let request = http.post(format!("{url}/_search")).header("content-type", "application/json");
            let answer = request.body(body.to_string()).send().await?;
            let status = answer.status();
            let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
            ensure!(status.is_success(), "{} cannot be searched: {status} {answer}", self.alias);
            let hits = answer["hits"]["hits"].as_array().context("an answer without hits")?;
            for hit in hits {
                let source = &hit["_source"];
                let id = source[self.id].as_str().with_context(|| format!("a document without id: {hit}"))?;
                let twice = documents.insert(id.to_owned(), source.clone());
                ensure!(twice.is_none(), "{}: two documents of {id}", self.alias);
            }
            after = hits.last().map(|hit| hit["_source"][self.id].clone());
            if hits.len() < PAGE {
                return Ok(documents);
            }
        }
    }

    fn sort_field(&self) -> String {
        // There ids are texts that are words, too.
        if self.id == MIRROR.id { format!("{}.keyword", self.id) } else { self.id.to_owned() }
    }
}

/// What is other than it should be.
fn differences(expected: &BTreeMap<String, Value>, actual: &BTreeMap<String, Value>) -> Vec<String> {
    let ids: BTreeSet<_> = expected.keys().chain(actual.keys()).collect();
    let difference = |id: &String| match (expected.get(id), actual.get(id)) {
        (Some(expected), Some(actual)) if expected == actual => None,
        (Some(expected), Some(actual)) => Some(format!("{id} is {actual}, not {expected}")),
        (Some(expected), None) => Some(format!("{id} is missing: {expected}")),
        (None, Some(actual)) => Some(format!("{id} should not be there: {actual}")),
        (None, None) => None,
    };
    ids.into_iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_differs_is_said() {
        let index = |documents: &[(&str, u8)]| -> BTreeMap<_, _> {
            documents.iter().map(|(id, number)| ((*id).to_owned(), json!(number))).collect()
        };
        assert_eq!(differences(&index(&[("a", 1)]), &index(&[("a", 1)])), [""; 0]);
        assert_eq!(
            differences(&index(&[("a", 1), ("b", 1)]), &index(&[("a", 2), ("c", 1)])),
            ["a is 2, not 1", "b is missing: 1", "c should not be there: 1"]
        );
    }
}
