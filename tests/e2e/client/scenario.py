"""Uploads, reads and deletes a photograph with the client that is generated from the API's document.

Its inputs are that client, the user pool, an account's email address and password, and a photograph. Each step prints a
line when it succeeds. The first failure ends the program.
"""

import base64
import hashlib
import os
import sys
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path

import boto3
import httpx
from iyagi_client import AuthenticatedClient
from iyagi_client.api.media import batch_get_media, delete_media_item, get_media_item, list_media
from iyagi_client.api.notifications import get_notification_preferences, set_notification_preferences
from iyagi_client.api.reports import report_media_item
from iyagi_client.api.uploads import start_upload
from iyagi_client.models import (
    ContentType,
    ContentVisibility,
    MediaBatchRequest,
    MediaKind,
    MediaState,
    NotificationCategory,
    NotificationPreferences,
    Problem,
    ProblemType,
    ReportReason,
    ReportRequest,
    UploadRequest,
    UploadWay,
)
from pycognito.aws_srp import AWSSRP

TIMEOUT_SECONDS = 300.0


def main() -> None:
    photograph = Path(sys.argv[1])
    tokens = sign_in()
    with httpx.Client() as web, client(tokens["AccessToken"]) as api:
        identifier, variants = upload(api, web, photograph)
        read(api, identifier)
        read_with_id_token(identifier, tokens["IdToken"])
        set_preferences(api)
        report(api, identifier)
        delete(api, web, identifier, variants)


def sign_in() -> dict:
    """Signs in as apps do: by SRP, which does not send the password."""
    pool = boto3.client(
        "cognito-idp",
        region_name=os.environ["REGION"],
        endpoint_url=os.environ["COGNITO_URL"],
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
    srp = AWSSRP(
        username=os.environ["EMAIL"],
        password=os.environ["PASSWORD"],
        pool_id=os.environ["USER_POOL_ID"],
        client_id=os.environ["USER_POOL_CLIENT_ID"],
        client=pool,
    )
    tokens = srp.authenticate_user()["AuthenticationResult"]
    print("signed in")
    return tokens


def client(token: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=os.environ["API_URL"], token=token, timeout=httpx.Timeout(30))


def upload(api, web, photograph: Path):
    content = photograph.read_bytes()
    request = UploadRequest(
        kind=MediaKind.PHOTO,
        content_type=ContentType.IMAGE_JPEG,
        size=len(content),
        checksum=base64.b64encode(hashlib.sha256(content).digest()).decode(),
        file_name=photograph.name,
        visibility=ContentVisibility.FOLLOWERS,
    )
    key = str(uuid.uuid4())
    started = start_upload.sync(client=api, body=request, idempotency_key=key)
    assert started.way == UploadWay.PUT, started
    assert started.expires_at > datetime.now(timezone.utc), started.expires_at
    headers = started.headers.additional_properties
    web.request(started.method, started.url, headers=headers, content=content).raise_for_status()
    again = start_upload.sync(client=api, body=request, idempotency_key=key)
    assert (again.way, again.media_id) == (UploadWay.DONE, started.media_id), again
    print("uploaded")

    def processed_item():
        response = get_media_item.sync_detailed(id=started.media_id, client=api)
        assert response.status_code in (200, 404), response
        return response.parsed if response.status_code == 200 and response.parsed.state != MediaState.PROCESSING else None

    item = wait("an outcome", processed_item)
    assert item.state == MediaState.READY, item
    assert item.file_name == photograph.name and item.visibility == ContentVisibility.FOLLOWERS, item
    assert item.variants, item
    for variant in item.variants:
        file = web.get(variant.url)
        assert file.status_code == 200, (variant.url, file.status_code)
        assert len(file.content) == variant.bytes_ and file.headers["content-type"] == variant.type_, variant
    print(f"ready, with {len(item.variants)} variants")
    return started.media_id, item.variants


def read(api, identifier: str) -> None:
    page = list_media.sync(client=api, limit=1, kind=MediaKind.PHOTO)
    assert [item.id for item in page.items] == [identifier], page
    batch = batch_get_media.sync(client=api, body=MediaBatchRequest(ids=[identifier]))
    assert [item.id for item in batch.items] == [identifier], batch
    def has_matching_etag() -> bool:
        etag = get_media_item.sync_detailed(id=identifier, client=api).headers["etag"]
        return get_media_item.sync_detailed(id=identifier, client=api, if_none_match=etag).status_code == 304

    # Links, and with them the ETag, change every five minutes: perhaps between the two requests, but not twice.
    assert has_matching_etag() or has_matching_etag()
    print("listed, and read in a batch")


def read_with_id_token(identifier: str, id_token: str) -> None:
    with client(id_token) as api:
        response = get_media_item.sync_detailed(id=identifier, client=api)
        assert response.status_code in (401, 403), response
    print("refused with an ID token")


def set_preferences(api) -> None:
    preferences = NotificationPreferences(muted=[NotificationCategory.LIKES])
    set_notification_preferences.sync(client=api, body=preferences)
    stored = get_notification_preferences.sync(client=api)
    assert stored.muted == [NotificationCategory.LIKES], stored
    print("muted notifications of likes")


def report(api, identifier: str) -> None:
    request = ReportRequest(media_id=identifier, reason=ReportReason.OTHER, text="테스트")
    first, second = (report_media_item.sync(client=api, body=request) for _ in range(2))
    assert (first.media_id, first.reason) == (identifier, ReportReason.OTHER), first
    assert first.id == second.id, (first, second)
    print("reported, once")


def delete(api, web, identifier: str, variants) -> None:
    assert delete_media_item.sync_detailed(id=identifier, client=api).status_code == 204

    def is_deleted():
        response = get_media_item.sync_detailed(id=identifier, client=api)
        if response.status_code != 404:
            return None
        assert isinstance(response.parsed, Problem) and response.parsed.type_ == ProblemType.NOT_FOUND, response
        return True

    wait("the deletion", is_deleted)
    wait("the files to be deleted", lambda: all(web.get(variant.url).status_code != 200 for variant in variants) or None)
    assert list_media.sync(client=api).items == []
    print("deleted, with all variants")


def wait(what: str, probe):
    """Calls `probe` until it returns a value."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (found := probe()) is None:
        assert time.monotonic() < deadline, f"timed out waiting for {what}"
        time.sleep(0.1)
    return found


main()
