//! The design's dependency rules, held against what cargo says.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    process::Command,
};

use cargo_metadata::{CrateType, DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// Packages that bring I/O or AWS with them.
fn is_outside(name: &str) -> bool {
    name.starts_with("aws") || name.starts_with("lambda_") || name == "tokio"
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .exec()
        .expect("cargo metadata")
}

fn package<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    let found = metadata.workspace_packages().into_iter().find(|package| package.name.as_str() == name);
    found.unwrap_or_else(|| panic!("the workspace has no package {name}"))
}

/// The names of all packages that end up in builds of `name`; what only its tests use is left out.
fn reached(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    let nodes: HashMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let names: HashMap<&PackageId, _> =
        metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect();
    let mut todo = vec![&package(metadata, name).id];
    let mut reached = BTreeSet::new();
    while let Some(id) = todo.pop() {
        for dependency in &nodes[id].deps {
            let built = dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if built && reached.insert(names[&dependency.pkg].to_owned()) {
                todo.push(&dependency.pkg);
            }
        }
    }
    reached
}

/// The functions: the packages below `functions/`.
fn functions(metadata: &Metadata) -> BTreeSet<String> {
    let folder = metadata.workspace_root.join("functions");
    let packages = metadata.workspace_packages().into_iter();
    packages
        .filter(|package| package.manifest_path.starts_with(&folder))
        .map(|package| package.name.to_string())
        .collect()
}

#[test]
fn pure_crates_reach_neither_aws_nor_io() {
    let metadata = metadata();
    for name in ["api", "cdn-signing", "domain", "jpeg-planes", "picture", "sound", "vp8-planes"] {
        let outside: Vec<_> = reached(&metadata, name).into_iter().filter(|name| is_outside(name)).collect();
        assert!(outside.is_empty(), "{name} reaches {outside:?}");
    }
}

#[test]
fn the_rule_would_notice() {
    // A rule that finds nothing anywhere proves nothing: the store does reach AWS.
    assert!(reached(&metadata(), "store").iter().any(|name| is_outside(name)));
}

#[test]
fn nothing_depends_on_a_function() {
    let metadata = metadata();
    let functions = functions(&metadata);
    assert!(functions.len() >= 3, "found only {functions:?}");
    for package in metadata.workspace_packages() {
        // Any kind of dependency: tests, too, see a function from outside only.
        let depends: Vec<_> =
            package.dependencies.iter().filter(|dependency| functions.contains(&dependency.name)).collect();
        assert!(depends.is_empty(), "{} depends on {depends:?}", package.name);
    }
}

/// Package and features, for all that one function is built from.
fn built_from(function: &str) -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--package", function, "--edges", "normal,build", "--prefix", "none"])
        .args(["--target", "x86_64-unknown-linux-gnu", "--format", "{p}|{f}"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .expect("cargo tree");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut features = BTreeMap::<_, BTreeSet<_>>::new();
    for line in String::from_utf8(output.stdout).expect("UTF-8").lines() {
        // A star marks what stands further up in full.
        let (package, enabled) = line.trim_end_matches(" (*)").split_once('|').expect("package and features");
        features.entry(package.to_owned()).or_default().insert(enabled.to_owned());
    }
    features
}

#[test]
fn functions_share_one_build() {
    let metadata = metadata();
    let functions = functions(&metadata);
    // What a C library depends on is compiled in another way: all functions use it, or none.
    let is_c_library = |package: &&Package| {
        let mut types = package.targets.iter().flat_map(|target| &target.crate_types);
        types.any(|kind| matches!(kind, CrateType::CDyLib | CrateType::StaticLib))
    };
    for library in metadata.packages.iter().filter(is_c_library) {
        let users: Vec<_> =
            functions.iter().filter(|name| reached(&metadata, name).contains(library.name.as_str())).collect();
        let fine = users.is_empty() || users.len() == functions.len();
        assert!(fine, "{} is used by {users:?} only: let crates/function-kit use it", library.name);
    }
    let mut seen = BTreeMap::new();
    for function in &functions {
        for (package, features) in built_from(function) {
            let (first, known) = seen.entry(package.clone()).or_insert_with(|| (function, features.clone()));
            let fix = "name the missing ones in crates/function-kit/Cargo.toml";
            assert_eq!(*known, features, "{package} has other features in {function} than in {first}: {fix}");
        }
    }
}

#[test]
fn functions_are_built_with_the_features_of_functions() {
    // `sam build` names binaries, and cargo then compiles with the features that all default members want.
    let metadata = metadata();
    let members = metadata.workspace_default_packages().into_iter().map(|package| package.name.to_string());
    let mut expected = functions(&metadata);
    expected.insert("noop-function".to_owned());
    assert_eq!(members.collect::<BTreeSet<_>>(), expected);
    for function in functions(&metadata) {
        let heavy = ["aws-smithy-http-client ", "h2 ", "rustls-native-certs "];
        let built = built_from(&function);
        let linked = built.keys().find(|package| heavy.iter().any(|name| package.starts_with(name)));
        assert_eq!(linked, None, "{function} is to have the HTTP client of crates/function-kit only");
    }
}

#[test]
fn the_sdk_is_given_our_checksums() {
    // Cargo only warns of a patch that nothing uses, as when the SDK asks for another version of what it stands in for.
    let metadata = metadata();
    let found: Vec<_> = metadata.packages.iter().filter(|package| package.name.as_str() == "crc-fast").collect();
    let [ours] = found[..] else { panic!("there are {} of crc-fast", found.len()) };
    assert_eq!(ours.id, package(&metadata, "crc-fast").id, "the one of the registry is linked");
    assert!(reached(&metadata, "media-api").contains("crc-fast"), "nothing needs crates/crc-fast any more");
}

#[test]
fn no_function_links_what_writes_the_document() {
    let metadata = metadata();
    let document: Vec<_> = reached(&metadata, "local").into_iter().filter(|name| name.starts_with("utoipa")).collect();
    assert!(!document.is_empty(), "nothing writes the document");
    for function in functions(&metadata) {
        let built = built_from(&function);
        let linked = built.keys().find(|package| document.iter().any(|name| package.starts_with(&format!("{name} "))));
        assert_eq!(linked, None, "{function}");
    }
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    // What each crate may know of the workspace.
    let allowed: HashMap<&str, &[&str]> = HashMap::from([
        ("api", &["domain"][..]),
        ("cdn-signing", &["domain"]),
        ("derivatives", &["domain", "function-kit"]),
        ("domain", &[]),
        ("neptune-streams", &[]),
        ("jpeg-planes", &[]),
        ("vp8-planes", &[]),
        ("picture", &["jpeg-planes", "vp8-planes"]),
        ("sound", &[]),
        ("function-kit", &["api"]),
        ("ops", &["domain", "store"]),
        ("opensearch", &["domain", "function-kit"]),
        ("store", &["domain", "function-kit"]),
    ]);
    let ours: BTreeSet<_> = metadata.workspace_packages().into_iter().map(|package| package.name.to_string()).collect();
    for (name, allowed) in allowed {
        for dependency in &package(&metadata, name).dependencies {
            // Every crate's tests may do damage.
            let is_damage = dependency.name == "malformed-inputs" && dependency.kind == DependencyKind::Development;
            let fine = is_damage || !ours.contains(&dependency.name) || allowed.contains(&dependency.name.as_str());
            assert!(fine, "{name} must not depend on {}", dependency.name);
        }
    }
}
