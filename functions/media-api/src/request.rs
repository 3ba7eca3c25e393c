use std::{collections::HashSet, num::NonZeroU32};

use api::{
    DEFAULT_LIMIT, MAX_BATCH, MAX_LIMIT, MAX_OWNER_CHARACTERS, MediaBatchRequest, Problem, ReportRequest,
    VisibilityRequest,
};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use domain::media::{Kind, MediaId, Visibility};
use rest_kit::{
    rate_limit,
    request::{json_body, only_parameters, parameter},
};
use store::media::{Order, Selection};

use crate::fields::Fields;

/// One request to DynamoDB reads a whole batch.
const _: () = assert!(MAX_BATCH <= store::media::MAX_BATCH);

/// The limit of a body: 100 ids and all fields take 4 kB.
const MAX_BODY_BYTES: usize = 8 * 1024;

/// The limit of a body with a visibility alone.
const MAX_VISIBILITY_BYTES: usize = 1024;

/// The limit of a report: a text of 1,000 characters takes 12 kB, if each is escaped.
const MAX_REPORT_BYTES: usize = 16 * 1024;

/// A request of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// `GET /v1/media/{id}?fields=…`
    Item { id: MediaId, fields: Fields },
    /// `DELETE /v1/media/{id}`
    Delete { id: MediaId },
    /// `PUT /v1/media/{id}/visibility`
    SetVisibility { id: MediaId, visibility: Visibility },
    /// `POST /v1/reports`
    Report(ReportRequest),
    /// `GET /v1/media?owner=…&kind=…&post=…&order=…&limit=…&cursor=…&fields=…`
    List(Query),
    /// `POST /v1/media/batch`
    Batch { ids: Vec<MediaId>, fields: Fields },
}

/// A query for a list.
#[derive(Debug, PartialEq, Eq)]
pub struct Query {
    /// The owner of the items; `None` for the caller.
    pub owner: Option<String>,
    pub selection: Selection,
    pub order: Order,
    pub limit: usize,
    pub cursor: Option<String>,
    pub fields: Fields,
}

impl Request {
    /// Parses a request from API Gateway (payload format 2.0).
    ///
    /// # Errors
    /// 400, 404 or 413.
    pub fn parse(request: &ApiGatewayV2httpRequest) -> Result<Self, Problem> {
        match request.route_key.as_deref() {
            Some("GET /v1/media/{id}") => {
                only_parameters(request, &["fields"])?;
                Ok(Self::Item { id: id(request)?, fields: fields(request)? })
            }
            Some("DELETE /v1/media/{id}") => {
                only_parameters(request, &[])?;
                Ok(Self::Delete { id: id(request)? })
            }
            Some("PUT /v1/media/{id}/visibility") => {
                only_parameters(request, &[])?;
                let id = id(request)?;
                let VisibilityRequest { visibility } = json_body(request, MAX_VISIBILITY_BYTES)?;
                Ok(Self::SetVisibility { id, visibility })
            }
            Some("POST /v1/reports") => {
                only_parameters(request, &[])?;
                Ok(Self::Report(json_body(request, MAX_REPORT_BYTES)?))
            }
            Some("GET /v1/media") => query(request).map(Self::List),
            Some("POST /v1/media/batch") => {
                only_parameters(request, &[])?;
                let MediaBatchRequest { ids, fields } = json_body(request, MAX_BODY_BYTES)?;
                if !(1..=MAX_BATCH).contains(&ids.len()) {
                    return Err(Problem::invalid_request(format!("`ids` must name 1 to {MAX_BATCH} items")));
                }
                let fields = fields.map(|fields| Fields::some(fields.into_iter().collect()));
                let mut seen = HashSet::new();
                let ids = ids.into_iter().filter(|id| seen.insert(*id)).collect();
                Ok(Self::Batch { ids, fields: fields.unwrap_or_default() })
            }
            _ => Err(Problem::not_found()),
        }
    }

