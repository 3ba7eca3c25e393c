"""Rules that the document has in words, because no schema expresses them."""

import schemathesis
from hypothesis import strategies

schemathesis.openapi.format("iana-time-zone", strategies.sampled_from(["Asia/Seoul", "Europe/Berlin", "UTC"]))
# Queries of only control characters or white space are invalid.
schemathesis.openapi.format("search-query", strategies.text(alphabet="가나다서울첫눈abcXYZ019*():\"~/", min_size=1, max_size=200))


@schemathesis.hook
def filter_body(context, body):
    """Rejects quiet hours of no length."""
    hours = body.get("quietHours") if isinstance(body, dict) else None
    return not (isinstance(hours, dict) and "from" in hours and hours.get("from") == hours.get("to"))
