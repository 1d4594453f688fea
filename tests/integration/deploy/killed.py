"""Deploys into a cloud of files, and is killed at every moment, one after the other: run by test_killed.py.

    python killed.py FOLDER BEFORE PLAN AFTER

For each moment there is a folder in which BEFORE is deployed (unless empty), then PLAN, killed with SIGKILL at that
moment, then AFTER to the end. Moments are everything that makes a difference to whoever comes after: each
write to the journal (half of it, then all of it), each operation on the cloud (before and after), each sync and
rename of the checkpoint. Deployments run in children of one process, so that the imports are paid once.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, ClassVar

from pulumi.runtime.proto import resource_pb2

from harness.deploy.engine import wire
from harness.deploy.engine.callbacks import Callbacks
from harness.deploy.engine.clients import Clients
from harness.deploy.engine.deployment import Deployment
from harness.deploy.engine.dynamic import DynamicPlugin
from harness.deploy.engine.hooks import Hooks
from harness.deploy.engine.instances import Instances
from harness.deploy.engine.ledger import Ledger
from harness.deploy.engine.lock import locked
from harness.deploy.engine.program import Project
from harness.deploy.engine.recovery import read_checkpoint
from harness.deploy.engine.stacks import Stacks
from harness.deploy.engine.steps import Steps
from harness.deploy.engine.transforms import Transforms
from harness.deploy.providers.resource import Context, Registry, ResourceType
from harness.target import endpoint_target


class Moments:
    """Counts, and kills at the one that was asked for."""

    def __init__(self, fatal: int) -> None:
        self.fatal, self.count = fatal, 0

    def pass_one(self) -> None:
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


class FileThing(ResourceType):
    """A resource is a file; AWS gives it an id that nobody can guess."""

    token = "aws:sqs/queue:Queue"
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"size"})

    def __init__(self, cloud: Path, moments: Moments) -> None:
        self.cloud, self.moments = cloud, moments

    def check(self, context: Context, inputs: dict[str, Any], olds: dict[str, Any] | None) -> dict[str, Any]:
        return {**inputs, "name": context.autoname(inputs, olds)}

    def create(self, context: Context, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        self.moments.pass_one()
        identity = os.urandom(4).hex()
        (self.cloud / identity).write_text(json.dumps(inputs))
        self.moments.pass_one()
        return identity, dict(inputs)

    def read(self, context: Context, resource_id: str, inputs: dict[str, Any] | None) -> dict[str, Any] | None:
        path = self.cloud / resource_id
        return json.loads(path.read_text()) if path.exists() else None

    def update(self, context: Context, resource_id: str, olds: Any, news: dict[str, Any]) -> dict[str, Any]:
        self.moments.pass_one()
        (self.cloud / resource_id).write_text(json.dumps(news))
        self.moments.pass_one()
        return dict(news)

    def delete(self, context: Context, resource_id: str, state: dict[str, Any]) -> None:
        self.moments.pass_one()
        (self.cloud / resource_id).unlink(missing_ok=True)
        self.moments.pass_one()

    def find(self, context: Context, inputs: dict[str, Any]) -> str | None:
        known = context.known_ids()
        found = [path.name for path in self.cloud.iterdir() if json.loads(path.read_text())["name"] == inputs["name"]]
        return next((name for name in found if name not in known), None)


def watch_files(moments: Moments) -> None:
    """Every write to the journal and every step of writing the checkpoint is a moment."""
    write, rename, sync = os.write, Path.replace, os.fsync

    def torn(descriptor: int, data: bytes) -> int:
        if len(data) > 1:
            write(descriptor, data[: len(data) // 2])
            moments.pass_one()
            write(descriptor, data[len(data) // 2 :])
        else:
            write(descriptor, data)
        moments.pass_one()
        return len(data)

    def renamed(self: Path, target: Any) -> Any:
        moments.pass_one()
        done = rename(self, target)
        moments.pass_one()
        return done

    def synced(descriptor: int) -> None:
        sync(descriptor)
        moments.pass_one()

    os.write, Path.replace, os.fsync = torn, renamed, synced  # type: ignore[assignment, method-assign]


def requests(plan: dict[str, dict[str, Any]]) -> list[Any]:
    """The registrations of a program that makes `plan`, each resource depending on the one before."""
    stack = resource_pb2.RegisterResourceRequest(type="pulumi:pulumi:Stack", name="shop-dev")
    found, before = [stack], ""
    for name, inputs in plan.items():
        request = resource_pb2.RegisterResourceRequest(
            type=FileThing.token, name=name, custom=True, object=wire.to_struct(inputs), version="7.51.1",
            parent="urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", dependencies=[before] if before else [],
        )  # fmt: skip
        before = f"urn:pulumi:dev::shop::{FileThing.token}::{name}"
        found.append(request)
    return found


def deploy(folder: Path, plan: dict[str, dict[str, Any]], moments: Moments) -> None:
    cloud, state = folder / "cloud", folder / "state" / "dev.json"
    cloud.mkdir(parents=True, exist_ok=True)
    target = endpoint_target("http://127.0.0.1:9", regions=["us-east-1"])
    with locked(state):
        ledger = Ledger(read_checkpoint(state, ""), dry_run=False, durable=False)
        callbacks = Callbacks()
        steps = Steps(
            ledger=ledger,
            registry=Registry.of([FileThing(cloud, moments)]),
            instances=Instances(target, folder, Clients(target)),
            hooks=Hooks(callbacks),
        )
        deployment = Deployment(
            project=Project(name="shop", stack="dev", folder=folder),
            ledger=ledger,
            steps=steps,
            stacks=Stacks(folder=folder, passphrase="", project="shop"),
            transforms=Transforms(callbacks),
            dynamic=DynamicPlugin(
                interpreter="", folder=folder, project="shop", config={}, environment={}, registry=folder
            ),
        )
        with ledger.kept():
            for request in requests(plan):
                deployment.register(request)
            deployment.delete_condemned()


def in_child(folder: Path, plan: dict[str, dict[str, Any]], fatal: int) -> bool:
    """Deploy in a child; true when it was killed."""
    child = os.fork()
    if child == 0:
        moments = Moments(fatal)
        watch_files(moments)
        deploy(folder, plan, moments)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if status != 0 and not killed:
        sys.exit(f"{folder}: the deployment ended with status {status}")
    return killed


def main() -> None:
    root, (before, plan, after) = Path(sys.argv[1]), map(json.loads, sys.argv[2:])
    moment, killed = 0, True
    while killed:
        moment += 1
        folder = root / str(moment)
        if before:
            in_child(folder, before, 0)
        killed = in_child(folder, plan, moment)
        in_child(folder, after, 0)


if __name__ == "__main__":
    main()
