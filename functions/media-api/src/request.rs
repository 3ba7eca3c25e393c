use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::media::MediaId;
use function_kit::http::Problem;
use store::media::ListKey;

/// Items on a page if the client does not say.
const DEFAULT_LIMIT: usize = 20;
/// Items on a page at most.
const MAX_LIMIT: usize = 100;

/// What a client may ask.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// `GET /v1/media/{id}`
    Item(MediaId),
    /// `GET /v1/media?owner=…&limit=…&cursor=…`
    List { owner: String, limit: usize, after: Option<ListKey> },
}

impl Request {
    /// Reads a request that API Gateway let through (payload format 2.0).
    pub fn parse(request: &ApiGatewayV2httpRequest) -> Result<Self, Problem> {
        let query = |name| request.query_string_parameters.first(name);
        match request.route_key.as_deref() {
            Some("GET /v1/media/{id}") => {
                // What is not an id names nothing.
                let id = request.path_parameters.get("id").and_then(|id| id.parse().ok());
                id.map(Self::Item).ok_or_else(Problem::not_found)
            }
            Some("GET /v1/media") => Ok(Self::List {
                owner: owner(query("owner"))?,
                limit: limit(query("limit"))?,
                after: query("cursor").map(after).transpose()?,
            }),
            _ => Err(Problem::not_found()),
        }
    }
}

fn owner(text: Option<&str>) -> Result<String, Problem> {
    // A DynamoDB key holds at most 2,048 bytes; an object's key at most 1,024.
    text.filter(|owner| (1..=1_024).contains(&owner.len()))
        .map(str::to_owned)
        .ok_or_else(|| Problem::invalid_request("`owner` must name somebody, in at most 1,024 bytes"))
}

fn limit(text: Option<&str>) -> Result<usize, Problem> {
    match text.map(str::parse) {
        None => Ok(DEFAULT_LIMIT),
        Some(Ok(limit @ 1..=MAX_LIMIT)) => Ok(limit),
        Some(_) => Err(Problem::invalid_request(format!("`limit` must be a number from 1 to {MAX_LIMIT}"))),
    }
}

/// The cursor for the page after `key`.
///
/// It is not secret and needs no signature: it can only choose a place within the list of the
/// owner that the request names, all of which the client may see.
pub fn cursor(key: &ListKey) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&key.0)
}

fn after(cursor: &str) -> Result<ListKey, Problem> {
    let text = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.filter(|text| (1..=1_024).contains(&text.len()))
        .map(ListKey)
        .ok_or_else(|| Problem::invalid_request("`cursor` must be the `next` of an earlier answer"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(route: &str, path: Value, query: Value) -> Result<Request, u16> {
        let request = json!({
            "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": "", "headers": {},
            "pathParameters": path, "queryStringParameters": query, "isBase64Encoded": false,
            "requestContext": {"http": {"method": "GET"}}
        });
        Request::parse(&serde_json::from_value(request).expect("a request")).map_err(|problem| problem.status)
    }

    fn list(query: Value) -> Result<Request, u16> {
        parse("GET /v1/media", json!({}), query)
    }

    #[test]
    fn one_item() {
        let id = MediaId::of_key("photo/mina/a.jpg");
        assert_eq!(parse("GET /v1/media/{id}", json!({"id": id}), json!({})), Ok(Request::Item(id)));
        assert_eq!(parse("GET /v1/media/{id}", json!({"id": "../x"}), json!({})), Err(404));
        assert_eq!(parse("$default", json!({}), json!({})), Err(404));
    }

    #[test]
    fn a_list_and_its_bounds() {
        let all = Request::List { owner: "mina".into(), limit: DEFAULT_LIMIT, after: None };
        assert_eq!(list(json!({"owner": "mina"})), Ok(all));
        for query in [
            json!({}),
            json!({"owner": ""}),
            json!({"owner": "가".repeat(342)}),
            json!({"owner": "mina", "limit": "0"}),
            json!({"owner": "mina", "limit": "101"}),
            json!({"owner": "mina", "limit": "ten"}),
            json!({"owner": "mina", "cursor": ""}),
            json!({"owner": "mina", "cursor": "!"}),
            json!({"owner": "mina", "cursor": "_w"}),
        ] {
            assert_eq!(list(query.clone()), Err(400), "{query}");
        }
    }

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let place = ListKey("2026-11-22T00:00:00.000Z#0".into());
        let query = json!({"owner": "mina", "limit": "1", "cursor": cursor(&place)});
        assert_eq!(list(query), Ok(Request::List { owner: "mina".into(), limit: 1, after: Some(place) }));
    }
}
