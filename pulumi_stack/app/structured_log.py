"""One JSON object a line, with the correlation id that follows an order through every function."""

import json
import time


def log(message: str, *, correlation_id: str = "", **fields: object) -> None:
    """Print one structured line; CloudWatch Logs keeps it."""
    line = {"time": round(time.time(), 3), "message": message, "correlation_id": correlation_id, **fields}
    print(json.dumps(line, default=str), flush=True)  # noqa: T201 - standard output is the log
