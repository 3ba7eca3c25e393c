use function_kit::{failure::Failure, http::Problem};

/// Why a request was not done.
#[derive(Debug)]
pub enum Error {
    /// It is the client's to change.
    Refused(Problem),
    /// It is not the client's fault.
    Failed(Failure),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
