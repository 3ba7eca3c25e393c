//! Tombstones in every order of delivery, with repetitions, on a fake table that evaluates the expressions of the writes.

use std::{
    cmp::Ordering,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::{UpdateItemInput, UpdateItemOutput},
    types::AttributeValue,
};
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use domain::{
    graph::Position,
    push::{Fact, Register, Row},
};
use jiff::{SignedDuration, Timestamp};

use super::super::AudienceTable;
use crate::{
    attribute::Attributes,
    testing::{now, update_condition_failed},
};

/// One row.
type Table = Arc<Mutex<Attributes>>;

fn update(table: &Table) -> Rule {
    let table = table.clone();
    mock!(Client::update_item).then_compute_response(move |request| {
        let mut row = table.lock().expect("a row");
        if !holds(&row, request) {
            return MockResponse::Error(update_condition_failed());
        }
        change(&mut row, request);
        MockResponse::Output(UpdateItemOutput::builder().set_attributes(Some(row.clone())).build())
    })
}

fn name<'a>(request: &'a UpdateItemInput, name: &'a str) -> &'a str {
    let names = request.expression_attribute_names();
    names.and_then(|names| names.get(name)).map_or(name, String::as_str)
}

fn value<'a>(request: &'a UpdateItemInput, name: &str) -> &'a AttributeValue {
    &request.expression_attribute_values().expect("values")[name]
}

/// `(a OR b) AND (c OR d)`, of `attribute_not_exists(x)`, `x <= :y` and `x = :y`.
fn holds(row: &Attributes, request: &UpdateItemInput) -> bool {
    let clauses = request.condition_expression().expect("a condition").split(" AND ");
    let atom = |atom: &str| {
        if let Some(absent) = atom.strip_prefix("attribute_not_exists(") {
            return !row.contains_key(name(request, absent.trim_end_matches(')')));
        }
        let [left, operator, right] = atom.split(' ').collect::<Vec<_>>()[..] else { panic!("no comparison: {atom}") };
        let Some(left) = row.get(name(request, left)) else { return false };
        match (operator, compare(left, value(request, right))) {
            ("<=", ordering) => ordering != Ordering::Greater,
            ("=", ordering) => ordering == Ordering::Equal,
            _ => panic!("unknown operator: {atom}"),
        }
    };
    clauses.into_iter().all(|clause| {
        let is_group = clause.starts_with('(') && clause.contains(" OR ");
        let clause = if is_group { &clause[1..clause.len() - 1] } else { clause };
        clause.split(" OR ").any(atom)
    })
}

fn compare(left: &AttributeValue, right: &AttributeValue) -> Ordering {
    match (left, right) {
        (AttributeValue::N(left), AttributeValue::N(right)) => parse(left).cmp(&parse(right)),
        (AttributeValue::S(left), AttributeValue::S(right)) => left.cmp(right),
        other => panic!("not comparable: {other:?}"),
    }
}

fn parse(number: &str) -> i64 {
    number.parse().expect("a number")
}

/// `SET a = :b, c = :d REMOVE e ADD f :g`.
fn change(row: &mut Attributes, request: &UpdateItemInput) {
    let expression = request.update_expression().expect("an expression");
    let expression = expression.replace(" REMOVE ", "\nREMOVE ").replace(" ADD ", "\nADD ");
    for clause in expression.lines() {
        match clause.split_once(' ').expect("a clause") {
            ("SET", assignments) => {
                for assignment in assignments.split(", ") {
                    let (target, source) = assignment.split_once(" = ").expect("an assignment");
                    row.insert(name(request, target).to_owned(), value(request, source).clone());
                }
            }
            ("REMOVE", target) => drop(row.remove(target)),
            ("ADD", addition) => {
                let (target, amount) = addition.split_once(' ').expect("an addition");
                let before = row.get(target).map_or(0, |value| parse(value.as_n().expect("a number")));
                let amount = parse(value(request, amount).as_n().expect("a number"));
                row.insert(target.to_owned(), AttributeValue::N((before + amount).to_string()));
            }
            other => panic!("unknown clause: {other:?}"),
        }
    }
}

/// Commit `commit_num`, in that hour, adds or removes an edge.
fn commit(row: &Row, name: &str, commit_num: u64, is_removal: bool) -> (Fact, Timestamp) {
    let value = (!is_removal).then(String::new);
    let register = Register { position: Position::new(commit_num, 1).into(), value };
    let time = now() + SignedDuration::from_hours(i64::try_from(commit_num).expect("a small number"));
    (Fact { row: row.clone(), name: name.to_owned(), register }, time)
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let insert = |order: Vec<usize>| {
        (0..count).map(move |at| {
            let mut longer = order.clone();
            longer.insert(at, count - 1);
            longer
        })
    };
    permutations(count - 1).into_iter().flat_map(insert).collect()
}

/// Delivers the facts in every order, then each of them again. Returns the number of orders.
async fn deliver_in_every_order(facts: &[(Fact, Timestamp)], latest: u64) -> usize {
    let expected = parse(
        crate::retention::expiry(now() + SignedDuration::from_hours(latest.cast_signed())).as_n().expect("a number"),
    );
    let mut orders = 0;
    for order in permutations(facts.len()) {
        for repeated in 0..facts.len() {
            let row = Table::default();
            let rule = update(&row);
            let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&rule]);
            let table = AudienceTable::new(client, "audience".to_owned());
            for index in order.iter().chain([&repeated]) {
                let (fact, committed_at) = &facts[*index];
                table.apply(fact, *committed_at).await.expect("written or superseded");
            }
            let row = row.lock().expect("a row");
            let expires_at = row.get("expires_at").map(|value| parse(value.as_n().expect("a number")));
            assert_eq!(expires_at, Some(expected), "{order:?}, then {repeated}: {row:?}");
            orders += 1;
        }
    }
    orders
}

#[tokio::test]
async fn row_is_kept_as_long_as_its_latest_tombstone_requires() {
    let follower = Row::Follower { of: "mina".into(), follower: "jun".into() };
    // Two edges between the same people, each added and removed.
    let facts = [
        commit(&follower, "edge#e1", 1, false),
        commit(&follower, "edge#e1", 2, true),
        commit(&follower, "edge#e2", 3, false),
        commit(&follower, "edge#e2", 4, true),
    ];
    assert_eq!(deliver_in_every_order(&facts, 4).await, 96);
    let edge = Row::Edge("e1".into());
    let facts = [commit(&edge, "edge", 1, false), commit(&edge, "edge", 2, true), commit(&edge, "edge", 3, false)];
    assert_eq!(deliver_in_every_order(&facts, 3).await, 18);
}
