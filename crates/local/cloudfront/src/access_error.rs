/// Why CloudFront lets a request not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Nothing says who signed.
    #[error("Missing Key-Pair-Id query parameter or cookie value")]
    MissingKey,
    /// Nobody trusts who signed.
    #[error("Unknown Key")]
    InvalidKey,
    /// What is signed cannot be read.
    #[error("Malformed Policy")]
    MalformedPolicy,
    /// It is not signed, not signed for this, or no longer.
    #[error("Access denied")]
    AccessDenied,
}

impl AccessError {
    fn code(self) -> &'static str {
        match self {
            Self::MissingKey => "MissingKey",
            Self::InvalidKey => "InvalidKey",
            Self::MalformedPolicy => "MalformedPolicy",
            Self::AccessDenied => "AccessDenied",
        }
    }

    /// The answer's body.
    pub fn document(self) -> String {
        let code = self.code();
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{self}</Message></Error>")
    }
}
