"""Documents and automations, in front of the emulator's SSM: these operations are ours, the others its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from harness.cloud.automation.documents import Documents, Members, SsmError
from harness.cloud.automation.execution import Execution, arguments
from harness.cloud.automation.expressions import filled
from harness.cloud.automation.script import ScriptHost
from harness.cloud.automation.steps import Surroundings
from harness.cloud.databases.emulated import Proceed, ServiceAnswer, ServiceCall, caller_scope, wrap_service
from harness.cloud.identify import EXPERIMENT_APP_ID
from harness.cloud.sessions import RoleSession
from harness.target import Target

_BY_EXPERIMENT = "blackstart:by-experiment"
Scope = tuple[str, str]
"""Account and region of a call."""


@dataclass(slots=True, kw_only=True)
class Automations:
    """SSM's documents and automations of one cloud."""

    target: Target
    scripts: ScriptHost
    documents: Documents = field(default_factory=Documents)
    executions: dict[str, Execution] = field(default_factory=dict)

    @classmethod
    def install(cls, target: Target, registry: Path) -> Automations:
        """Put them in front of the emulator's SSM."""
        made = cls(target=target, scripts=ScriptHost(registry=registry, endpoint=str(target.endpoint)))
        wrap_service("ssm", made.answer)
        return made

    async def answer(self, call: ServiceCall, proceed: Proceed) -> ServiceAnswer:
        """Answer one call."""
        operation = self._operations.get(str(call.headers.get("x-amz-target", "")).rpartition(".")[2])
        if operation is None:
            return await proceed(call)
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        try:
            members = json.loads(call.body or b"{}")
            if EXPERIMENT_APP_ID in str(call.headers.get("user-agent", "")):
                members = {**members, _BY_EXPERIMENT: True}
            body = operation(caller_scope(), members)
            return 200, headers, json.dumps(body, default=str).encode()
        except SsmError as error:
            return 400, headers, json.dumps({"__type": error.code, "message": str(error)}).encode()
        except (KeyError, TypeError, ValueError) as error:
            refusal = {"__type": "ValidationException", "message": f"the request cannot be read: {error}"}
            return 400, headers, json.dumps(refusal).encode()

    @property
    def _operations(self) -> Mapping[str, Callable[[Scope, Members], dict[str, Any]]]:
        documents = self.documents
        return {
            "CreateDocument": documents.create,
            "UpdateDocument": documents.update,
            "UpdateDocumentDefaultVersion": documents.update_default,
            "GetDocument": documents.get,
            "DescribeDocument": documents.describe,
            "DeleteDocument": documents.delete,
            "ListDocuments": documents.listing,
            "StartAutomationExecution": self._start,
            "GetAutomationExecution": self._get,
            "StopAutomationExecution": self._stop,
            "DescribeAutomationExecutions": self._listing,
        }

    def _start(self, scope: Scope, members: Members) -> dict[str, Any]:
        document = self.documents.find(scope, members["DocumentName"])
        version = document.version(members.get("DocumentVersion", ""))
        if document.kind != "Automation" or not version.content.get("mainSteps"):
            raise SsmError("AutomationDefinitionNotFoundException", f"{document.name} is no automation")
        account, region = scope
        known = {"global:REGION": region, "global:ACCOUNT_ID": account}
        known |= {
            name: filled(value, known) for name, value in arguments(version, members.get("Parameters", {})).items()
        }
        role = str(filled(version.content.get("assumeRole", ""), known) or "")
        execution = Execution(
            document=document.name,
            version=version,
            parameters=members.get("Parameters", {}),
            known=known,
            surroundings=self._surroundings(scope, role, EXPERIMENT_APP_ID if _BY_EXPERIMENT in members else ""),
        )
        execution.known["automation:EXECUTION_ID"] = execution.id
        self.executions[execution.id] = execution
        execution.start()
        return {"AutomationExecutionId": execution.id}

    def _surroundings(self, scope: Scope, role: str, app_id: str) -> Surroundings:
        """What the steps use, as the automation's role where one is named; FIS's automations call as FIS does."""
        account, region = scope
        key, secret, token = self.target.access_key, self.target.secret_key, ""
        if role:
            made = RoleSession(role=role, account=account, region=region, name="automation").credentials()
            key, secret, token = (made[f"AWS_{n}"] for n in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
        session = boto3.session.Session(key, secret, token or None, region)
        environment = {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            **({"AWS_SESSION_TOKEN": token} if token else {}),
            **({"AWS_SDK_UA_APP_ID": app_id} if app_id else {}),
        }
        return Surroundings(
            client=partial(
                session.client,
                endpoint_url=self.target.endpoint,
                config=Config(user_agent_appid=app_id or None, s3={"addressing_style": "path"}),
            ),
            environment=environment,
            scripts=self.scripts,
            cancelled=threading.Event(),
        )

    def _get(self, _scope: Scope, members: Members) -> dict[str, Any]:
        return {"AutomationExecution": self._find(members["AutomationExecutionId"]).shown()}

    def _stop(self, _scope: Scope, members: Members) -> dict[str, Any]:
        self._find(members["AutomationExecutionId"]).cancel()
        return {}

    def _listing(self, _scope: Scope, _members: Members) -> dict[str, Any]:
        return {"AutomationExecutionMetadataList": [one.shown() for one in self.executions.values()]}

    def _find(self, identity: str) -> Execution:
        if identity not in self.executions:
            raise SsmError("AutomationExecutionNotFoundException", f"There is no automation execution {identity}.")
        return self.executions[identity]

    def reset(self) -> None:
        """End what runs, and forget everything."""
        for execution in self.executions.values():
            execution.cancel()
        for execution in self.executions.values():
            execution.join(5.0)
        self.executions.clear()
        self.documents.clear()
