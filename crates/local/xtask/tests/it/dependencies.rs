//! The dependencies between the packages of the workspace follow the layout.
//!
//! ```text
//! functions → derivatives, store, opensearch, cdn-signing, picture, sound, neptune-streams
//!           → function-kit, rest-kit, sigv4-client, api → domain;  picture → codecs
//! xtask → demo, chaos, bench, iam-coverage → stack → emulators, fault-proxy → http-server
//! ```

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    process::Command,
};

use cargo_metadata::{CrateType, DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use stack::paths;

/// Whether a package has I/O or AWS.
fn has_io(name: &str) -> bool {
    name.starts_with("aws") || name.starts_with("lambda_") || name == "tokio"
}

fn metadata() -> Metadata {
    MetadataCommand::new().current_dir(paths::root()).exec().expect("cargo metadata")
}

fn package<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    let found = metadata.workspace_packages().into_iter().find(|package| package.name.as_str() == name);
    found.unwrap_or_else(|| panic!("the workspace has no package {name}"))
}

/// The names of all packages that `name` links, directly or indirectly.
fn linked(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    let nodes: HashMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let names: HashMap<&PackageId, _> =
        metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect();
    let mut todo = vec![&package(metadata, name).id];
    let mut linked = BTreeSet::new();
    while let Some(id) = todo.pop() {
        for dependency in &nodes[id].deps {
            let is_linked = dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if is_linked && linked.insert(names[&dependency.pkg].to_owned()) {
                todo.push(&dependency.pkg);
            }
        }
    }
    linked
}

/// The packages below `functions/`.
fn functions(metadata: &Metadata) -> BTreeSet<String> {
    let folder = metadata.workspace_root.join("functions");
    let packages = metadata.workspace_packages().into_iter();
    packages
        .filter(|package| package.manifest_path.starts_with(&folder))
        .map(|package| package.name.to_string())
        .collect()
}

#[test]
fn pure_crate_links_neither_aws_nor_io() {
    let metadata = metadata();
    for name in ["api", "cdn-signing", "domain", "jpeg-planes", "picture", "resample", "sound", "vp8-planes"] {
        let linked: Vec<_> = linked(&metadata, name).into_iter().filter(|name| has_io(name)).collect();
        assert!(linked.is_empty(), "{name} links {linked:?}");
    }
}

#[test]
fn impure_crate_is_found() {
    // Without this, the rule above could pass by finding nothing.
    assert!(linked(&metadata(), "store").iter().any(|name| has_io(name)));
}

#[test]
fn no_package_depends_on_a_function() {
    let metadata = metadata();
    let functions = functions(&metadata);
    assert!(functions.len() >= 3, "found only {functions:?}");
    for package in metadata.workspace_packages() {
        // Tests must not depend on functions either.
        let depends: Vec<_> =
            package.dependencies.iter().filter(|dependency| functions.contains(&dependency.name)).collect();
        assert!(depends.is_empty(), "{} depends on {depends:?}", package.name);
    }
}

