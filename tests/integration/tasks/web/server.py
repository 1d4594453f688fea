"""A web server as a user's container would have it: says who it is, and does what the path says."""

import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HEALTHY = threading.Event()
HEALTHY.set()


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def reach(port, patience_s):
    """How many seconds a port of this machine takes to answer anything, or that it does not."""
    began_s = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), patience_s) as connection:
            connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            return str(time.monotonic() - began_s) if connection.recv(1) else "closed"
    except OSError:
        return "no answer"


class Handler(BaseHTTPRequestHandler):
    """Answers GET."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/sicken":
            HEALTHY.clear()
        if self.path == "/crash":
            os._exit(3)
        if self.path.startswith("/reach/"):
            said = reach(*map(int, self.path.split("/")[2:]))
        elif self.path == "/aws":
            import boto3

            said = boto3.client("sts").get_caller_identity()["Arn"]
        else:
            said = f"{os.environ.get('VERSION', '1')} {os.environ['ECS_CONTAINER_METADATA_URI_V4']}"
        status = 503 if self.path == "/health" and not HEALTHY.is_set() else 200
        body = said.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        say("asked for", self.path)


def end(*_):
    say("told to end")
    os._exit(0)


signal.signal(signal.SIGTERM, end)
say("listening", sys.argv[1:])
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
