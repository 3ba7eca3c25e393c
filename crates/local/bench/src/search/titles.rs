//! Stories of a large index, and queries for them.

use serde_json::{Value, json};

use domain::{
    graph::{GenerationPosition, Position},
    search::{Register, register_text},
};

/// The author of all stories.
pub const AUTHOR: &str = "mina";

/// Parts of titles: place, what happened, subject.
const WORDS: [[&str; 8]; 3] = [
    ["서울에서", "부산의", "제주에서는", "골목길에서", "시장에서", "지하철에서", "바닷가의", "학교에서"],
    ["만난", "잃어버린", "기다리던", "노래한", "사랑한", "헤어진", "꿈꾸던", "달리던"],
    ["첫눈", "고양이와 할머니", "친구의 편지", "여름밤", "첫사랑 이야기", "커피 한 잔", "빗소리", "아버지의 라디오"],
];

/// Partially typed words: syllables, jamo, initial consonants.
const TYPED: [&str; 8] = ["서우", "골모", "ㅈㅎㅊ", "바닷ㄱ", "첫사라", "할머", "커ㅍ", "ㅇㅂㅈ"];

/// The three parts of a story's title. They repeat after 512 numbers.
fn parts(number: usize) -> [&'static str; 3] {
    let [place, action, subject] = [0, 3, 6].map(|shift| (number >> shift) & 7);
    [WORDS[0][place], WORDS[1][action], WORDS[2][subject]]
}

/// The title of a story.
pub fn title(number: usize) -> String {
    format!("{} {number}", parts(number).join(" "))
}

/// Its publication time in Unix milliseconds.
pub fn published_at(number: usize) -> i64 {
    1_795_305_600_000 + number as i64
}

/// The id of a story.
pub fn id(number: usize) -> String {
    format!("bench-{number:06}")
}

/// The number of a story with this id.
pub fn number(id: &str) -> Option<usize> {
    id.strip_prefix("bench-")?.parse().ok()
}

/// A story's row in the table of search (`store::search`).
pub fn row(number: usize) -> Value {
    json!({
        "id": {"S": id(number)}, "version": {"N": "1"}, "r:title": register(&title(number)),
        "r:told#e": register(&format!("{} {AUTHOR}", published_at(number))), "r:visibility": register("public"),
    })
}

/// The author's row.
pub fn author() -> Value {
    json!({"id": {"S": AUTHOR}, "version": {"N": "1"}, "r:person": register(""), "r:name": register("미나")})
}

fn register(value: &str) -> Value {
    let position = GenerationPosition { generation: 0, position: Position::new(1, 1) };
    json!({"S": register_text(&Register::new(position, value))})
}

/// A query for one of `stories`: one word, two words, a title, its number, or words without spaces. An eighth of all stories
/// has the same word. Queries repeat after about 2,500 numbers.
pub fn query(number: usize, stories: usize) -> String {
    // Steps of a prime reach all combinations of words.
    let [place, action, subject] = parts(number / 5 * 67);
    match number % 5 {
        0 => subject.to_owned(),
        1 => format!("{place} {subject}"),
        2 => format!("{place} {action} {subject}"),
        3 => format!("{subject} {}", number * 7_919 % stories),
        _ => format!("{action}{}", subject.replace(' ', "")),
    }
}

/// A partially typed query, some after a complete word.
pub fn typed(number: usize) -> String {
    let typed = TYPED[number % TYPED.len()];
    match number / TYPED.len() % 3 {
        0 => typed.to_owned(),
        1 => typed.chars().next().into_iter().collect(),
        _ => format!("{} {typed}", parts(number / TYPED.len() * 67)[1]),
    }
}
