use std::collections::{BTreeMap, BTreeSet};

/// The groups of nodes that reach each other, with at least two nodes each.
pub fn cycles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached: BTreeMap<_, _> = edges.keys().map(|node| (node, reached(edges, node))).collect();
    let mut groups = BTreeSet::new();
    for (node, targets) in &reached {
        let group = targets.iter().filter(|target| reached.get(*target).is_some_and(|back| back.contains(*node)));
        if targets.contains(*node) {
            groups.insert(group.cloned().collect::<Vec<_>>());
        }
    }
    groups.into_iter().collect()
}

/// The nodes that can be reached from a node by at least one edge.
fn reached(edges: &BTreeMap<String, BTreeSet<String>>, node: &str) -> BTreeSet<String> {
    let mut todo = vec![node];
    let mut reached = BTreeSet::new();
    while let Some(node) = todo.pop() {
        for target in edges.get(node).into_iter().flatten() {
            if reached.insert(target.clone()) {
                todo.push(target);
            }
        }
    }
    reached
}
