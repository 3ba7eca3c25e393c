use utoipa::ToSchema;

use super::operation::{Answer, Operation};
use crate::{SearchResults, Suggestions};

const TAG: &str = "search";

/// The operations that find.
pub fn operations() -> Vec<Operation> {
    vec![search(), suggest()]
}

fn search() -> Operation {
    Operation {
        method: "get",
        path: "/v1/search",
        id: "search",
        tag: TAG,
        summary: "Find stories, people and tags",
        description: "Stories by their titles, people and tags by their names, the best first, among equals what is newer. \
            All words of the query must be there, in Korean without their particles (`서울` finds `서울에서`) and in \
            English without their endings; nothing in it is syntax. What was told a moment ago is found within \
            seconds; what may not be seen is never found. With `tag`, stories with that tag; without `q`, all of them.",
        parameters: &["SearchQuery", "SearchKind", "SearchTag", "SearchLimit", "SearchCursor"],
        body: None,
        answers: vec![answer("A page of what was found.", SearchResults::name().into())],
        problems: &[400],
        is_open: false,
    }
}

fn suggest() -> Operation {
    Operation {
        method: "get",
        path: "/v1/search/suggestions",
        id: "suggest",
        tag: TAG,
        summary: "Complete what is being typed",
        description: "Up to 10 titles and names with words that begin as those of the query do, syllable by syllable. \
            A title comes once, however many stories have it.",
        parameters: &["SuggestionQuery"],
        body: None,
        answers: vec![answer("What the query may go on to be.", Suggestions::name().into())],
        problems: &[400],
        is_open: false,
    }
}

fn answer(description: &'static str, schema: String) -> Answer {
    Answer { status: 200, description, schema: Some(schema), headers: &["Cache-Control"] }
}
