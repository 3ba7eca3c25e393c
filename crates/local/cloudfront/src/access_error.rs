/// Why CloudFront denies a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The URL has no key id.
    #[error("Missing Key-Pair-Id query parameter or cookie value")]
    MissingKey,
    /// The key is not trusted.
    #[error("Unknown Key")]
    InvalidKey,
    /// The policy cannot be parsed.
    #[error("Malformed Policy")]
    MalformedPolicy,
    /// The URL is not signed, has an invalid signature, or has expired.
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

    /// The body of the response.
    pub fn document(self) -> String {
        let code = self.code();
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{self}</Message></Error>")
    }
}
