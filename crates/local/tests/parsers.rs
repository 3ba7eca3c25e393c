//! The list of parsers in `docs/operations/hostile-input.md`, compared with the tests that it names.

use std::fs;

use local::paths;

/// Each line of the list is `` - `file`: input `test`, input `test` ``.
#[test]
fn listed_parser_has_its_test() {
    let document = fs::read_to_string(paths::root().join("docs/operations/hostile-input.md")).expect("the document");
    let lines = document.lines().filter_map(|line| line.strip_prefix("- `")?.split_once("`: "));
    let mut tests = 0;
    let mut missing = Vec::new();
    for (file, inputs) in lines {
        let source = fs::read_to_string(paths::root().join(file)).unwrap_or_default();
        for test in inputs.split('`').skip(1).step_by(2) {
            tests += 1;
            if !source.contains(&format!("fn {test}(")) {
                missing.push(format!("{file}: {test}"));
            }
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
    assert!(tests > 30, "found only {tests}");
}
