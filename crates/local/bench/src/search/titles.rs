//! Titles of stories.

/// Parts of titles: place, what happened, subject.
const WORDS: [[&str; 8]; 3] = [
    ["서울에서", "부산의", "제주에서는", "골목길에서", "시장에서", "지하철에서", "바닷가의", "학교에서"],
    ["만난", "잃어버린", "기다리던", "노래한", "사랑한", "헤어진", "꿈꾸던", "달리던"],
    ["첫눈", "고양이와 할머니", "친구의 편지", "여름밤", "첫사랑 이야기", "커피 한 잔", "빗소리", "아버지의 라디오"],
];

/// The title of a story. Titles repeat after 512 numbers, apart from the number in them.
pub fn title(number: usize) -> String {
    let [place, action, subject] = [0, 3, 6].map(|shift| (number >> shift) & 7);
    format!("{} {} {} {number}", WORDS[0][place], WORDS[1][action], WORDS[2][subject])
}

/// Its publication time in Unix milliseconds.
pub fn published_at(number: usize) -> i64 {
    1_795_305_600_000 + number as i64
}
