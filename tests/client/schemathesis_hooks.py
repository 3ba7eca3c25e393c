"""What the document says in words, since no schema can."""

import schemathesis
from hypothesis import strategies

schemathesis.openapi.format("iana-time-zone", strategies.sampled_from(["Asia/Seoul", "Europe/Berlin", "UTC"]))
# Words: what only controls or fills is nothing to look for.
schemathesis.openapi.format("search-query", strategies.text(alphabet="가나다서울첫눈abcXYZ019*():\"~/", min_size=1, max_size=200))


@schemathesis.hook
def filter_body(context, body):
    """Quiet hours have a length."""
    hours = body.get("quietHours") if isinstance(body, dict) else None
    return not (isinstance(hours, dict) and "from" in hours and hours.get("from") == hours.get("to"))
