"""CloudFormation makes, changes and deletes what a template names under the role it was given, else its caller's.

What a type asks for is in its schema in CloudFormation's registry; types that are not here are not judged, nor are
callers without a role. Source:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final

from harness.cloud.ministack_hooks import before_first_call
from harness.cloud.permissions.roles import Asked, refusal

_role: ContextVar[str] = ContextVar("role of the stack's operation", default="")
_APIS: Final = {"ApiGateway": "restapis", "ApiGatewayV2": "apis"}
_OPERATIONS: Final = ("CreateStack", "UpdateStack", "DeleteStack", "CreateChangeSet", "ExecuteChangeSet")
_VERBS: Final = {"Create": "POST", "Update": "PATCH", "Delete": "DELETE"}

Props = Mapping[str, Any]


def install() -> None:
    """Let the role be asked. Call it before the emulator serves."""
    before_first_call("cloudformation", _ask_for_resources)


def _ask_for_resources() -> None:
    from ministack.services.cloudformation import handlers, provisioners, stacks

    given: dict[tuple[str, ...], str] = {}  # account, region and stack → the role that it goes on with
    for operation in _OPERATIONS:
        handlers._ACTION_HANDLERS[operation] = _under_role(handlers._ACTION_HANDLERS[operation], given)  # noqa: SLF001

    create, update, delete = (
        provisioners._provision_resource,  # noqa: SLF001 - this file is a seam into ministack
        provisioners._update_resource,  # noqa: SLF001
        provisioners._delete_resource,  # noqa: SLF001
    )

    def created(kind: str, logical: str, props: Props, stack: str) -> Any:
        _ask("Create", kind, props, f"{stack}-{logical}-0")
        return create(kind, logical, props, stack)

    def updated(kind: str, physical: str, old: Props, new: Props, *more: Any, **named: Any) -> Any:
        _ask("Update", kind, new, physical)
        return update(kind, physical, old, new, *more, **named)

    def deleted(kind: str, physical: str, props: Props, *more: Any, **named: Any) -> Any:
        _ask("Delete", kind, props, physical)
        return delete(kind, physical, props, *more, **named)

    stacks._provision_resource, stacks._update_resource = created, updated  # noqa: SLF001
    stacks._delete_resource = deleted  # noqa: SLF001


def _under_role(handle: Callable[[Any], Any], given: dict[tuple[str, ...], str]) -> Callable[[Any], Any]:
    """The handler, and all that it starts, under the role that is given, or that was given before."""
    from ministack.core.iam_evaluator import caller_arn
    from ministack.core.responses import get_account_id, get_region
    from ministack.services.cloudformation.helpers import _p

    def handled(params: Any) -> Any:
        stack = _p(params, "StackName")
        stack = stack.split("/")[1] if stack.startswith("arn:") else stack
        key, role = (get_account_id(), get_region(), stack), _p(params, "RoleARN")
        if role:
            given[key] = role
        before = _role.set(given.get(key) or _role_of(caller_arn()))
        try:
            return handle(params)
        finally:
            _role.reset(before)

    return handled


def _role_of(caller: str) -> str:
    """The role of somebody who calls under one; '' for others."""
    account, _, name = caller.removeprefix("arn:aws:sts::").partition(":assumed-role/")
    return f"arn:aws:iam::{account}:role/{name.partition('/')[0]}" if name else ""


def _ask(how: str, kind: str, props: Props, name: str) -> None:
    said = refusal(_role.get(), asked_by(how, kind, props, name), session="AWSCloudFormation")
    if said:
        raise ValueError(f'Resource handler returned message: "{said}" (HandlerErrorCode: AccessDenied)')


def asked_by(how: str, kind: str, props: Props, name: str) -> list[Asked]:
    """What Create, Update or Delete of a resource asks for. `name` is the physical one, or the likely one.

    Needs account and region in the emulator's context.
    """
    from ministack.core.responses import get_account_id, get_region

    here, service = f"{get_region()}:{get_account_id()}", [*kind.split("::"), "", ""][1]
    name = name.rpartition("/")[2] if name.startswith("arn:") else name
    if service in _APIS:
        return [Asked(f"apigateway:{_VERBS[how]}", f"arn:aws:apigateway:{get_region()}::/{_APIS[service]}/*")]
    if kind == "AWS::DynamoDB::Table":
        return [Asked(f"dynamodb:{how}Table", f"arn:aws:dynamodb:{here}:table/{props.get('TableName', name)}")]
    if kind == "AWS::IAM::Role":
        arn = f"arn:aws:iam::{get_account_id()}:role/{props.get('RoleName', name)}"
        members = {"Policies": "iam:PutRolePolicy", "ManagedPolicyArns": "iam:AttachRolePolicy"}
        more = [Asked(action, arn) for member, action in members.items() if props.get(member) and how == "Create"]
        return [Asked(f"iam:{how}Role", arn), *more]
    if kind == "AWS::Lambda::Function":
        return _asked_by_function(how, props, f"arn:aws:lambda:{here}:function:{props.get('FunctionName', name)}")
    if kind == "AWS::Lambda::Permission":
        verb = {"Create": "Add", "Update": "Add", "Delete": "Remove"}[how]
        function = str(props.get("FunctionName", name)).rpartition(":")[2]
        return [Asked(f"lambda:{verb}Permission", f"arn:aws:lambda:{here}:function:{function}")]
    return []


def _asked_by_function(how: str, props: Props, arn: str) -> list[Asked]:
    """A function's code is read, and its role passed on, by who makes it."""
    if how == "Delete":
        return [Asked("lambda:DeleteFunction", arn)]
    code = props.get("Code") or {}
    read = [Asked("s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}")] if "S3Key" in code else []
    role = str(props.get("Role", ""))
    passed = [Asked("iam:PassRole", role)] if role.startswith("arn:") else []
    does = ("lambda:CreateFunction",) if how == "Create" else ("lambda:UpdateFunctionCode", "lambda:GetFunction")
    return [*(Asked(one, arn) for one in does), *read, *passed]
