/// The stack of `demo`, `up` and `down`.
pub const DEVELOPMENT: &str = "development";
