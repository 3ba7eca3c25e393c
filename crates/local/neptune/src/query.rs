use percent_encoding::percent_decode_str;

use super::{
    error_response::ErrorResponse,
    record::EventId,
    stream::{DEFAULT_LIMIT, MAX_COMMIT_NUM, MAX_LIMIT, Request, Start},
};

/// Parses the query string of a request for the stream.
pub fn parse(query: &str) -> Result<Request, ErrorResponse> {
    let limit = number(query, "limit")?.map_or(Ok(DEFAULT_LIMIT), |limit| match usize::try_from(limit) {
        Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        _ => Err(ErrorResponse::invalid_parameter(format!("limit must be between 1 and {MAX_LIMIT}"))),
    })?;
    let start = match parameter(query, "iteratorType")?.as_deref() {
        None | Some("AT_SEQUENCE_NUMBER") => Start::At(position(query)?),
        Some("AFTER_SEQUENCE_NUMBER") => Start::After(position(query)?),
        Some("TRIM_HORIZON") => Start::TrimHorizon,
        Some("LATEST") => Start::Latest,
        Some(other) => return Err(ErrorResponse::invalid_parameter(format!("unknown iteratorType {other}"))),
    };
    Ok(Request { start, limit })
}

fn position(query: &str) -> Result<EventId, ErrorResponse> {
    let missing = || ErrorResponse::invalid_parameter("commitNum is required for this iteratorType");
    let commit_num = number(query, "commitNum")?.ok_or_else(missing)?;
    Ok(EventId { commit_num, op_num: number(query, "opNum")?.unwrap_or(1) })
}

fn number(query: &str, name: &str) -> Result<Option<u64>, ErrorResponse> {
    let Some(text) = parameter(query, name)? else { return Ok(None) };
    let number = text.parse().ok().filter(|number| *number <= MAX_COMMIT_NUM);
    number.map(Some).ok_or_else(|| ErrorResponse::invalid_parameter(format!("{name} must be a number, not {text}")))
}

fn parameter(query: &str, name: &str) -> Result<Option<String>, ErrorResponse> {
    let found = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(found, _)| *found == name);
    let Some((_, value)) = found else { return Ok(None) };
    match percent_decode_str(value).decode_utf8() {
        Ok(value) => Ok(Some(value.into_owned())),
        Err(_) => Err(ErrorResponse::invalid_parameter(format!("{name} is not UTF-8"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(commit_num: u64, op_num: u64) -> EventId {
        EventId { commit_num, op_num }
    }

    #[test]
    fn omitted_parameters_have_the_documented_defaults() {
        assert_eq!(parse("commitNum=7"), Ok(Request { start: Start::At(id(7, 1)), limit: 10 }));
        let after = parse("iteratorType=AFTER_SEQUENCE_NUMBER&commitNum=7&limit=1");
        assert_eq!(after, Ok(Request { start: Start::After(id(7, 1)), limit: 1 }));
    }

    #[test]
    fn every_iterator_type_is_parsed() {
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
    fn limit_out_of_range_is_rejected() {
        let limit = |limit: &str| parse(&format!("iteratorType=LATEST&limit={limit}")).map(|request| request.limit);
        assert_eq!((limit("1"), limit("100000")), (Ok(1), Ok(100_000)));
        for wrong in ["0", "100001", "-1", "many", "", "1.5", "18446744073709551616"] {
            assert_eq!(limit(wrong).map_err(|error| error.code), Err("InvalidParameterException"), "{wrong}");
        }
    }

    #[test]
    fn invalid_parameters_are_rejected() {
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
            assert_eq!(parse(query).map_err(|error| error.code), Err("InvalidParameterException"), "{query}");
        }
    }
}
