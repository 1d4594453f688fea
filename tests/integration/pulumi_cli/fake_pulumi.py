# ruff: noqa: T201 - it is a command line tool: it prints
"""A `pulumi` for the edge: records how it is called, keeps stacks in files, plays engine events that a test wrote.

FAKE_PULUMI is a folder: `calls.jsonl` is written; `script.json` is read, {command: {events, code, stderr}};
`slow` makes an operation wait until it is interrupted.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

HOME = Path(os.environ["FAKE_PULUMI"])
KEPT = ("PULUMI_", "AWS_")
HISTORY = {
    "kind": "update", "startTime": "2026-01-01T00:00:00.000Z", "endTime": "2026-01-01T00:00:01.000Z",
    "message": "", "environment": {}, "config": {}, "result": "succeeded", "version": 1, "resourceChanges": {},
}  # fmt: skip


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--non-interactive"]
    environment = {key: value for key, value in os.environ.items() if key.startswith(KEPT)}
    with (HOME / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps({"argv": words, "env": environment, "cwd": str(Path.cwd())}) + "\n")
    if words[0] == "version":
        print((HOME / "version").read_text() if (HOME / "version").exists() else "v3.272.0")
        return 0
    if words[0] in {"stack", "config"}:
        return {"stack": on_stack, "config": on_config}[words[0]](words)
    return operate(words)


def checkpoint(words: list[str]) -> Path:
    name = words[words.index("--stack") + 1]
    backend = Path(os.environ["PULUMI_BACKEND_URL"].removeprefix("file://"))
    return backend / ".pulumi" / "stacks" / Path.cwd().name / f"{name}.json"


def on_stack(words: list[str]) -> int:
    if words[1] == "init":
        made = checkpoint(["--stack", words[2]])
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(json.dumps({"version": 3, "checkpoint": {"latest": None}}))
        Path(f"Pulumi.{words[2]}.yaml").write_text("encryptionsalt: v1:fake\n")
        return 0
    path = checkpoint(words)
    if words[1] in {"select", "--stack"}:
        if path.exists():
            return 0
        print(f"error: no stack named '{path.stem}' found", file=sys.stderr)
        return 255
    body = json.loads(path.read_text())["checkpoint"]["latest"] or {"manifest": {}, "resources": []}
    if words[1] == "export":
        print(json.dumps({"version": 3, "deployment": body}))
    elif words[1] == "import":
        taken = json.loads(Path(words[words.index("--file") + 1]).read_text())
        path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": taken["deployment"]}}))
    elif words[1] == "output":
        secret = "--show-secrets" in words
        print(json.dumps({"url": "http://x", "password": "hunter2" if secret else "[secret]"}))
    elif words[1] == "history":
        print(json.dumps([HISTORY]))
    return 0


def on_config(words: list[str]) -> int:
    name = words[words.index("--stack") + 1]
    with Path(f"Pulumi.{name}.yaml").open("a") as settings:
        settings.write(f"# {len(words)} words\n")
    return 0


def operate(words: list[str]) -> int:
    script = json.loads((HOME / "script.json").read_text())[words[0]]
    if (HOME / "slow").exists():
        return wait_for_interrupt()
    tell(script.get("events", []), words[words.index("--event-log") + 1])
    print(script.get("stdout", ""))
    print(script.get("stderr", ""), file=sys.stderr)
    return int(script.get("code", 0))


def tell(events: list[dict[str, object]], where: str) -> None:
    import grpc
    from pulumi.runtime.proto import events_pb2, events_pb2_grpc

    with grpc.insecure_channel(where.removeprefix("tcp://")) as channel:
        numbered = ({"sequence": number, "timestamp": 1, **event} for number, event in enumerate(events))
        requests = (events_pb2.EventRequest(event=json.dumps(event)) for event in numbered)
        events_pb2_grpc.EventsStub(channel).StreamEvents(requests)


def wait_for_interrupt() -> int:
    def interrupted(_number: int, _frame: object) -> None:
        (HOME / "interrupted").write_text("yes")
        sys.exit(255)

    signal.signal(signal.SIGINT, interrupted)
    (HOME / "waiting").write_text("yes")
    time.sleep(120)
    return 1


if __name__ == "__main__":
    sys.exit(main())
