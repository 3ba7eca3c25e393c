/// A module: the names from the crate's root. The root is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module(Vec<String>);

impl Module {
    /// The child `name`.
    pub fn child(&self, name: &str) -> Self {
        Self(self.0.iter().cloned().chain([name.to_owned()]).collect())
    }

    /// The path of the file from the crate's folder.
    pub fn file(&self) -> String {
        if self.0.is_empty() { "the crate's root".to_owned() } else { format!("{}.rs", self.0.join("/")) }
    }

    /// The parent. The root is its own parent.
    pub fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// Whether `other` is this module or a descendant.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}
