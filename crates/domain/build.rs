//! Refuses to build with notification rules or texts that do not fit together, and leaves the rules' white space out of the
//! functions.

use std::{env, error::Error, fs, path::Path};

#[path = "src/push/category.rs"]
#[expect(dead_code, reason = "the library's own")]
mod category;
#[path = "src/push/check.rs"]
mod check;
#[path = "src/push/schema.rs"]
mod schema;

use category::Category;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/push");
    let rules = include_str!("src/push/rules.json");
    let languages = [("ko", include_str!("src/push/texts/ko.json")), ("en", include_str!("src/push/texts/en.json"))];
    if let Err(error) = check::check(rules, &languages) {
        println!("cargo::error={error}");
    }
    let rules: serde_json::Value = serde_json::from_str(rules)?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("rules.json"), rules.to_string())?;
    Ok(())
}
