//! Lambda's detection of recursive loops.
//!
//! Lambda gives each invocation a trace header with a lineage: how often the function was invoked before in the same chain.
//! The SDK sends the header with every call, and SQS keeps it with a message (`AWSTraceHeader`). When the message invokes the
//! function again, Lambda increases the number, and drops the invocation after the sixteenth, unless the function's
//! `RecursiveLoop` is `Allow` (AWS Lambda Developer Guide, "Lambda recursive loop detection").
//!
//! The format of the lineage is not documented. Seen: `Lineage=1:e547cb94:0`, and earlier `Lineage=aae260cf:0|74085691:2`.

/// The setting `RecursiveLoop` of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecursiveLoop {
    /// Lambda does not drop invocations.
    Allow,
    /// Lambda drops invocations after the sixteenth: the default.
    Terminate,
}

/// The most invocations of one function in a chain.
pub const MAX_INVOCATIONS: u32 = 16;

/// The trace header of an invocation of `function` by a message that was sent with the header `sent`. `None` if Lambda drops
/// the invocation.
pub fn invocation_trace(sent: Option<&str>, function: &str, recursive_loop: RecursiveLoop) -> Option<String> {
    let before = sent.and_then(|sent| invocations_before(sent, function)).map_or(0, |before| before + 1);
    if before >= MAX_INVOCATIONS && recursive_loop == RecursiveLoop::Terminate {
        return None;
    }
    let root = sent.and_then(|sent| sent.split(';').find(|part| part.starts_with("Root=")));
    let root = root.unwrap_or("Root=1-00000000-000000000000000000000000");
    Some(format!("{root};Parent=0000000000000001;Sampled=0;Lineage=1:{}:{before}", hash(function)))
}

/// How often the function had been invoked in the chain before it sent a call with the header `trace`. `None` if the header
/// has no lineage of the function.
pub fn invocations_before(trace: &str, function: &str) -> Option<u32> {
    let lineage = trace.split(';').find_map(|part| part.strip_prefix("Lineage="))?;
    let hash = hash(function);
    let count = lineage.split('|').find_map(|entry| {
        let mut fields = entry.rsplit(':');
        let count = fields.next()?;
        (fields.next()? == hash).then_some(count)
    });
    count?.parse().ok()
}

/// Eight digits that stand for a function (FNV-1a).
fn hash(function: &str) -> String {
    let hash = function.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of invocations of a chain in which each invocation sends one message, up to 100.
    fn invocations(recursive_loop: RecursiveLoop) -> usize {
        let next = |sent: &Option<String>| Some(invocation_trace(sent.as_deref(), "push", recursive_loop));
        std::iter::successors(Some(invocation_trace(None, "push", recursive_loop)), next)
            .take(100)
            .take_while(Option::is_some)
            .count()
    }

    #[test]
    fn chain_ends_after_sixteen_invocations_unless_allowed() {
        assert_eq!(invocations(RecursiveLoop::Terminate), 16);
        assert_eq!(invocations(RecursiveLoop::Allow), 100);
    }

    #[test]
    fn other_functions_do_not_count() {
        let sent = invocation_trace(None, "push", RecursiveLoop::Terminate).expect("an invocation");
        assert_eq!(invocations_before(&sent, "push"), Some(0));
        assert_eq!(invocations_before(&sent, "search"), None);
        let earlier_format = format!("Root=1-2-3;Lineage=aae260cf:7|{}:16", hash("push"));
        assert_eq!(invocations_before(&earlier_format, "push"), Some(16));
        assert_eq!(invocation_trace(Some(&earlier_format), "push", RecursiveLoop::Terminate), None);
        let invocation = invocation_trace(Some(&earlier_format), "push", RecursiveLoop::Allow).expect("an invocation");
        assert!(invocation.starts_with("Root=1-2-3;") && invocation.ends_with(":17"), "{invocation}");
    }
}
