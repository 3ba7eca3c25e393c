//! Fails the build if the notification rules and texts are inconsistent.

#[path = "src/push/category.rs"]
mod category;
#[path = "src/push/rule_check.rs"]
mod rule_check;
#[path = "src/push/schema.rs"]
mod schema;

use category::Category;

fn main() {
    println!("cargo::rerun-if-changed=src/push");
    let languages = [("ko", include_str!("src/push/texts/ko.json")), ("en", include_str!("src/push/texts/en.json"))];
    if let Err(error) = rule_check::check(include_str!("src/push/rules.json"), &languages) {
        println!("cargo::error={error}");
    }
}
