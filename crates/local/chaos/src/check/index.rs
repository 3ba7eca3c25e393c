//! Compares both search indexes with the model.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use super::findings::Findings;
use crate::{
    actors::Actors,
    driver::Driver,
    model::{self, Graph, IndexEntry, Node},
};

/// The index of the search API. Deleted entries leave documents with `deleted`.
const SEARCH: Index = Index { alias: "search", filter: r#"{"term": {"deleted": false}}"#, id: "id" };
/// The index of Neptune's full-text queries. Its alias hides deleted entries.
const NEPTUNE_FTS: Index = Index { alias: "amazon_neptune", filter: r#"{"match_all": {}}"#, id: "entity_id" };
/// Number of documents per page.
const PAGE: usize = 1_000;

struct Index {
    alias: &'static str,
    filter: &'static str,
    /// The field with the id of the vertex or edge.
    id: &'static str,
}

/// Compares all documents of both indexes with the graph of the model. `earlier` has the documents of earlier histories,
/// which must not change.
pub async fn check(
    driver: &Driver<'_>,
    earlier: &mut BTreeMap<&'static str, BTreeMap<String, Value>>,
    findings: &mut Findings,
) -> Result<()> {
    let actors = &driver.actors;
    let entries = model::found(&driver.executed).into_iter();
    let search: Vec<_> = entries.map(|(node, entry)| (actors.id(node), document(actors, node, &entry))).collect();
    for (index, documents) in
        [(SEARCH, search), (NEPTUNE_FTS, neptune_fts(actors, &model::indexed_graph(&driver.executed)))]
    {
        findings.documents += documents.len() as u64;
        let expected = earlier.entry(index.alias).or_default();
        expected.extend(documents);
        let actual = index.documents(driver.stack.search_endpoint()).await?;
        let violations = differences(expected, &actual);
        findings.violations.extend(violations.into_iter().map(|violation| format!("{}: {violation}", index.alias)));
    }
    Ok(())
}

/// A document of the search index (`domain::search::Document`).
fn document(actors: &Actors, node: Node, entry: &IndexEntry) -> Value {
    let mut document = json!({"deleted": false, "kind": node.label(), "id": actors.id(node)});
    let fields = match entry {
        IndexEntry::Named(name) => json!({"text": name, "visibility": "public", "publishedAt": 0}),
        IndexEntry::Story(story) => {
            let tags: Vec<_> = story.tags.iter().map(|tag| actors.id(*tag)).collect();
            let mut fields = json!({
                "text": story.title, "author": actors.id(story.author), "visibility": story.visibility,
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

/// The documents of Neptune's full-text index for a graph (`domain::neptune_fts::Document`).
fn neptune_fts(actors: &Actors, graph: &Graph) -> Vec<(String, Value)> {
    let element = |id: String, label: &str, sort: &str| {
        (id.clone(), json!({"entity_id": id, "entity_type": [label], "document_type": sort}))
    };
    let vertices = graph.nodes.iter().map(|(node, properties)| {
        let (id, mut document) = element(actors.id(*node), node.label(), "vertex");
        let set = properties.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.as_ref()?)));
        let predicates: Map<_, _> = set.map(|(name, value)| (name, json!([{ "value": value }]))).collect();
        if !predicates.is_empty() {
            document["predicates"] = predicates.into();
        }
        (id, document)
    });
    let edges = graph.links.keys().map(|link| element(actors.edge(*link), link.label, "edge"));
    vertices.chain(edges).collect()
}

impl Index {
    /// All documents that the alias shows, by the ids of vertices and edges.
    async fn documents(&self, endpoint: &str) -> Result<BTreeMap<String, Value>> {
        let http = reqwest::Client::new();
        let url = format!("{endpoint}/{}", self.alias);
        let refreshed = http.post(format!("{url}/_refresh")).send().await?.status();
        ensure!(refreshed.is_success(), "cannot refresh {}: {refreshed}", self.alias);
        let (mut documents, mut after) = (BTreeMap::new(), None);
        loop {
            let query: Value = serde_json::from_str(self.filter)?;
            let mut body = json!({"size": PAGE, "query": query, "sort": [{self.sort_field(): "asc"}]});
            if let Some(after) = after {
                body["search_after"] = json!([after]);
            }
            let request = http.post(format!("{url}/_search")).header("content-type", "application/json");
            let response = request.body(body.to_string()).send().await?;
            let status = response.status();
            let body: Value = serde_json::from_slice(&response.bytes().await?)?;
            ensure!(status.is_success(), "cannot search {}: {status} {body}", self.alias);
            let hits = body["hits"]["hits"].as_array().context("the response has no hits")?;
            for hit in hits {
                let source = &hit["_source"];
                let id = source[self.id].as_str().with_context(|| format!("a document without id: {hit}"))?;
                let duplicate = documents.insert(id.to_owned(), source.clone());
                ensure!(duplicate.is_none(), "{}: two documents of {id}", self.alias);
            }
            after = hits.last().map(|hit| hit["_source"][self.id].clone());
            if hits.len() < PAGE {
                return Ok(documents);
            }
        }
    }

    fn sort_field(&self) -> String {
        // In this index, the id field is analyzed text with a keyword subfield.
        if self.id == NEPTUNE_FTS.id { format!("{}.keyword", self.id) } else { self.id.to_owned() }
    }
}

/// The differences between expected and actual documents.
fn differences(expected: &BTreeMap<String, Value>, actual: &BTreeMap<String, Value>) -> Vec<String> {
    let ids: BTreeSet<_> = expected.keys().chain(actual.keys()).collect();
    let difference = |id: &String| match (expected.get(id), actual.get(id)) {
        (Some(expected), Some(actual)) if expected == actual => None,
        (Some(expected), Some(actual)) => Some(format!("{id} is {actual}, not {expected}")),
        (Some(expected), None) => Some(format!("{id} is missing: {expected}")),
        (None, Some(actual)) => Some(format!("{id} is unexpected: {actual}")),
        (None, None) => None,
    };
    ids.into_iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_missing_and_unexpected_documents_are_reported() {
        let index = |documents: &[(&str, u8)]| -> BTreeMap<_, _> {
            documents.iter().map(|(id, number)| ((*id).to_owned(), json!(number))).collect()
        };
        assert_eq!(differences(&index(&[("a", 1)]), &index(&[("a", 1)])), [""; 0]);
        assert_eq!(
            differences(&index(&[("a", 1), ("b", 1)]), &index(&[("a", 2), ("c", 1)])),
            ["a is 2, not 1", "b is missing: 1", "c is unexpected: 1"]
        );
    }
}
