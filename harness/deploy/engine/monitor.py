"""The two gRPC services that a Pulumi program talks to: ResourceMonitor and Engine.

Source: pulumi's proto/pulumi/resource.proto and engine.proto; the stubs come with the Python SDK.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, resource_pb2, resource_pb2_grpc

from harness.deploy.engine import wire
from harness.deploy.engine.asking import invoke, read_resource
from harness.deploy.engine.deployment import Deployment
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.steps import PARALLEL
from harness.deploy.engine.values import UNKNOWN, plain
from harness.errors import BlackstartError, ProgramError, ProviderError

# A blocked registration holds its thread: more than a program registers at once, or dependants starve it.
_THREADS = 256
_MESSAGE_BYTES = 400 << 20  # the real engine's limit; programs send whole archives as text assets
_OPTIONS = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),
)
_FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,  # so that RegisterPackage can refuse by name
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
)
_OLD_FEATURES = frozenset(
    {"secrets", "resourceReferences", "outputValues", "aliasSpecs", "deletedWith", "transforms", "invokeTransforms"}
)


@dataclass(slots=True)
class Monitor:
    """Serves one deployment to one program. `program_done` is set when the program has registered everything."""

    deployment: Deployment
    program_done: threading.Event = field(default_factory=threading.Event)
    may_exit: threading.Event = field(default_factory=threading.Event)
    address: str = ""
    _server: Any = None  # a grpc.Server
    _root: str = ""

    def start(self) -> str:
        """Listen on a free loopback port; returns `host:port`."""
        self._server = grpc.server(ThreadPoolExecutor(_THREADS, thread_name_prefix="monitor"), options=_OPTIONS)
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(
            self._servicer(resource_pb2_grpc.ResourceMonitorServicer), self._server
        )
        engine_pb2_grpc.add_EngineServicer_to_server(self._servicer(engine_pb2_grpc.EngineServicer), self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        self.address = f"127.0.0.1:{port}"
        return self.address

    def stop(self) -> None:
        """Let a waiting program go, and stop listening."""
        self.may_exit.set()
        if self._server is not None:
            self._server.stop(0.5).wait()

    def _servicer(self, interface: type) -> Any:
        """A servicer of `interface` whose methods are ours, each with errors turned into gRPC's."""
        names = [name for name in dir(interface) if not name.startswith("_") and hasattr(Monitor, name)]
        methods = {name: self._guarded(getattr(self, name)) for name in names}
        return type(f"Guarded{interface.__name__}", (interface,), methods)()

    def _guarded(self, method: Callable[[Any], Any]) -> Callable[[Any, Any, Any], Any]:
        def call(_self: Any, request: Any, context: Any) -> Any:
            try:
                return method(request)
            except BlackstartError as error:
                self.deployment.fail(error)
                # UNAVAILABLE tells the SDK that the monitor is shutting down: it ends without a traceback.
                context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
            except Exception as error:  # noqa: BLE001 - a handler's defect must name its resource, not kill a thread
                subject = getattr(request, "name", "") or getattr(request, "tok", "")
                self.deployment.fail(
                    ProviderError(f"a defect in the engine: {type(error).__name__}: {error}", where=subject)
                )
                context.abort(grpc.StatusCode.UNAVAILABLE, str(error))

        return call

    # -- ResourceMonitor -------------------------------------------------------------------------------------

    def GetDeploymentInfo(self, _request: Any) -> Any:  # noqa: N802 - gRPC's names from here on
        """What newer SDKs ask first: project, configuration, features."""
        project = self.deployment.project
        return resource_pb2.DeploymentInfo(
            project=project.name,
            stack=project.stack,
            organization=project.organization,
            config=dict(project.config),
            configSecretKeys=sorted(project.secret_keys),
            dryRun=self.deployment.ledger.dry_run,
            parallel=PARALLEL,
            supportedFeatures=_FEATURES,
        )

    def SupportsFeature(self, request: Any) -> Any:  # noqa: N802
        """What older SDKs ask, feature by feature."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _OLD_FEATURES)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        """Create, update, replace or keep one resource."""
        resource, complete = self.deployment.register(request)
        return resource_pb2.RegisterResourceResponse(
            urn=resource.urn,
            id=resource.id,
            object=wire.to_struct(_shown(resource, complete=complete)),
            stable=False,
            unknown=resource.urn in self.deployment.targeting.left_out,
        )

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        """A component's outputs, or the stack's."""
        self.deployment.register_outputs(request.urn, _lowered(request.outputs))
        return empty_pb2.Empty()

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """`.get`."""
        resource = read_resource(self.deployment, request)
        return resource_pb2.ReadResourceResponse(
            urn=resource.urn,
            id=resource.id,
            unknown=not resource.id,
            properties=wire.to_struct(resource.outputs),
        )

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        """A data source."""
        response = resource_pb2.ResourceInvokeResponse()
        try:
            found = invoke(self.deployment, self.deployment.transforms.invocation(request))
        except LookupError as error:
            response.failures.append(provider_pb2.CheckFailure(property="", reason=str(error)))
            return response
        getattr(response, "return").CopyFrom(wire.to_struct(found))
        return response

    def Call(self, request: Any) -> Any:  # noqa: N802
        """A method of a multi-language component: none is built in."""
        raise ProgramError(f"the provider method {request.tok} is not supported by the embedded engine")

    def RegisterPackage(self, request: Any) -> Any:  # noqa: N802
        """A parameterized package: none is built in."""
        raise ProgramError(f"the package {request.name} needs its Pulumi plugin", hint="use --engine pulumi")

    def RegisterStackTransform(self, request: Any) -> Any:  # noqa: N802
        """A function that may change every resource from now on."""
        self.deployment.transforms.stack.append(request)
        return empty_pb2.Empty()

    def RegisterStackInvokeTransform(self, request: Any) -> Any:  # noqa: N802
        """A function that may change every data source's arguments from now on."""
        self.deployment.transforms.invokes.append(request)
        return empty_pb2.Empty()

    def RegisterResourceHook(self, request: Any) -> Any:  # noqa: N802
        """A function that resources name, to be run before or after their steps."""
        self.deployment.steps.hooks.known[request.name] = request
        return empty_pb2.Empty()

    def RegisterErrorHook(self, request: Any) -> Any:  # noqa: N802
        """A function that resources name, to be asked whether a failed step is tried again."""
        self.deployment.steps.hooks.on_error[request.name] = request
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, _request: Any) -> Any:  # noqa: N802
        """The program is done; it stays until deletions are done too, since its callbacks may be needed."""
        self.program_done.set()
        self.may_exit.wait()
        return empty_pb2.Empty()

    # -- Engine ----------------------------------------------------------------------------------------------

    def Log(self, request: Any) -> Any:  # noqa: N802
        """A line of the program's log; warnings and errors are kept."""
        if request.severity >= engine_pb2.WARNING and not request.ephemeral:
            self.deployment.messages.append(request.message.rstrip())
        return empty_pb2.Empty()

    def GetRootResource(self, _request: Any) -> Any:  # noqa: N802
        """The stack's URN, as the program set it."""
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any) -> Any:  # noqa: N802
        """Keep the stack's URN."""
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()


def _lowered(struct: Any) -> dict[str, Any]:
    from harness.deploy.engine.values import without_outputs

    return dict(without_outputs(wire.from_struct(struct)))


def _shown(resource: ResourceState, *, complete: bool) -> dict[str, Any]:
    """What the program sees: outputs; in a preview also the inputs, with unknown ones left out."""
    if complete:
        return resource.outputs
    values = {**resource.inputs, **resource.outputs}
    return {key: value for key, value in values.items() if plain(value) is not UNKNOWN}
