"""POST /uploads: staff get a URL to which they may put one file, for five minutes, without credentials of AWS."""

import os
import uuid
from typing import Any

from aws import client
from web import answer, claims_of, groups_of

BUCKET = os.environ["UPLOADS_BUCKET"]
VALID_S = 300


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """201 with the URL and the file's key; 403 for who is not staff."""
    if "staff" not in groups_of(claims_of(event)):
        return answer(403, {"error": "only staff may upload"})
    key = f"incoming/{uuid.uuid4()}.csv"
    url = client("s3").generate_presigned_url(
        "put_object", Params={"Bucket": BUCKET, "Key": key, "ContentType": "text/csv"}, ExpiresIn=VALID_S
    )
    return answer(201, {"url": url, "key": key, "report": _report(key)})


def _report(key: str) -> str:
    return key.replace("incoming/", "reports/").replace(".csv", ".json")