    /// What a request costs its caller.
    pub fn cost(request: &ApiGatewayV2httpRequest) -> NonZeroU32 {
        rate_limit::cost(match Self::parse(request) {
            Ok(Self::List(Query { limit, .. })) => limit,
            Ok(Self::Batch { ids, .. }) => ids.len(),
            _ => 1,
        })
    }
}

fn id(request: &ApiGatewayV2httpRequest) -> Result<MediaId, Problem> {
    // A malformed id names no item.
    let id = request.path_parameters.get("id").and_then(|id| id.parse().ok());
    id.ok_or_else(Problem::not_found)
}

fn fields(request: &ApiGatewayV2httpRequest) -> Result<Fields, Problem> {
    // Some generated clients send an empty list in place of none.
    let names = parameter(request, "fields").filter(|text| !text.is_empty());
    names.map_or(Ok(Fields::all()), |text| Fields::named(text.split(',')))
}

fn query(request: &ApiGatewayV2httpRequest) -> Result<Query, Problem> {
    only_parameters(request, &["owner", "kind", "post", "order", "limit", "cursor", "fields"])?;
    let selection = match (parameter(request, "kind"), parameter(request, "post")) {
        (None, None) => Selection::All,
        (Some(kind), None) => Selection::Kind(kind.parse().map_err(|_| {
            let kinds = Kind::ALL.map(|kind| kind.to_string()).join(", ");
            Problem::invalid_request(format!("`kind` must be one of {kinds}"))
        })?),
        (None, Some(post)) => {
            Selection::Post(post.try_into().map_err(|error| Problem::invalid_request(format!("`post`: {error}")))?)
        }
        (Some(_), Some(_)) => return Err(Problem::invalid_request("`kind` and `post` cannot be combined")),
    };
    let order = match parameter(request, "order").as_deref() {
        None | Some("newest") => Order::Newest,
        Some("oldest") => Order::Oldest,
        Some(_) => return Err(Problem::invalid_request("`order` must be newest or oldest")),
    };
    Ok(Query {
        owner: parameter(request, "owner").map(owner).transpose()?,
        selection,
        order,
        limit: limit(parameter(request, "limit").as_deref())?,
        cursor: parameter(request, "cursor"),
        fields: fields(request)?,
    })
}

fn owner(text: String) -> Result<String, Problem> {
    if (1..=MAX_OWNER_CHARACTERS).contains(&text.chars().count()) {
        Ok(text)
    } else {
        Err(Problem::invalid_request(format!("`owner` must have 1 to {MAX_OWNER_CHARACTERS} characters")))
    }
}

fn limit(text: Option<&str>) -> Result<usize, Problem> {
    match text.map(str::parse) {
        None => Ok(DEFAULT_LIMIT),
        Some(Ok(limit @ 1..=MAX_LIMIT)) => Ok(limit),
        Some(_) => Err(Problem::invalid_request(format!("`limit` must be a number from 1 to {MAX_LIMIT}"))),
    }
}

#[cfg(test)]
mod tests {
    use domain::user_report::ReportReason;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn parse(route: &str, path: Value, query: Value, body: &str) -> Result<Request, u16> {
        let request = json!({
            "version": "2.0", "routeKey": route, "rawPath": "/", "headers": {},
            "pathParameters": path, "rawQueryString": serde_urlencoded::to_string(&query).expect("a query"), "isBase64Encoded": false, "body": body,
            "requestContext": {"http": {"method": "GET"}}
        });
        Request::parse(&serde_json::from_value(request).expect("a request")).map_err(|problem| problem.status)
    }

    fn list(query: Value) -> Result<Query, u16> {
        match parse("GET /v1/media", json!({}), query, "")? {
            Request::List(query) => Ok(query),
            other => panic!("{other:?}"),
        }
    }

    fn batch(body: Value) -> Result<Request, u16> {
        parse("POST /v1/media/batch", json!({}), json!({}), &body.to_string())
    }

