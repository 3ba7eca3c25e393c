"""What the document says in words, since no schema can."""

import schemathesis
from hypothesis import strategies

schemathesis.openapi.format("iana-time-zone", strategies.sampled_from(["Asia/Seoul", "Europe/Berlin", "UTC"]))


@schemathesis.hook
def filter_query(context, query):
    """A list is by `kind` or by `post`; a cursor is one that was given for that very list."""
    query = query or {}
    return "cursor" not in query and not ("kind" in query and "post" in query)
