"""What ministack leaves undone, one file a service. `tests/integration/providers` sees each over the wire."""

from __future__ import annotations

from harness.cloud.gaps import ec2, eks, event_buses, http_apis, iam, rest_apis, s3


def close() -> None:
    """Close them all. Call it before any service is used."""
    for service in (iam, ec2, eks, event_buses, rest_apis, http_apis, s3):
        service.close()
