/// The logical id of the function of a role that SAM created, `<stack>-<function>Role-<random>`, or `Operator`.
pub fn function_of_role(role: &str) -> Option<String> {
    let mut parts = role.rsplitn(2, '-');
    let (_, name) = (parts.next()?, parts.next()?);
    Some(name.split_once('-')?.1.strip_suffix("Role")?.to_owned())
}
