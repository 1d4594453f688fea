"""Dynamic providers: resource types whose create, update and delete are functions of the program itself.

The SDK pickles the provider into the resource's inputs; `python -m pulumi.dynamic`, run by the program's interpreter,
unpickles and serves it as any other Pulumi plugin. Source: pulumi's proto/pulumi/provider.proto.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from harness import processes
from harness.deploy.engine import wire
from harness.deploy.engine.values import plain
from harness.deploy.providers.resource import (
    CheckError,
    Context,
    Difference,
    Observation,
    Properties,
    Registry,
    ResourceType,
)
from harness.errors import ProviderError

PREFIX = "pulumi-python:dynamic"
_START_S = 30.0


@dataclass(slots=True)
class DynamicPlugin:
    """The process that serves the program's dynamic providers; started when the first one is needed."""

    interpreter: str
    folder: Path
    project: str
    config: Mapping[str, str]
    environment: Mapping[str, str]  # the target, as the program sees it
    registry: Path
    _process: subprocess.Popen[bytes] | None = None
    _channel: Any = None  # a grpc.Channel
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, method: str, request: Any, *, urn: str) -> Any:  # protobuf messages
        """What the provider answers.

        Raises:
            ProviderError: its function raised; with its traceback.
        """
        stub = provider_pb2_grpc.ResourceProviderStub(self._connected(urn))
        try:
            return getattr(stub, method)(request)
        except grpc.RpcError as error:
            details = error.details() if isinstance(error, grpc.Call) else str(error)
            raise ProviderError(
                f"the dynamic provider failed in {method.lower()}: {self._own(details)}", where=urn
            ) from error

    def stop(self) -> None:
        """End the process; safe to repeat."""
        with self._lock:
            if self._channel is not None:
                self._channel.close()
            if self._process is not None:
                processes.stop(self._process, registry=self.registry, grace_s=1.0)
                if self._process.stdout is not None:
                    self._process.stdout.close()
            self._channel = self._process = None

    def _connected(self, urn: str) -> Any:
        with self._lock:
            if self._channel is None:
                self._process = processes.spawn(
                    [self.interpreter, "-u", "-m", "pulumi.dynamic"],
                    role="dynamic provider",
                    registry=self.registry,
                    env={**os.environ, **self.environment, "PULUMI_PROJECT": self.project},
                    cwd=self.folder,
                    stdout=subprocess.PIPE,
                )
                told = self._process.stdout
                port = told.readline().decode().strip() if told is not None else ""
                if not port.isdigit():
                    raise ProviderError("the program's interpreter cannot serve dynamic providers", where=urn)
                self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
                grpc.channel_ready_future(self._channel).result(_START_S)
                settings = wire.to_struct(dict(self.config))
                request = provider_pb2.ConfigureRequest(args=settings)
                provider_pb2_grpc.ResourceProviderStub(self._channel).Configure(request)
            return self._channel

    def _own(self, details: str) -> str:
        """The last line of a traceback, and the last place of it in the program's own files."""
        lines = details.strip().splitlines()
        places = [line.strip() for line in lines if line.strip().startswith("File ") and str(self.folder) in line]
        return "\n  ".join([lines[-1] if lines else "no message", *places[-1:]])


class DynamicType(ResourceType):
    """Every type whose token starts with `pulumi-python:dynamic`."""

    token: ClassVar = PREFIX

    def __init__(self, plugin: DynamicPlugin) -> None:
        self.plugin = plugin

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """As the provider's `check` leaves them."""
        request = provider_pb2.CheckRequest(
            urn=context.urn, olds=wire.to_struct(olds or {}), news=wire.to_struct(inputs)
        )
        answer = self.plugin.call("Check", request, urn=context.urn)
        if answer.failures:
            raise CheckError([(failure.property, failure.reason) for failure in answer.failures])
        return _plain(answer.inputs)

    def diff(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> Difference | None:
        """As the provider's `diff` says; None where it leaves that to the engine."""
        request = provider_pb2.DiffRequest(
            id=resource_id, urn=context.urn, olds=wire.to_struct(olds), news=wire.to_struct(news)
        )
        answer = self.plugin.call("Diff", request, urn=context.urn)
        replaces = tuple(answer.replaces)
        if answer.changes == provider_pb2.DiffResponse.DIFF_UNKNOWN and not replaces:
            return None
        some = answer.changes == provider_pb2.DiffResponse.DIFF_SOME or bool(replaces)
        changed = tuple(key for key in news if news[key] != olds.get(key)) or replaces or ("the provider says so",)
        return Difference(
            changed=changed if some else (),
            replaces=replaces,
            delete_before_replace=answer.deleteBeforeReplace,
        )

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """The provider's `create`."""
        request = provider_pb2.CreateRequest(urn=context.urn, properties=wire.to_struct(inputs))
        answer = self.plugin.call("Create", request, urn=context.urn)
        return answer.id, _plain(answer.properties)

    def read(self, context: Context, resource_id: str, inputs: Properties | None) -> Properties | None:
        """The provider's `read`; without the pickled provider nothing can be asked."""
        if not inputs or "__provider" not in inputs:
            return None
        request = provider_pb2.ReadRequest(id=resource_id, urn=context.urn, properties=wire.to_struct(inputs))
        answer = self.plugin.call("Read", request, urn=context.urn)
        return _plain(answer.properties) if answer.id else None

    def observe(self, context: Context, resource_id: str, inputs: Properties) -> Observation | None:
        """What `read` says; inputs are the provider's own affair."""
        found = self.read(context, resource_id, inputs)
        return None if found is None else Observation(found, {}, frozenset(inputs))

    def update(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> Properties:
        """The provider's `update`."""
        request = provider_pb2.UpdateRequest(
            id=resource_id, urn=context.urn, olds=wire.to_struct({**context.prior, **olds}), news=wire.to_struct(news)
        )
        return _plain(self.plugin.call("Update", request, urn=context.urn).properties)

    def delete(self, context: Context, resource_id: str, state: Properties) -> None:
        """The provider's `delete`."""
        request = provider_pb2.DeleteRequest(id=resource_id, urn=context.urn, properties=wire.to_struct(state))
        self.plugin.call("Delete", request, urn=context.urn)


class _Types(dict[str, ResourceType]):
    """Types by token, with one that answers for all dynamic tokens."""

    def __init__(self, types: Mapping[str, ResourceType], dynamic: DynamicType) -> None:
        super().__init__(types)
        self._dynamic = dynamic

    def __contains__(self, token: object) -> bool:
        return super().__contains__(token) or (isinstance(token, str) and token.startswith(PREFIX))

    def __missing__(self, token: str) -> ResourceType:
        if token.startswith(PREFIX):
            return self._dynamic
        raise KeyError(token)


def with_dynamic(registry: Registry, plugin: DynamicPlugin) -> Registry:
    """`registry` and the program's own dynamic types."""
    from dataclasses import replace

    return replace(registry, resources=_Types(registry.resources, DynamicType(plugin)))


def _plain(struct: Any) -> Properties:  # a protobuf Struct
    return dict(plain(wire.from_struct(struct)))
