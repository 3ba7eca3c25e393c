use utoipa::ToSchema;

use super::operation::{Operation, Response};
use crate::{SearchResults, Suggestions};

/// Operations of search.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation {
            route: "GET /v1/search",
            id: "search",
            tag: "search",
            summary: "Find stories, persons and tags",
            description: "Finds stories by title, and persons and tags by name. The best results are first; equal ones are \
                sorted from new to old. A result contains all words of the query, in Korean without particles (`서울` finds \
                `서울에서`) and in English without endings. Queries have no syntax. New stories are found within seconds; \
                results that the caller may not see are never returned. With `tag`, only stories with that tag are found; \
                with `tag` and without `q`, all of them.",
            parameters: &["SearchQuery", "SearchKind", "SearchTag", "SearchLimit", "SearchCursor"],
            responses: vec![Response::uncached(200, "A page of results.", SearchResults::name().into())],
            problems: &[400],
            ..Operation::default()
        },
        Operation {
            route: "GET /v1/search/suggestions",
            id: "suggest",
            tag: "search",
            summary: "Complete a query",
            description: "Returns up to 10 titles and names with words that begin with those of the query, compared syllable \
                by syllable. Stories with the same title give one suggestion.",
            parameters: &["SuggestionQuery"],
            responses: vec![Response::uncached(200, "Completions of the query.", Suggestions::name().into())],
            problems: &[400],
            ..Operation::default()
        },
    ]
}