/// The names of all packages that a function is built from, with the features of that function only.
fn built_from(function: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--package", function, "--edges", "normal,build", "--prefix", "none"])
        .args(["--target", "x86_64-unknown-linux-gnu", "--format", "{p}"])
        .current_dir(paths::root())
        .output()
        .expect("cargo tree");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn functions_share_compiled_packages() {
    // `sam build` builds by binary, with the features of all default members, so the functions have the same features.
    let metadata = metadata();
    let members = metadata.workspace_default_packages().into_iter().map(|package| package.name.to_string());
    let functions = functions(&metadata);
    let mut expected = functions.clone();
    expected.insert("noop-function".to_owned());
    assert_eq!(members.collect::<BTreeSet<_>>(), expected);
    // Dependencies of a C library are compiled differently, so all functions must link it, or none.
    let is_c_library = |package: &&Package| {
        let mut types = package.targets.iter().flat_map(|target| &target.crate_types);
        types.any(|kind| matches!(kind, CrateType::CDyLib | CrateType::StaticLib))
    };
    for library in metadata.packages.iter().filter(is_c_library) {
        let users: Vec<_> =
            functions.iter().filter(|name| linked(&metadata, name).contains(library.name.as_str())).collect();
        let is_shared = users.is_empty() || users.len() == functions.len();
        assert!(is_shared, "{} is linked by {users:?} only: add it to crates/function-kit", library.name);
    }
}

#[test]
fn queue_worker_does_not_link_types_of_the_rest_api() {
    let metadata = metadata();
    let has_rest_api = |name: &str| name.ends_with("-api");
    for function in functions(&metadata) {
        let links = linked(&metadata, &function).contains("api");
        assert_eq!(links, has_rest_api(&function), "{function}");
    }
}

#[test]
fn no_function_links_the_generator_of_the_openapi_document() {
    let metadata = metadata();
    let document: Vec<_> = linked(&metadata, "xtask").into_iter().filter(|name| name.starts_with("utoipa")).collect();
    assert!(!document.is_empty(), "xtask does not link utoipa");
    for function in functions(&metadata) {
        let built = built_from(&function).into_iter().find(|package| document.contains(package));
        assert_eq!(built, None, "{function}");
    }
}

/// The packages of the workspace that a package may depend on.
struct Rule {
    /// Normal and build dependencies.
    dependencies: &'static [&'static str],
    /// Additional dependencies of tests. Every package may also use [`TEST_LIBRARIES`].
    tests: &'static [&'static str],
}

const fn rule(dependencies: &'static [&'static str]) -> Rule {
    Rule { dependencies, tests: &[] }
}

const fn rule_with_tests(dependencies: &'static [&'static str], tests: &'static [&'static str]) -> Rule {
    Rule { dependencies, tests }
}

/// The libraries of the functions.
const LIBRARIES: &[&str] = &[
    "api",
    "cdn-signing",
    "derivatives",
    "domain",
    "function-kit",
    "neptune-streams",
    "opensearch",
    "picture",
    "rest-kit",
    "sigv4-client",
    "sound",
    "store",
];

