//! The table of parsers in `docs/hostile.md`, held against the tests that it names.

use std::fs;

use stack::paths;

#[test]
fn every_parser_of_the_table_has_its_test() {
    let document = fs::read_to_string(paths::root().join("docs/hostile.md")).expect("the document");
    let mut tests = 0;
    for row in document.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")) {
        let cells: Vec<_> = row.split(" | ").collect();
        let [_, _, test, file] = cells[..] else { continue };
        let (Some(test), Some(file)) = (in_code(test), in_code(file)) else { continue };
        let source = fs::read_to_string(paths::root().join(file)).expect(file);
        assert!(source.contains(&format!("fn {test}(")), "{file} has no test {test}");
        tests += 1;
    }
    assert!(tests > 30, "{tests}");
}

fn in_code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}
