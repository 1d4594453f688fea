"""What moto's CodeDeploy lacks: the end of what it creates, and changes of a deployment group."""

from __future__ import annotations

from typing import Any


def complete() -> None:
    """Teach moto DeleteApplication, DeleteDeploymentGroup and UpdateDeploymentGroup."""
    from moto.codedeploy.responses import CodeDeployResponse

    CodeDeployResponse.delete_application = _delete_application
    CodeDeployResponse.delete_deployment_group = _delete_deployment_group
    CodeDeployResponse.update_deployment_group = _update_deployment_group


def _empty() -> Any:  # moto ships no types
    from moto.core.responses import EmptyResult

    return EmptyResult()


def _delete_application(response: Any) -> Any:
    """As AWS: its groups go with it, and one that is gone is no error."""
    backend, name = response.codedeploy_backend, response._get_param("applicationName")  # noqa: SLF001
    backend.applications.pop(name, None)
    backend.deployment_groups.pop(name, None)
    return _empty()


def _delete_deployment_group(response: Any) -> Any:
    backend = response.codedeploy_backend
    groups = backend.deployment_groups.get(response._get_param("applicationName"), {})  # noqa: SLF001
    groups.pop(response._get_param("deploymentGroupName"), None)  # noqa: SLF001
    return _empty()


def _update_deployment_group(response: Any) -> Any:
    """The group anew under its old id: our callers give every setting."""
    backend, given = response.codedeploy_backend, response._get_param  # noqa: SLF001
    application, current = given("applicationName"), given("currentDeploymentGroupName")
    old = backend.get_deployment_group(application, current)
    name = given("newDeploymentGroupName") or current
    del backend.deployment_groups[application][current]
    settings = {"deploymentGroupName": name, "serviceRoleArn": given("serviceRoleArn") or old.service_role_arn}
    response._get_param = lambda key, *rest: settings.get(key) or given(key, *rest)  # noqa: SLF001
    response.create_deployment_group()
    backend.get_deployment_group(application, name).deployment_group_id = old.deployment_group_id
    return _empty()
