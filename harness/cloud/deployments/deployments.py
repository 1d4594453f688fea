"""The deployments of one cloud: made, stopped, continued, told of, and taken back.

Each makes its calls under the service role of its group, through the gate: what the role may not do, it cannot.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.deployments.appspec import AppSpec, read_appspec, text_of
from harness.cloud.deployments.deployment import ENDED, Deployment, Terms, Traffic
from harness.cloud.deployments.functions import FunctionTraffic
from harness.cloud.deployments.records import Members, Record, Records
from harness.cloud.deployments.refusals import CodeDeployError
from harness.cloud.deployments.traffic import MINUTE_S, shifts
from harness.cloud.doors import Publish
from harness.cloud.sessions import Client, RoleSession
from harness.target import Target

Scope = tuple[str, str]
_TRIGGERS = {
    "START": "DeploymentStart", "SUCCESS": "DeploymentSuccess", "FAILURE": "DeploymentFailure",
    "STOP": "DeploymentStop", "READY": "DeploymentReady",
}  # fmt: skip
_TAKEN_OVER = ("deploymentStyle", "blueGreenDeploymentConfiguration", "loadBalancerInfo", "autoRollbackConfiguration")

MakeTraffic = Callable[[Scope, Record, AppSpec, Client], Traffic]
"""Account and region, a group, what is asked for and the role's clients → what is moved."""


