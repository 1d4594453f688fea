"""Lists, a page at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from chaos.fis.errors import ValidationException
from chaos.fis.region import Members

_PAGE = 100


def page(name: str, rows: Sequence[Members], members: Members) -> Members:
    """One page of rows under `name`; the token is where the next one starts.

    Raises:
        ValidationException: the token is none of ours.
    """
    size, start = members.get("maxResults") or _PAGE, _start(members.get("nextToken"))
    body: Members = {name: list(rows[start : start + size])}
    if start + size < len(rows):
        body["nextToken"] = base64.urlsafe_b64encode(f"row {start + size}".encode()).decode()
    return body


def _start(token: str | None) -> int:
    if not token:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(" ")
    except (binascii.Error, ValueError) as error:
        raise ValidationException("Invalid nextToken.") from error
    if word != "row" or not number.isascii() or not number.isdigit():
        raise ValidationException("Invalid nextToken.")
    return int(number)
