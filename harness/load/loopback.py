"""Which addresses are this machine's own: load and probes go nowhere else, unless the target is real AWS."""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """True for localhost, its subdomains (RFC 6761) and loopback addresses."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