@dataclass(slots=True, kw_only=True)
class Deployments:
    """Runs them. `platforms` says how traffic moves on each compute platform."""

    records: Records
    target: Target
    publish: Publish
    minute_s: float = MINUTE_S
    platforms: dict[str, MakeTraffic] = field(default_factory=dict)
    _running: dict[tuple[Scope, str], Deployment] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.platforms["Lambda"] = self._functions

    def operations(self) -> dict[str, Callable[[Scope, Members], Record]]:
        """By name."""
        return {
            "CreateDeployment": self._create,
            "GetDeployment": lambda at, asked: {"deploymentInfo": self._find(at, asked).shown()},
            "BatchGetDeployments": lambda at, asked: {
                "deploymentsInfo": [self._find(at, {"deploymentId": one}).shown() for one in asked["deploymentIds"]]
            },
            "ListDeployments": self._list,
            "StopDeployment": self._stop,
            "ContinueDeployment": self._continue,
            "ListDeploymentTargets": lambda at, asked: {"targetIds": [self._find(at, asked).traffic.id]},
            "GetDeploymentTarget": lambda at, asked: {"deploymentTarget": self._find(at, asked).target()},
            "BatchGetDeploymentTargets": lambda at, asked: {"deploymentTargets": [self._find(at, asked).target()]},
            "PutLifecycleEventHookExecutionStatus": self._report,
        }

    def reset(self) -> None:
        """Stop and forget them all."""
        every = list(self._running.values())
        self._running.clear()
        for one in every:
            if one.status not in ENDED:
                one.stop(roll_back=False)
        for one in every:
            one.join(5.0)

    # -- made --------------------------------------------------------------------------------------------------

    def _create(self, at: Scope, asked: Members) -> Record:
        group = self.records.group(at, asked)
        platform = group["computePlatform"]
        make = self.platforms.get(platform)
        if make is None:
            said = f"nothing is deployed to {platform} on the embedded cloud: no machine runs here"
            raise CodeDeployError("NotImplemented", said, 501)
        config = self.records.config(at, {**group, **{k: v for k, v in asked.items() if v is not None}})
        if config["computePlatform"] != platform:
            said = f"{config['deploymentConfigName']} is for {config['computePlatform']}, the group for {platform}"
            raise CodeDeployError("InvalidDeploymentConfigNameException", said)
        client = self._clients(at, str(group["serviceRoleArn"]))
        revision = asked.get("revision") or group.get("targetRevision")
        if not revision:
            raise CodeDeployError("RevisionRequiredException", "revision is missing")
        appspec = read_appspec(platform, text_of(revision, partial(_from_s3, client)))
        with self._lock:
            self._refuse_second(at, group)
            deployment = self._made(at, self._terms(group, config, {**asked, "revision": revision}),
                                    make(at, group, appspec, client), client)  # fmt: skip
            group["targetRevision"] = revision
        deployment.start()
        return {"deploymentId": deployment.id}

    def _made(
        self, at: Scope, terms: Terms, traffic: Traffic, client: Client, *, is_rollback: bool = False
    ) -> Deployment:
        deployment = Deployment(
            terms=terms,
            traffic=traffic,
            client=client,
            told=partial(self._told, at),
            roll_back=partial(self._roll_back, at),
            is_rollback=is_rollback,
        )
        self._running[at, deployment.id] = deployment
        return deployment

    def _terms(self, group: Record, config: Record, asked: Members) -> Terms:
        alarms = asked.get("overrideAlarmConfiguration") or group.get("alarmConfiguration") or {}
        rollback = asked.get("autoRollbackConfiguration") or group.get("autoRollbackConfiguration") or {}
        record = {
            **{name: group[name] for name in _TAKEN_OVER if group.get(name)},
            "applicationName": group["applicationName"],
            "deploymentGroupName": group["deploymentGroupName"],
            "deploymentConfigName": config["deploymentConfigName"],
            "computePlatform": group["computePlatform"],
            "revision": asked["revision"],
            "description": asked.get("description") or "",
            "creator": "user",
        }
        if rollback:
            record["autoRollbackConfiguration"] = rollback
        return Terms(
            record=record,
            shifts=shifts(config["trafficRoutingConfig"]),
            alarms=tuple(one["name"] for one in alarms.get("alarms") or ()) if alarms.get("enabled") else (),
            ignore_poll_failure=bool(alarms.get("ignorePollAlarmFailure")),
            roll_back_on=frozenset(rollback.get("events") or ()) if rollback.get("enabled") else frozenset(),
            ready_minutes=_ready_minutes(group),
            minute_s=self.minute_s,
        )

    def _refuse_second(self, at: Scope, group: Record) -> None:
        for one in self._of_group(at, group["applicationName"], group["deploymentGroupName"]):
            if one.status not in ENDED:
                name = group["deploymentGroupName"]
                said = f"The Deployment Group '{name}' already has an active Deployment '{one.id}'"
                raise CodeDeployError("DeploymentLimitExceededException", said)

    def _roll_back(self, at: Scope, failed: Deployment, status: str) -> None:
        """Take `failed` back by a deployment of its own, as CodeDeploy does, and only then say that it has ended."""
        record = {
            **failed.terms.record,
            "creator": "codeDeployRollback",
            "description": f"CodeDeploy takes {failed.id} back",
            "rollbackInfo": {"rollbackTriggeringDeploymentId": failed.id},
        }
        terms = Terms(record=record, shifts=[], minute_s=self.minute_s)
        with self._lock:
            back = self._made(at, terms, failed.traffic, failed.client, is_rollback=True)
            failed.close_for(back, status)
        self._trigger(at, back, "DeploymentRollback")
        back.start()

    # -- told --------------------------------------------------------------------------------------------------

    def _told(self, at: Scope, one: Deployment, state: str) -> None:
        """EventBridge and the group's triggers hear of it; the group knows its last deployments."""
        record = one.terms.record
        group = self.records.groups.get((*at, f"{record['applicationName']}/{record['deploymentGroupName']}"), {})
        last = {"deploymentId": one.id, "status": one.status, "createTime": one.details["createTime"]}
        if one.status in ENDED:
            last["endTime"] = one.details["completeTime"]
        if group:
            group["lastAttemptedDeployment"] = last
            if one.status == "Succeeded":
                group["lastSuccessfulDeployment"] = last
        account, region = at
        arns = [f"application:{record['applicationName']}",
                f"deploymentgroup:{record['applicationName']}/{record['deploymentGroupName']}"]  # fmt: skip
        self.publish(
            region=region,
            source="aws.codedeploy",
            detail_type="CodeDeploy Deployment State-change Notification",
            resources=[f"arn:aws:codedeploy:{region}:{account}:{arn}" for arn in arns],
            detail={
                "region": region,
                "deploymentId": one.id,
                "application": record["applicationName"],
                "deploymentGroup": record["deploymentGroupName"],
                "instanceGroupId": group.get("deploymentGroupId", ""),
                "state": state,
            },
        )
        self._trigger(at, one, _TRIGGERS[state])

    def _trigger(self, at: Scope, one: Deployment, event: str) -> None:
        record = one.terms.record
        group = self.records.groups.get((*at, f"{record['applicationName']}/{record['deploymentGroupName']}"), {})
        for trigger in group.get("triggerConfigurations") or ():
            if event not in (trigger.get("triggerEvents") or ()):
                continue
            said = {
                "region": at[1], "accountId": at[0], "eventTriggerName": trigger.get("triggerName"),
                "applicationName": record["applicationName"], "deploymentId": one.id,
                "deploymentGroupName": record["deploymentGroupName"], "status": one.status.upper(),
            }  # fmt: skip
            try:
                one.client("sns").publish(TopicArn=trigger["triggerTargetArn"], Message=json.dumps(said))
            except (BotoCoreError, ClientError) as error:
                one.details["deploymentStatusMessages"] = [f"trigger {trigger.get('triggerName')}: {error}"]

    def _find(self, at: Scope, asked: Members) -> Deployment:
        name = str(asked.get("deploymentId") or "")
        found = self._running.get((at, name))
        if found is None:
            raise CodeDeployError("DeploymentDoesNotExistException", f"The deployment {name} could not be found")
        return found

    def _of_group(self, at: Scope, application: Any, group: Any) -> list[Deployment]:
        return [
            one
            for (place, _), one in list(self._running.items())
            if place == at
            and application in {None, one.terms.record["applicationName"]}
            and group in {None, one.terms.record["deploymentGroupName"]}
        ]

    def _list(self, at: Scope, asked: Members) -> Record:
        wanted = asked.get("includeOnlyStatuses")
        found = self._of_group(at, asked.get("applicationName"), asked.get("deploymentGroupName"))
        return {"deployments": [one.id for one in reversed(found) if not wanted or one.status in wanted]}

    # -- steered -----------------------------------------------------------------------------------------------

    def _stop(self, at: Scope, asked: Members) -> Record:
        one = self._find(at, asked)
        group = self.records.groups.get(
            (*at, f"{one.terms.record['applicationName']}/{one.terms.record['deploymentGroupName']}"), {}
        )
        events = (group.get("autoRollbackConfiguration") or {}).get("events") or ()
        given = asked.get("autoRollbackEnabled")
        one.stop(roll_back="DEPLOYMENT_STOP_ON_REQUEST" in events if given is None else bool(given))
        return {"status": "Pending", "statusMessage": "The deployment stops at its next step."}

    def _continue(self, at: Scope, asked: Members) -> Record:
        one = self._find(at, asked)
        if one.status in ENDED:
            raise CodeDeployError("DeploymentAlreadyCompletedException", f"The deployment {one.id} is {one.status}")
        kept = bool(one.details.get("instanceTerminationWaitTimeStarted"))
        if asked.get("deploymentWaitType") == "TERMINATION_WAIT":
            if not kept:
                said = f"The deployment {one.id} does not wait for the end of the old version"
                raise CodeDeployError("DeploymentIsNotInReadyStateException", said)
            one.ended_early.set()
        elif one.status != "Ready":
            said = f"The deployment {one.id} is {one.status}, not Ready"
            raise CodeDeployError("DeploymentIsNotInReadyStateException", said)
        else:
            one.continued.set()
        one.wake()
        return {}

    def _report(self, at: Scope, asked: Members) -> Record:
        execution = str(asked.get("lifecycleEventHookExecutionId") or "")
        self._find(at, asked).report(execution, str(asked.get("status")))
        return {"lifecycleEventHookExecutionId": execution}

    def _functions(self, at: Scope, _group: Record, appspec: AppSpec, client: Client) -> Traffic:
        def exists(function: str, version: str) -> bool:  # Lambda asks itself, whatever the role may see
            try:
                self.target.client("lambda", region=at[1]).get_function(FunctionName=function, Qualifier=version)
            except ClientError:
                return False
            return True

        return FunctionTraffic(appspec=appspec, client=client, exists=exists)

    # -- the service role --------------------------------------------------------------------------------------

    def _clients(self, at: Scope, role: str) -> Client:
        """Clients under the role, in the deployment's region."""
        session = RoleSession(role=role, account=at[0], region=at[1], name="codedeploy")
        return session.clients(self.target, read_timeout=930, retries={"total_max_attempts": 3})


def _from_s3(client: Client, location: Mapping[str, Any]) -> str:
    if str(location.get("bundleType", "YAML")).upper() not in {"YAML", "JSON"}:
        said = f"An AppSpec in S3 is YAML or JSON, not {location.get('bundleType')}"
        raise CodeDeployError("InvalidRevisionException", said)
    try:
        found = client("s3").get_object(Bucket=location["bucket"], Key=location["key"])
        return str(found["Body"].read().decode())
    except (BotoCoreError, ClientError) as error:
        said = f"the AppSpec s3://{location['bucket']}/{location['key']} cannot be read: {error}"
        raise CodeDeployError("InvalidRevisionException", said) from error


def _ready_minutes(group: Record) -> float | None:
    """How long the traffic waits for ContinueDeployment; None when it does not wait."""
    option = (group.get("blueGreenDeploymentConfiguration") or {}).get("deploymentReadyOption") or {}
    if option.get("actionOnTimeout") != "STOP_DEPLOYMENT":
        return None
    return float(option.get("waitTimeInMinutes") or 0)