    #[test]
    fn request_costs_by_its_items() {
        let cost = |route: &str, query: Value, body: &str| {
            let query = serde_urlencoded::to_string(&query).expect("a query");
            let request = json!({
                "version": "2.0", "routeKey": route, "rawPath": "/", "headers": {}, "rawQueryString": query,
                "isBase64Encoded": false, "body": body, "requestContext": {"http": {"method": "GET"}}
            });
            Request::cost(&serde_json::from_value(request).expect("a request")).get()
        };
        let lists = [json!({}), json!({"limit": "21"}), json!({"limit": "100"}), json!({"limit": "1000"})];
        assert_eq!(lists.map(|query| cost("GET /v1/media", query, "")), [1, 2, 5, 1], "an invalid request costs 1");
        let ids: Vec<_> = (0..100).map(|number| MediaId::of_key(&format!("photo/mina/{number}.jpg"))).collect();
        assert_eq!(cost("POST /v1/media/batch", json!({}), &json!({"ids": ids}).to_string()), 5);
    }

    #[test]
    fn item_request_is_parsed_and_invalid_ones_are_rejected() {
        let id = MediaId::of_key("photo/mina/a.jpg");
        let item = |query| parse("GET /v1/media/{id}", json!({"id": id}), query, "");
        assert_eq!(item(json!({})), Ok(Request::Item { id, fields: Fields::all() }));
        // Some generated clients send an empty list in place of none.
        assert_eq!(item(json!({"fields": ""})), Ok(Request::Item { id, fields: Fields::all() }));
        let fields = Fields::named(["state"]).expect("fields");
        assert_eq!(item(json!({"fields": "state"})), Ok(Request::Item { id, fields }));
        let fields = Fields::named(["state", "width"]).expect("fields");
        assert_eq!(item(json!({"fields": "state,width"})), Ok(Request::Item { id, fields }));
        assert_eq!(item(json!({"field": "state"})), Err(400));
        assert_eq!(item(json!({"fields": "secret"})), Err(400));
        assert_eq!(parse("GET /v1/media/{id}", json!({"id": "../x"}), json!({}), ""), Err(404));
        let deletion = parse("DELETE /v1/media/{id}", json!({"id": id}), json!({}), "");
        assert_eq!(deletion, Ok(Request::Delete { id }));
        assert_eq!(parse("DELETE /v1/media/{id}", json!({"id": id}), json!({"force": "yes"}), ""), Err(400));
        assert_eq!(parse("$default", json!({}), json!({}), ""), Err(404));
    }

    #[test]
    fn list_query_is_parsed_and_checked_against_its_limits() {
        let own = list(json!({})).expect("a list");
        assert_eq!((own.owner, own.selection, own.order), (None, Selection::All, Order::Newest));
        assert_eq!(own.limit, DEFAULT_LIMIT);
        let photos = list(json!({"owner": "mina", "kind": "photo", "order": "oldest", "limit": "1", "cursor": "c"}));
        let photos = photos.expect("a list");
        assert_eq!((photos.selection, photos.order), (Selection::Kind(Kind::Photo), Order::Oldest));
        assert_eq!((photos.owner.as_deref(), photos.limit, photos.cursor.as_deref()), (Some("mina"), 1, Some("c")));
        assert!(list(json!({"owner": "가".repeat(256)})).is_ok());
        let post = list(json!({"post": "p1"})).expect("a list");
        assert!(matches!(post.selection, Selection::Post(post) if post.as_str() == "p1"));
        for query in [
            json!({"owner": ""}),
            json!({"owner": "가".repeat(257)}),
            json!({"limit": "0"}),
            json!({"limit": "101"}),
            json!({"limit": "-1"}),
            json!({"limit": "ten"}),
            json!({"kind": "video"}),
            json!({"kind": ""}),
            json!({"post": ""}),
            json!({"post": "a#b"}),
            json!({"kind": "photo", "post": "p1"}),
            json!({"order": "random"}),
            json!({"order": "newest,oldest"}),
            json!({"limit": "1,2"}),
            json!({"sort": "newest"}),
        ] {
            assert_eq!(list(query.clone()), Err(400), "{query}");
        }
    }