/// The rules of all packages other than functions.
fn rules() -> BTreeMap<&'static str, Rule> {
    BTreeMap::from([
        ("api", rule(&["domain"])),
        ("cdn-signing", rule(&["domain"])),
        ("derivatives", rule(&["domain", "function-kit", "sigv4-client", "store"])),
        ("domain", rule(&[])),
        ("dynamodb-responses", rule(&[])),
        ("function-kit", rule(&[])),
        ("interleavings", rule(&[])),
        ("jpeg-planes", rule(&[])),
        ("malformed-inputs", rule(&[])),
        ("neptune-streams", rule(&["domain"])),
        ("noop-function", rule(&[])),
        ("opensearch", rule(&["domain", "function-kit", "sigv4-client"])),
        ("ops", rule(&["domain", "sigv4-client", "store"])),
        ("picture", rule(&["jpeg-planes", "resample", "vp8-planes"])),
        ("resample", rule(&[])),
        ("rest-kit", rule(&["api", "function-kit"])),
        ("sigv4-client", rule(&[])),
        ("sound", rule(&[])),
        ("store", rule(&["domain", "function-kit"])),
        ("vp8-planes", rule(&[])),
        // Local tools. The emulators know nothing of each other or of the stack.
        ("aws-client", rule(&["sigv4-client"])),
        ("http-server", rule(&[])),
        ("lambda-runtime-api", rule(&["http-server"])),
        ("launcher", rule(&[])),
        ("cloudfront", rule_with_tests(&["aws-client", "http-server"], &["cdn-signing", "domain"])),
        ("mobile-push", rule(&["aws-client", "domain", "http-server"])),
        ("neptune", rule_with_tests(&["http-server"], &["aws-client", "neptune-streams"])),
        ("fault-proxy", rule_with_tests(&["aws-client", "http-server"], &["function-kit"])),
        (
            "stack",
            rule_with_tests(
                &[
                    "aws-client",
                    "cloudfront",
                    "domain",
                    "fault-proxy",
                    "http-server",
                    "launcher",
                    "mobile-push",
                    "neptune",
                ],
                &["function-kit", "opensearch"],
            ),
        ),
        (
            "bench",
            rule(&[
                "aws-client",
                "domain",
                "http-server",
                "lambda-runtime-api",
                "neptune",
                "opensearch",
                "sound",
                "stack",
            ]),
        ),
        ("chaos", rule(&["aws-client", "domain", "fault-proxy", "http-server", "mobile-push", "neptune", "stack"])),
        ("demo", rule(&["api", "aws-client", "domain", "mobile-push", "neptune", "sound", "stack"])),
        ("iam-coverage", rule(&["aws-client", "stack"])),
        (
            "xtask",
            rule(&[
                "api",
                "aws-client",
                "bench",
                "chaos",
                "cloudfront",
                "demo",
                "fault-proxy",
                "iam-coverage",
                "launcher",
                "mobile-push",
                "neptune",
                "stack",
            ]),
        ),
        // Tests of the binaries. Everything is a dependency of tests there, except in the shared library.
        (
            "test-support",
            rule(&["api", "aws-client", "domain", "lambda-runtime-api", "mobile-push", "neptune", "picture", "stack"]),
        ),
        (
            "contract-tests",
            rule_with_tests(
                &[],
                &[
                    "api",
                    "aws-client",
                    "cdn-signing",
                    "domain",
                    "lambda-runtime-api",
                    "mobile-push",
                    "neptune",
                    "picture",
                    "sound",
                    "stack",
                    "test-support",
                ],
            ),
        ),
        (
            "e2e-tests",
            rule_with_tests(
                &[],
                &[
                    "api",
                    "aws-client",
                    "cdn-signing",
                    "domain",
                    "mobile-push",
                    "neptune",
                    "ops",
                    "picture",
                    "sound",
                    "stack",
                    "test-support",
                ],
            ),
        ),
        ("search-tests", rule_with_tests(&[], &["domain", "function-kit", "opensearch", "stack"])),
    ])
}

/// Libraries that every test may use.
const TEST_LIBRARIES: [&str; 3] = ["dynamodb-responses", "interleavings", "malformed-inputs"];

/// The local tools that tests and benches of functions use.
const TOOLS_OF_FUNCTIONS: [(&str, &str); 2] = [("push-fanout", "lambda-runtime-api"), ("stream-poller", "neptune")];

#[test]
fn dependencies_follow_the_layout() {
    let metadata = metadata();
    let (rules, functions) = (rules(), functions(&metadata));
    let members: BTreeSet<_> =
        metadata.workspace_packages().into_iter().map(|package| package.name.to_string()).collect();
    let mut violations = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let function = rule(LIBRARIES);
        let Some(rule) = rules.get(name).or_else(|| functions.contains(name).then_some(&function)) else {
            violations.push(format!("{name} has no rule"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| members.contains(&dependency.name)) {
            let target = dependency.name.as_str();
            let is_test = dependency.kind == DependencyKind::Development;
            let is_allowed = rule.dependencies.contains(&target)
                || (is_test && (rule.tests.contains(&target) || TEST_LIBRARIES.contains(&target)))
                || (is_test && TOOLS_OF_FUNCTIONS.contains(&(name, target)));
            if !is_allowed {
                violations.push(format!("{name} must not depend on {target}"));
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn every_rule_has_its_package() {
    let metadata = metadata();
    let members: BTreeSet<_> =
        metadata.workspace_packages().into_iter().map(|package| package.name.to_string()).collect();
    let missing: Vec<_> = rules().into_keys().filter(|name| !members.contains(*name)).collect();
    assert!(missing.is_empty(), "the workspace has no package {missing:?}");
}
