"""ECS: clusters, capacity providers, task definitions, services."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.described import Described
from harness.deploy.providers.aws.shapes import to_request
from harness.deploy.providers.aws.tags import SFN
from harness.deploy.providers.resource import CannotTellError, Context, Invoke, Properties
from harness.errors import ProviderError

_INACTIVE = frozenset({"INACTIVE", "DEPROVISIONING"})


class Cluster(Described, noun="Cluster", verbs="Create - Update Delete"):
    """Where tasks run; the id is the ARN."""

    token: ClassVar = "aws:ecs/cluster:Cluster"
    tagging: ClassVar = SFN
    reads: ClassVar = "DescribeClusters"
    selects: ClassVar = "clusters"
    body: ClassVar = "clusters"
    state: ClassVar = "status"
    ended: ClassVar = _INACTIVE
    key: ClassVar = {"cluster": "id"}
    id_from: ClassVar = "cluster.clusterArn"
    named: ClassVar = "name"
    renames: ClassVar = {"name": "clusterName", "arn": "clusterArn"}
    replace_on: ClassVar = frozenset({"name"})

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """With its settings and configuration, which are told only when asked for."""
        wanted = {"clusters": [resource_id], "include": ["SETTINGS", "CONFIGURATIONS", "TAGS"]}
        found = self.client(context).describe_clusters(**wanted)["clusters"]
        return found[0] if found and found[0].get("status") not in self.ended else None

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        body = self.ask(context, str(inputs["name"]), inputs)
        return str(body["clusterArn"]) if body else None


class ClusterCapacityProviders(Described):
    """What a cluster's tasks run on by default; the id is the cluster's name."""

    token: ClassVar = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
    creates: ClassVar = "PutClusterCapacityProviders"
    updates: ClassVar = "PutClusterCapacityProviders"
    reads: ClassVar = "DescribeClusters"
    selects: ClassVar = "clusters"
    body: ClassVar = "clusters"
    state: ClassVar = "status"
    ended: ClassVar = _INACTIVE
    key: ClassVar = {"cluster": "id"}
    parts: ClassVar = ("clusterName",)
    renames: ClassVar = {
        "clusterName": "cluster",
        "defaultCapacityProviderStrategies": "defaultCapacityProviderStrategy",
    }
    replace_on: ClassVar = frozenset({"clusterName"})
    outlives: ClassVar = True

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Both lists are always sent."""
        del context
        empty: Properties = {"capacityProviders": [], "defaultCapacityProviderStrategies": []}
        return {**empty, **{name: value for name, value in inputs.items() if value is not None}}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Leave the cluster without any."""
        if self.ask(context, resource_id, state) is not None:
            self.send(context, self.updates, self.arrange(context, {"clusterName": resource_id}))


class CapacityProvider(Described):
    """An Auto Scaling group that tasks run on; the id is the ARN."""

    token: ClassVar = "aws:ecs/capacityProvider:CapacityProvider"
    tagging: ClassVar = SFN
    creates: ClassVar = "CreateCapacityProvider"
    reads: ClassVar = "DescribeCapacityProviders"
    deletes: ClassVar = "DeleteCapacityProvider"
    selects: ClassVar = "capacityProviders"
    body: ClassVar = "capacityProviders"
    state: ClassVar = "status"
    ended: ClassVar = _INACTIVE
    key: ClassVar = {"capacityProvider": "id"}
    id_from: ClassVar = "capacityProvider.capacityProviderArn"
    named: ClassVar = "name"
    renames: ClassVar = {"arn": "capacityProviderArn"}
    replace_on: ClassVar = frozenset({"name", "autoScalingGroupProvider.autoScalingGroupArn", "cluster"})

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """How the group is scaled."""
        if "autoScalingGroupProvider" in roots(olds, news):
            self.send(context, "UpdateCapacityProvider", news)


class TaskDefinition(Described, noun="TaskDefinition", verbs="Register Describe - Deregister"):
    """One revision of a family; the id is the family, and a change is a new revision."""

    token: ClassVar = "aws:ecs/taskDefinition:TaskDefinition"
    tagging: ClassVar = SFN
    body: ClassVar = "taskDefinition"
    state: ClassVar = "status"
    key: ClassVar = {"taskDefinition": "id"}
    parts: ClassVar = ("family",)
    json_keys: ClassVar = frozenset({"containerDefinitions"})
    defaults: ClassVar = {"skipDestroy": False, "trackLatest": False, "enableFaultInjection": False}
    renames: ClassVar = {"arn": "taskDefinitionArn", "containerDefinitions": "", "proxyConfiguration": ""}
    replace_on: ClassVar = frozenset(
        {"containerDefinitions", "cpu", "enableFaultInjection", "ephemeralStorage", "executionRoleArn", "family",
         "ipcMode", "memory", "networkMode", "pidMode", "placementConstraints", "proxyConfiguration",
         "requiresCompatibilities", "runtimePlatform", "taskRoleArn", "volumes"}
    )  # fmt: skip

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """A volume's path on the host is a block of its own."""
        del context
        volumes = [{**one, "host": {"sourcePath": one.get("hostPath")}} if one.get("hostPath") else one
                   for one in inputs.get("volumes") or ()]  # fmt: skip
        return {**inputs, "volumes": volumes or None}

    def send(self, context: Context, operation: str, inputs: Properties, **fixed: Any) -> dict[str, Any]:
        """Containers are JSON in ECS's own form."""
        if operation == self.creates:
            shape = self.client(context).meta.service_model.operation_model(operation).input_shape
            member = shape.members["containerDefinitions"].member
            containers = [to_request(member, one) for one in json.loads(inputs["containerDefinitions"])]
            fixed = {**fixed, "containerDefinitions": containers}
            proxy = inputs.get("proxyConfiguration")
            if proxy:
                pairs = [
                    {"name": name, "value": str(value)} for name, value in (proxy.get("properties") or {}).items()
                ]
                told = {"containerName": proxy["containerName"], "type": proxy.get("type") or "APPMESH"}
                fixed["proxyConfiguration"] = {**told, "properties": pairs}
        return super().send(context, operation, inputs, **fixed)

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """The family's newest revision; an import is a revision's ARN."""
        del inputs
        client = self.client(context)
        try:
            body: dict[str, Any] = client.describe_task_definition(taskDefinition=resource_id)["taskDefinition"]
        except client.exceptions.ClientException:  # ECS has no code of its own for it
            return None
        return body if body.get("status") == "ACTIVE" else None

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The ARN without the revision; containers in the text that was given."""
        del context, resource_id
        containers = inputs.get("containerDefinitions") or json.dumps(body["containerDefinitions"])
        without = str(body["taskDefinitionArn"]).rpartition(":")[0]
        return {"arnWithoutRevision": without, "containerDefinitions": containers}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Only tags change in place."""

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """By ARN."""
        return str(state.get("arn") or resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Deregister this revision, unless it is to be kept."""
        if not state.get("skipDestroy"):
            client = self.client(context)
            arn = str(state.get("arn") or resource_id)
            if client.describe_task_definition(taskDefinition=arn)["taskDefinition"].get("status") == "ACTIVE":
                client.deregister_task_definition(taskDefinition=arn)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """One more revision is no harm, and an older one may say something else."""
        raise CannotTellError(f"one more revision of {inputs['family']} may be registered")


class Service(Described, noun="Service", verbs="Create - Update Delete"):
    """Tasks that are kept running; the id is the ARN."""

    token: ClassVar = "aws:ecs/service:Service"
    tagging: ClassVar = SFN
    reads: ClassVar = "DescribeServices"
    key: ClassVar = {"service": "id", "cluster": "cluster"}
    id_from: ClassVar = "service.serviceArn"
    named: ClassVar = "name"
    defaults: ClassVar = {
        "deploymentMaximumPercent": 200,
        "deploymentMinimumHealthyPercent": 100,
        "enableEcsManagedTags": False,
        "enableExecuteCommand": False,
        "schedulingStrategy": "REPLICA",
        "waitForSteadyState": False,
    }
    renames: ClassVar = {
        "name": "serviceName", "arn": "serviceArn", "iamRole": "role",
        "capacityProviderStrategies": "capacityProviderStrategy", "orderedPlacementStrategies": "placementStrategy",
        "networkConfiguration": "", "elbName": "loadBalancerName",
    }  # fmt: skip
    replace_on: ClassVar = frozenset(
        {"cluster", "deploymentController", "iamRole", "launchType", "name", "schedulingStrategy"}
    )

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """A daemon has no count."""
        given = super().check(context, inputs, olds)
        if given["schedulingStrategy"] == "DAEMON":
            given["deploymentMaximumPercent"] = inputs.get("deploymentMaximumPercent", 100)
            given["deploymentMinimumHealthyPercent"] = inputs.get("deploymentMinimumHealthyPercent", 0)
        else:
            given.setdefault("desiredCount", 0)
        return given

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The deployment's figures are one block."""
        del context
        figures = {
            **(inputs.get("deploymentConfiguration") or {}),
            "maximumPercent": inputs.get("deploymentMaximumPercent"),
            "minimumHealthyPercent": inputs.get("deploymentMinimumHealthyPercent"),
            "deploymentCircuitBreaker": inputs.get("deploymentCircuitBreaker"),
            "alarms": inputs.get("alarms"),
        }
        return {**inputs, "deploymentConfiguration": {k: v for k, v in figures.items() if v is not None}}

    def send(self, context: Context, operation: str, inputs: Properties, **fixed: Any) -> dict[str, Any]:
        """Where tasks are is a block in a block; an addressless task says DISABLED."""
        network = inputs.get("networkConfiguration")
        if network:
            network = network[0] if isinstance(network, list) else network
            vpc = {"subnets": network["subnets"], "securityGroups": network.get("securityGroups") or [],
                   "assignPublicIp": "ENABLED" if network.get("assignPublicIp") else "DISABLED"}  # fmt: skip
            fixed = {**fixed, "networkConfiguration": {"awsvpcConfiguration": vpc}}
        return super().send(context, operation, inputs, **fixed)

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """In its cluster, which the ARN names too."""
        cluster = inputs.get("cluster") or (resource_id.split("/")[1] if resource_id.count("/") == 2 else "default")
        answer = self.client(context).describe_services(cluster=cluster, services=[resource_id], include=["TAGS"])
        found = answer["services"]
        return found[0] if found and found[0]["status"] == "ACTIVE" else None

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Cluster and task definition in the form that was given; where tasks are."""
        del context, resource_id
        figures = body.get("deploymentConfiguration") or {}
        vpc = (body.get("networkConfiguration") or {}).get("awsvpcConfiguration")
        told: Properties = {
            "cluster": _as_given(inputs.get("cluster"), str(body["clusterArn"])),
            "taskDefinition": _as_given(inputs.get("taskDefinition"), str(body.get("taskDefinition") or "")),
            "deploymentMaximumPercent": figures.get("maximumPercent"),
            "deploymentMinimumHealthyPercent": figures.get("minimumHealthyPercent"),
            "iamRole": body.get("roleArn") or None,
        }
        if vpc:
            block = {"subnets": vpc["subnets"], "securityGroups": vpc.get("securityGroups", []),
                     "assignPublicIp": vpc.get("assignPublicIp") == "ENABLED"}  # fmt: skip
            given = inputs.get("networkConfiguration")
            told["networkConfiguration"] = given if _same_network(given, block) else block
        return told

    def settle(self, context: Context, resource_id: str, inputs: Properties) -> None:
        """Where `waitForSteadyState` asks for it: until every task of the newest deployment runs, and no other.

        Raises:
            ProviderError: the deployment failed; says why, with the newest event.
        """
        if not inputs.get("waitForSteadyState"):
            return
        failed: list[str] = []

        def steady() -> bool:
            body = self.ask(context, resource_id, inputs) or {}
            newest, *others = body.get("deployments") or [{}]
            if newest.get("rolloutState") == "FAILED":
                events = body.get("events") or [{}]
                failed[:] = [f"{newest.get('rolloutStateReason')} {events[0].get('message', '')}"]
                return True
            running = newest.get("runningCount") == body.get("desiredCount")
            return not others and running and newest.get("rolloutState", "COMPLETED") == "COMPLETED"

        context.wait_until(steady, f"the service {inputs['name']}")
        if failed:
            raise ProviderError(failed[0], where=context.urn)

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """One update; a new deployment when that is asked for."""
        changed = roots(olds, news) - {"tags", "waitForSteadyState", "forceDelete"}
        if changed:
            wanted = {**self.arrange(context, news), "name": None, "tags": None}
            if "desiredCount" not in changed:
                wanted["desiredCount"] = None  # it may be scaled by others
            forced = {"forceNewDeployment": True} if news.get("forceNewDeployment") else {}
            self.send(context, self.updates, wanted, **self.keys(resource_id, news), **forced)
            self.settle(context, resource_id, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Let its tasks go, then delete it."""
        if self.ask(context, resource_id, state) is None:
            return
        client, where = self.client(context), self.keys(resource_id, state)
        if state.get("schedulingStrategy") != "DAEMON":
            client.update_service(**where, desiredCount=0)
        client.delete_service(**where, force=True)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name, in its cluster."""
        body = self.ask(context, str(inputs["name"]), inputs)
        return str(body["serviceArn"]) if body else None


def _as_given(given: Any, found: str) -> Any:
    """`given` when `found` is the same thing's ARN."""
    tails = (f"/{given}", f":{given}")
    return given if given and (found == given or found.endswith(tails) or f"/{given}:" in found) else found


def _same_network(given: Any, found: Properties) -> bool:
    block = given[0] if isinstance(given, list) and given else given
    if not isinstance(block, dict):
        return False
    return (
        set(block["subnets"]) == set(found["subnets"])
        and set(block.get("securityGroups") or ()) == set(found["securityGroups"])
        and bool(block.get("assignPublicIp")) == found["assignPublicIp"]
    )


def cluster(context: Context, arguments: Properties) -> Properties:
    """One cluster, by name."""
    body = RESOURCES[0].ask(context, str(arguments["clusterName"]), {}) or {}
    told = {"arn": body["clusterArn"], "id": body["clusterArn"], "status": body["status"]}
    return {**arguments, **told, "settings": body.get("settings", [])}


def task_definition(context: Context, arguments: Properties) -> Properties:
    """One task definition, by family, family and revision, or ARN."""
    answer = context.client("ecs").describe_task_definition(taskDefinition=arguments["taskDefinition"])
    body = answer["taskDefinition"]
    arn = body["taskDefinitionArn"]
    told = {name: body.get(name) for name in ("family", "revision", "status", "networkMode", "taskRoleArn",
                                              "executionRoleArn", "cpu", "memory")}  # fmt: skip
    return {**arguments, **told, "id": arn, "arn": arn, "arnWithoutRevision": arn.rpartition(":")[0]}


RESOURCES = (Cluster(), ClusterCapacityProviders(), CapacityProvider(), TaskDefinition(), Service())
INVOKES: dict[str, Invoke] = {
    "aws:ecs/getCluster:getCluster": cluster,
    "aws:ecs/getTaskDefinition:getTaskDefinition": task_definition,
}
