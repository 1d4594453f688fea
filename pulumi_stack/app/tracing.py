"""Annotations in X-Ray: by them an order's traces are found, also where AWS carries no trace from one to the next.

A table's stream begins a new trace with each batch. What an SDK would send goes to the daemon that every traced
function has beside it; nothing is sent where nothing is traced.
"""

import json
import os
import secrets
import socket
import time

_HEADER = b'{"format":"json","version":1}\n'


def annotate(**annotations: str) -> None:
    """Attach annotations to the trace of this invocation."""
    header = dict(part.split("=", 1) for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";") if "=" in part)
    daemon = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "")
    if header.get("Sampled") != "1" or not daemon:
        return
    now_s = time.time()
    subsegment = {
        "type": "subsegment",
        "id": secrets.token_hex(8),
        "trace_id": header["Root"],
        "parent_id": header["Parent"],
        "name": "annotations",
        "start_time": now_s,
        "end_time": now_s,
        "annotations": annotations,
    }
    host, _, port = daemon.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to_daemon:
        to_daemon.sendto(_HEADER + json.dumps(subsegment).encode(), (host, int(port)))
