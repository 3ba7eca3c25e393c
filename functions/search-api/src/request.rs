use std::num::NonZeroU32;

use api::{DEFAULT_SEARCH_LIMIT, MAX_SEARCH_LIMIT, MAX_TAG_CHARACTERS, Problem};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use domain::search::{Kind, Query};
use rest_kit::{
    rate_limit,
    request::{only_parameters, parameter},
};

/// Parsed request.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// `GET /v1/search?q=…&kind=…&tag=…&limit=…&cursor=…`
    Search(SearchRequest),
    /// `GET /v1/search/suggestions?q=…`
    Suggestions(Query),
}

/// Parameters of a search.
#[derive(Debug, PartialEq, Eq)]
pub struct SearchRequest {
    /// `None` only if there is a tag.
    pub query: Option<Query>,
    pub kind: Option<Kind>,
    /// The id of a tag.
    pub tag: Option<String>,
    pub limit: usize,
    pub cursor: Option<String>,
}

impl Request {
    /// Parses a request that API Gateway has authorized (payload format 2.0).
    pub fn parse(request: &ApiGatewayV2httpRequest) -> Result<Self, Problem> {
        match request.route_key.as_deref() {
            Some("GET /v1/search") => {
                only_parameters(request, &["q", "kind", "tag", "limit", "cursor"])?;
                let tag = parameter(request, "tag").map(tag).transpose()?;
                let has_query = tag.is_none() || parameter(request, "q").is_some();
                Ok(Self::Search(SearchRequest {
                    query: has_query.then(|| query(request)).transpose()?,
                    tag,
                    kind: parameter(request, "kind").as_deref().map(kind).transpose()?,
                    limit: parameter(request, "limit").as_deref().map_or(Ok(DEFAULT_SEARCH_LIMIT), limit)?,
                    cursor: parameter(request, "cursor"),
                }))
            }
            Some("GET /v1/search/suggestions") => {
                only_parameters(request, &["q"])?;
                query(request).map(Self::Suggestions)
            }
            _ => Err(Problem::not_found()),
        }
    }

    /// What a request costs its caller.
    pub fn cost(request: &ApiGatewayV2httpRequest) -> NonZeroU32 {
        rate_limit::cost(match Self::parse(request) {
            Ok(Self::Search(SearchRequest { limit, .. })) => limit,
            _ => 1,
        })
    }
}

fn query(request: &ApiGatewayV2httpRequest) -> Result<Query, Problem> {
    let text = parameter(request, "q").unwrap_or_default();
    Query::parse(&text).map_err(|error| Problem::invalid_request(format!("`q`: {error}")))
}

fn kind(text: &str) -> Result<Kind, Problem> {
    text.parse().map_err(|_| {
        let kinds = Kind::ALL.map(<&str>::from).join(", ");
        Problem::invalid_request(format!("`kind` must be one of {kinds}"))
    })
}

fn tag(id: String) -> Result<String, Problem> {
    let is_valid = !id.is_empty() && id.chars().nth(MAX_TAG_CHARACTERS).is_none();
    is_valid
        .then_some(id)
        .ok_or_else(|| Problem::invalid_request(format!("`tag` must be an id of 1 to {MAX_TAG_CHARACTERS} characters")))
}

fn limit(text: &str) -> Result<usize, Problem> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_SEARCH_LIMIT).contains(limit));
    limit.ok_or_else(|| Problem::invalid_request(format!("`limit` must be a number from 1 to {MAX_SEARCH_LIMIT}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn parsed(route: &str, parameters: Value) -> Result<Request, u16> {
        let request = json!({
            "version": "2.0", "routeKey": route, "rawPath": "/", "headers": {},
            "rawQueryString": serde_urlencoded::to_string(&parameters).expect("a query"), "isBase64Encoded": false,
            "requestContext": {"http": {"method": "GET"}}
        });
        Request::parse(&serde_json::from_value(request).expect("a request")).map_err(|problem| problem.status)
    }

    fn search_for(text: &str) -> SearchRequest {
        SearchRequest {
            query: Some(Query::parse(text).expect("a query")),
            kind: None,
            tag: None,
            limit: 20,
            cursor: None,
        }
    }

    #[test]
    fn search_parameters_are_parsed() {
        let search = |parameters| parsed("GET /v1/search", parameters);
        assert_eq!(search(json!({"q": "서울"})), Ok(Request::Search(search_for("서울"))));
        let all = json!({"q": "첫눈, 서울", "kind": "story", "limit": "50", "cursor": "c"});
        let expected =
            SearchRequest {
                kind: Some(Kind::Story), limit: 50, cursor: Some("c".into()), ..search_for("첫눈, 서울")
            };
        assert_eq!(search(all), Ok(Request::Search(expected)));
        let tagged = SearchRequest { tag: Some("snow".into()), ..search_for("서울") };
        assert_eq!(search(json!({"q": "서울", "tag": "snow"})), Ok(Request::Search(tagged)));
        let only = SearchRequest { query: None, tag: Some("snow".into()), ..search_for("서울") };
        assert_eq!(search(json!({"tag": "snow"})), Ok(Request::Search(only)));
    }

    #[test]
    fn invalid_parameters_return_400_and_unknown_route_404() {
        for parameters in [
            json!({}),
            json!({"q": ""}),
            json!({"q": "\u{0}\u{7f}"}),
            json!({"q": "x".repeat(10_000)}),
            json!({"q": "서울", "kind": "comment"}),
            json!({"q": "서울", "tag": ""}),
            json!({"q": "", "tag": "snow"}),
            json!({"tag": "x".repeat(513)}),
            json!({"q": "서울", "limit": "0"}),
            json!({"q": "서울", "limit": "51"}),
            json!({"q": "서울", "sort": "_doc"}),
        ] {
            assert_eq!(parsed("GET /v1/search", parameters.clone()), Err(400), "{parameters}");
        }
        assert_eq!(parsed("GET /v1/search/suggestions", json!({"q": "서", "limit": "5"})), Err(400));
        assert_eq!(parsed("GET /v1/elsewhere", json!({"q": "서울"})), Err(404));
    }

    proptest! {
        #[test]
        fn malformed_parameters_are_parsed_or_return_400(
            values in prop::collection::vec(malformed_inputs::text(), 4),
            included: u8,
        ) {
            let parameters: serde_json::Map<_, _> = ["q", "kind", "limit", "cursor"].iter().zip(values).enumerate()
                .filter(|(index, _)| included >> index & 1 == 1)
                .map(|(_, (name, value))| ((*name).to_owned(), json!(value)))
                .collect();
            for route in ["GET /v1/search", "GET /v1/search/suggestions"] {
                match parsed(route, Value::Object(parameters.clone())) {
                    Ok(Request::Search(search)) => prop_assert!((1..=MAX_SEARCH_LIMIT).contains(&search.limit)),
                    Ok(Request::Suggestions(_)) => {}
                    Err(status) => prop_assert_eq!(status, 400),
                }
            }
        }
    }
}