    #[test]
    fn batch_is_parsed_and_checked_against_its_limits() {
        let ids: Vec<_> = (0..101).map(|number| MediaId::of_key(&format!("photo/mina/{number}"))).collect();
        assert_eq!(
            batch(json!({"ids": ids[..100]})),
            Ok(Request::Batch { ids: ids[..100].into(), fields: Fields::all() })
        );
        let twice = batch(json!({"ids": [ids[0], ids[1], ids[0]]}));
        assert_eq!(twice, Ok(Request::Batch { ids: ids[..2].into(), fields: Fields::all() }));
        for body in [
            json!({"ids": []}),
            json!({"ids": ids}),
            json!({"ids": ["x"]}),
            json!({"ids": [1]}),
            json!({}),
            json!({"ids": [ids[0]], "owner": "mina"}),
            json!([[ids[0]]]),
            json!({"ids": [ids[0]], "fields": ["secret"]}),
        ] {
            assert_eq!(batch(body.clone()), Err(400), "{body}");
        }
        assert_eq!(batch(json!({"ids": ["x".repeat(9_000)]})), Err(413));
    }

    #[test]
    fn report_is_parsed_and_checked_against_its_limits() {
        let report = |body: Value| parse("POST /v1/reports", json!({}), json!({}), &body.to_string());
        let media_id = MediaId::of_key("photo/mina/a");
        let of = |reason: &str, text: &str| json!({"mediaId": media_id, "reason": reason, "text": text});
        let request = ReportRequest { media_id, reason: ReportReason::Other, text: None };
        assert_eq!(report(json!({"mediaId": media_id, "reason": "other"})), Ok(Request::Report(request.clone())));
        assert_eq!(report(json!({"mediaId": media_id, "reason": "other", "text": null})), Ok(Request::Report(request)));
        assert!(report(of("copyright", &"한".repeat(1_000))).is_ok());
        for body in [
            of("boring", "a"),
            of("Spam", "a"),
            of("spam", ""),
            of("spam", "\u{1b}[2J"),
            of("spam", &"한".repeat(1_001)),
            json!({"mediaId": media_id}),
            json!({"reason": "spam"}),
            json!({"mediaId": "x", "reason": "spam"}),
            json!({"mediaId": media_id, "reason": "spam", "reporter": "sora"}),
        ] {
            assert_eq!(report(body.clone()), Err(400), "{body}");
        }
        assert_eq!(report(of("spam", &"a".repeat(17_000))), Err(413));
        assert_eq!(parse("POST /v1/reports", json!({}), json!({"a": "b"}), &of("spam", "a").to_string()), Err(400));
    }

    proptest! {
        #[test]
        fn any_request_is_parsed_or_rejected(
            values in prop::collection::vec(malformed_inputs::text(), 7),
            id in malformed_inputs::text(),
            body in malformed_inputs::documents(&[r#"{"ids":["1BXGRWP28YE5BMJM4Y6AMW46T0"],"fields":["id","state"]}"#]),
            present: u8,
        ) {
            let names = ["owner", "kind", "post", "order", "limit", "cursor", "fields"];
            // Any combination of them.
            let query: serde_json::Map<_, _> = names.iter().zip(values).enumerate()
                .filter(|(at, _)| present >> at & 1 == 1)
                .map(|(_, (name, value))| ((*name).to_owned(), json!(value)))
                .collect();
            let query = Value::Object(query);
            for route in ["GET /v1/media", "GET /v1/media/{id}", "DELETE /v1/media/{id}", "POST /v1/media/batch", "POST /v1/reports"] {
                match parse(route, json!({"id": id}), query.clone(), &body) {
                    Ok(Request::List(query)) => prop_assert!((1..=MAX_LIMIT).contains(&query.limit)),
                    Ok(Request::Batch { ids, .. }) => prop_assert!((1..=MAX_BATCH).contains(&ids.len())),
                    Ok(_) => {}
                    Err(status) => prop_assert!(matches!(status, 400 | 404 | 413), "{}", status),
                }
            }
        }
    }
}
