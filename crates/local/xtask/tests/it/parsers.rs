//! The list of parsers in `docs/operations/parsers.tsv`, compared with the tests that it names.

use std::fs;

use stack::paths;

#[test]
fn listed_parser_has_its_test() {
    let list = fs::read_to_string(paths::root().join("docs/operations/parsers.tsv")).expect("the list");
    let mut tests = 0;
    let mut missing = Vec::new();
    for row in list.lines().skip(1) {
        let [_source, _input, file, test] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not four columns: {row}");
        };
        tests += 1;
        let source = fs::read_to_string(paths::root().join(file)).unwrap_or_default();
        if !source.contains(&format!("fn {test}(")) {
            missing.push(format!("{file}: {test}"));
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
    assert!(tests > 30, "found only {tests}");
}
