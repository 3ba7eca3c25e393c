use std::collections::{BTreeMap, BTreeSet};

use super::{module::Module, source::Source};

/// By file: the files that it imports.
pub fn imports(files: &BTreeMap<Module, Source>) -> BTreeMap<String, BTreeSet<String>> {
    let mut imports = BTreeMap::<_, BTreeSet<_>>::new();
    for (module, source) in files {
        let targets = imports.entry(module.file()).or_default();
        for path in &source.paths {
            targets.extend(resolve(files, module, path).map(|target| target.file()));
        }
        for (path, _) in &source.re_exports {
            // A re-export of a child is part of the module's own interface.
            let target = resolve(files, module, path).filter(|target| !module.contains(target));
            targets.extend(target.map(|target| target.file()));
        }
        targets.remove(&module.file());
    }
    imports
}

/// The module that defines the item at `path`, as written in `module`. `None` for other crates.
fn resolve(files: &BTreeMap<Module, Source>, module: &Module, path: &[String]) -> Option<Module> {
    let mut at = match path.first()?.as_str() {
        "crate" => Module::default(),
        "self" => module.clone(),
        "super" => module.parent(),
        name if files[module].children.contains(name) => module.child(name),
        _ => return None,
    };
    for name in path.iter().skip(1) {
        let child = at.child(name);
        if name == "super" {
            at = at.parent();
        } else if files.contains_key(&child) {
            at = child;
        } else {
            let re_export = files.get(&at)?.re_exports.iter().find(|(_, known)| known == name);
            let Some((target, _)) = re_export else { return Some(at) };
            // Re-exports of other crates' items belong to the module itself.
            return resolve(files, &at, target).or(Some(at));
        }
    }
    Some(at)
}
