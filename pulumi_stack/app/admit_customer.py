"""Cognito asks before a sign-up: addresses that are thrown away after use are not admitted."""

import os
from typing import Any

THROWAWAY = set(os.environ.get("THROWAWAY_DOMAINS", "").split(","))


class NotAdmittedError(Exception):
    """Cognito passes the text on to who wants to sign up."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Let the sign-up go on, unconfirmed, or raise."""
    domain = event["request"]["userAttributes"].get("email", "").rpartition("@")[2].lower()
    if domain in THROWAWAY:
        raise NotAdmittedError(f"addresses at {domain} are not accepted")
    return event
