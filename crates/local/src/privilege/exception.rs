use super::grant::{Grant, matches};

/// Something that a role may do and is never seen to do.
#[derive(Debug)]
pub struct Exception {
    /// Whose role, by the function's name in the template; `*` for all.
    pub function: &'static str,
    /// Which action, perhaps with a wildcard.
    pub action: &'static str,
    /// A part of the resource's ARN; empty for all.
    pub resource: &'static str,
    /// Why it is granted all the same.
    #[expect(dead_code, reason = "for who reads this file")]
    pub why: &'static str,
}

/// All of them.
pub const EXCEPTIONS: &[Exception] = &[];

impl Exception {
    /// Whether it says why this is granted.
    pub fn is_about(&self, grant: &Grant) -> bool {
        matches(self.function, &grant.function)
            && matches(self.action, &grant.action)
            && grant.resource.contains(self.resource)
    }
}
