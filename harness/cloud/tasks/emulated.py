"""What tasks use of ministack: its ECS keeps clusters, definitions and tags and answers Describe* from live records.

Every name is pinned by `tests/contract/test_ministack_hooks.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from harness.cloud import ministack_hooks
from harness.cloud.private_network import NO_VPC_CIDR
from harness.cloud.sessions import RoleSession
from harness.cloud.signals.emulated import in_scope, scope

__all__ = ["in_scope", "scope"]

Record = dict[str, Any]
"""A resource in the names of ECS's API; changing it changes what Describe* says. Names with `_` are hidden."""


class EcsError(Exception):
    """A refusal in ECS's own words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class SecretError(Exception):
    """A secret of a container cannot be read."""


Operation = Callable[[Record], Record]
"""An operation of ECS: request → answer, both as JSON; raises `EcsError`."""


def take_over(operations: Mapping[str, Operation], lock: AbstractContextManager[object]) -> Callable[[], None]:
    """Let our own functions answer these operations; returns what undoes it.

    Each runs in a thread of its own under its caller's account and region. What ministack answers from the records,
    it answers under `lock`, as they are changed: nobody is shown half a state. It asks no Docker engine any more.
    """
    from ministack.services import ecs

    builtin, ask_docker = dict(ecs._ACTION_MAP), ecs._get_docker  # noqa: SLF001 - the seam that this file is for

    def answering(operation: Operation) -> Callable[[Record], Any]:
        def answer(request: Record) -> Any:
            try:
                found = operation(request)
            except EcsError as error:
                return ecs.error_response_json(error.code, str(error), 400)
            with lock:
                return ecs.json_response(ecs._sanitize(found))  # noqa: SLF001

        return answer

    def reading(proceed: Callable[[Record], Any]) -> Callable[[Record], Any]:
        def answer(request: Record) -> Any:
            with lock:
                return proceed(request)

        return answer

    def restore() -> None:
        ecs._ACTION_MAP.update(builtin)  # noqa: SLF001
        ecs._get_docker = ask_docker  # noqa: SLF001

    ecs._get_docker = lambda: None  # noqa: SLF001
    ecs._ACTION_MAP.update({name: reading(proceed) for name, proceed in builtin.items()})  # noqa: SLF001
    ecs._ACTION_MAP.update({name: answering(operation) for name, operation in operations.items()})  # noqa: SLF001
    return restore


def builtin(operation: str, request: Record) -> Record:
    """What ministack itself answers to an operation.

    Raises:
        EcsError: it refuses.
    """
    from ministack.services import ecs

    status, _, body = getattr(ecs, operation)(request)
    answer: Record = json.loads(body)
    if status >= 300:
        raise EcsError(str(answer.get("__type", "ClientException")), str(answer.get("message", "")))
    return answer


def services() -> Any:
    """The caller's services by `cluster/name`: a mapping."""
    from ministack.services import ecs

    return ecs._services  # noqa: SLF001


def tasks() -> Any:
    """The caller's tasks by ARN: a mapping."""
    from ministack.services import ecs

    return ecs._tasks  # noqa: SLF001


def cluster_of(reference: str) -> Record:
    """A cluster by name or ARN; the default one is made with its first use.

    Raises:
        EcsError: there is none.
    """
    from ministack.services import ecs

    name = ecs._resolve_cluster_name(reference or "default")  # noqa: SLF001
    if name == "default" and name not in ecs._clusters:  # noqa: SLF001
        ecs._create_cluster({"clusterName": name})  # noqa: SLF001
    found: Record | None = ecs._clusters.get(name)  # noqa: SLF001
    if found is None:
        raise EcsError("ClusterNotFoundException", "Cluster not found.")
    return found


def recount(cluster: str) -> None:
    """Let a cluster's figures follow its tasks and services."""
    from ministack.services import ecs

    ecs._recount_cluster(cluster)  # noqa: SLF001


def service_of(cluster: str, reference: str) -> Record:
    """A service by name or ARN.

    Raises:
        EcsError: there is none.
    """
    found: Record | None = services().get(f"{cluster}/{reference.rpartition('/')[2]}")
    if found is None or found["status"] == "INACTIVE":
        raise EcsError("ServiceNotFoundException", "Service not found.")
    return found


def task_of(cluster: str, reference: str) -> Record:
    """A task by id or ARN.

    Raises:
        EcsError: there is none.
    """
    from ministack.services import ecs

    found: Record | None = ecs._resolve_task(reference, cluster)  # noqa: SLF001
    if found is None:
        raise EcsError("InvalidParameterException", "The referenced task was not found.")
    return found


def task_definition(reference: str) -> Record:
    """A task definition by family, `family:revision` or ARN.

    Raises:
        EcsError: there is none.
    """
    from ministack.services import ecs

    found: Record | None = ecs._task_defs.get(ecs._resolve_td_key(reference))  # noqa: SLF001
    if found is None:
        raise EcsError("ClientException", f"Unable to find task definition: {reference}")
    return found


def put_tags(arn: str, tags: Sequence[Mapping[str, str]]) -> None:
    """Tag what was just made."""
    from ministack.services import ecs

    if tags:
        ecs._tags[arn] = [dict(tag) for tag in tags]  # noqa: SLF001


def tags_of(arn: str) -> list[Record]:
    """The tags of a resource."""
    from ministack.services import ecs

    return list(ecs._tags.get(arn, []))  # noqa: SLF001


def secrets_of(definition: Mapping[str, Any]) -> dict[str, str]:
    """A container's `secrets` by their names.

    Raises:
        SecretError: one of them cannot be read.
    """
    from ministack.services import ecs

    try:
        found: dict[str, str] = ecs._resolve_container_secrets(definition)  # noqa: SLF001
    except ecs._SecretResolutionError as error:  # noqa: SLF001
        raise SecretError(str(error)) from error
    return found


def subnet_of(subnet: str) -> tuple[str, str]:
    """A subnet's zone (name) and network; '' and the default VPC's where there is no such subnet."""
    from ministack.services import ec2

    found = ec2._subnets.get(subnet, {})  # noqa: SLF001
    return str(found.get("AvailabilityZone", "")), str(found.get("CidrBlock", NO_VPC_CIDR))


def log_group_exists(group: str) -> bool:
    """Whether CloudWatch Logs has the group."""
    from ministack.services import cloudwatch_logs

    return group in cloudwatch_logs._log_groups  # noqa: SLF001


def append_log(group: str, stream: str, lines: Sequence[str]) -> None:
    """Append lines to a log stream, made when needed."""
    ministack_hooks.append_logs(group, stream, lines)


def role_credentials(role: str, task: str) -> dict[str, str]:
    """A session of the task's role: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN."""
    account, region = scope()
    return RoleSession(role=role, account=account, region=region, name=task.rpartition("/")[2]).credentials()


def alarm_states(names: Sequence[str]) -> dict[str, str]:
    """The states of alarms by name; those that do not exist are left out."""
    from ministack.services import cloudwatch

    found = {name: cloudwatch._alarms.get(name) for name in names}  # noqa: SLF001
    return {name: str(alarm["StateValue"]) for name, alarm in found.items() if alarm is not None}
