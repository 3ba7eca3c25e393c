use percent_encoding::percent_decode_str;

use super::{
    answers::Problem,
    log::{DEFAULT_LIMIT, MAX_COMMIT_NUM, MAX_LIMIT, Request, Start},
    record::EventId,
};

/// Reads a request for the stream from its URL's query.
pub fn parse(query: &str) -> Result<Request, Problem> {
    let limit = number(query, "limit")?.map_or(Ok(DEFAULT_LIMIT), |limit| match usize::try_from(limit) {
        Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        _ => Err(Problem::invalid_parameter(format!("limit must be between 1 and {MAX_LIMIT}"))),
    })?;
    let start = match parameter(query, "iteratorType")?.as_deref() {
        None | Some("AT_SEQUENCE_NUMBER") => Start::At(position(query)?),
        Some("AFTER_SEQUENCE_NUMBER") => Start::After(position(query)?),
        Some("TRIM_HORIZON") => Start::TrimHorizon,
        Some("LATEST") => Start::Latest,
        Some(other) => return Err(Problem::invalid_parameter(format!("there is no iteratorType {other}"))),
    };
    Ok(Request { start, limit })
}

fn position(query: &str) -> Result<EventId, Problem> {
    let missing = || Problem::invalid_parameter("commitNum is required for this iteratorType");
    let commit_num = number(query, "commitNum")?.ok_or_else(missing)?;
    Ok(EventId { commit_num, op_num: number(query, "opNum")?.unwrap_or(1) })
}

fn number(query: &str, name: &str) -> Result<Option<u64>, Problem> {
    let Some(text) = parameter(query, name)? else { return Ok(None) };
    let number = text.parse().ok().filter(|number| *number <= MAX_COMMIT_NUM);
    number.map(Some).ok_or_else(|| Problem::invalid_parameter(format!("{name} must be a number, not {text}")))
}

fn parameter(query: &str, name: &str) -> Result<Option<String>, Problem> {
    let found = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(found, _)| *found == name);
    let Some((_, value)) = found else { return Ok(None) };
    match percent_decode_str(value).decode_utf8() {
        Ok(value) => Ok(Some(value.into_owned())),
        Err(_) => Err(Problem::invalid_parameter(format!("{name} is not UTF-8"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(commit_num: u64, op_num: u64) -> EventId {
        EventId { commit_num, op_num }
    }

    #[test]
    fn the_documented_defaults() {
        assert_eq!(parse("commitNum=7"), Ok(Request { start: Start::At(id(7, 1)), limit: 10 }));
        let after = parse("iteratorType=AFTER_SEQUENCE_NUMBER&commitNum=7&limit=1");
        assert_eq!(after, Ok(Request { start: Start::After(id(7, 1)), limit: 1 }));
    }

    #[test]
    fn every_iterator() {
        let start = |query| parse(query).map(|request| request.start);
        assert_eq!(
            start("iteratorType=AT_SEQUENCE_NUMBER&commitNum=9223372036854775807&opNum=3"),
            Ok(Start::At(id(MAX_COMMIT_NUM, 3)))
        );
        assert_eq!(start("opNum=2&commitNum=1&iteratorType=AFTER%5FSEQUENCE_NUMBER"), Ok(Start::After(id(1, 2))));
        assert_eq!(start("iteratorType=TRIM_HORIZON&commitNum=ignored"), Ok(Start::TrimHorizon));
        assert_eq!(start("iteratorType=LATEST"), Ok(Start::Latest));
    }

    #[test]
    fn the_limit_has_limits() {
        let limit = |limit: &str| parse(&format!("iteratorType=LATEST&limit={limit}")).map(|request| request.limit);
        assert_eq!((limit("1"), limit("100000")), (Ok(1), Ok(100_000)));
        for wrong in ["0", "100001", "-1", "many", "", "1.5", "18446744073709551616"] {
            assert_eq!(limit(wrong).map_err(|problem| problem.code), Err("InvalidParameterException"), "{wrong}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for query in [
            "",
            "opNum=1",
            "iteratorType=AFTER_SEQUENCE_NUMBER",
            "iteratorType=latest",
            "iteratorType=%FF",
            "commitNum=-1",
            "commitNum=9223372036854775808",
            "commitNum=1&opNum=x",
        ] {
            assert_eq!(parse(query).map_err(|problem| problem.code), Err("InvalidParameterException"), "{query}");
        }
    }
}
