"""Target account configurations of templates, and the copies that experiments keep.

State only here: the embedded cloud runs an experiment in one account, whichever are configured.
"""

from __future__ import annotations

from chaos.fis.errors import (
    ConflictException,
    ResourceNotFoundException,
    ServiceQuotaExceededException,
    ValidationException,
)
from chaos.fis.operations.pages import page
from chaos.fis.region import Members, Region


def create(region: Region, members: Members) -> Members:
    """Add an account to a multi-account template; the same token and body return the one of before."""
    template = region.template(members["experimentTemplateId"])
    configured = region.accounts.setdefault(template["id"], {})
    account = members["accountId"]
    if region.known("CreateTargetAccountConfiguration", members) and account in configured:
        return {"targetAccountConfiguration": configured[account]}
    if template["experimentOptions"]["accountTargeting"] != "multi-account":
        raise ValidationException("The experiment template does not have accountTargeting set to multi-account.")
    if account in configured:
        raise ConflictException(f"A target account configuration for account {account} already exists.")
    if len(configured) >= region.quotas.target_accounts:
        raise ServiceQuotaExceededException(
            f"You have reached the quota of {region.quotas.target_accounts} target account configurations."
        )
    configured[account] = _configuration(members, {})
    template["targetAccountConfigurationsCount"] = len(configured)
    region.remember("CreateTargetAccountConfiguration", members, f"{template['id']}/{account}")
    return {"targetAccountConfiguration": configured[account]}


def get(region: Region, members: Members) -> Members:
    """One account of a template."""
    return {"targetAccountConfiguration": _found(region, members)}


def update(region: Region, members: Members) -> Members:
    """Change role or description."""
    changed = _configuration(members, _found(region, members))
    region.accounts[members["experimentTemplateId"]][members["accountId"]] = changed
    return {"targetAccountConfiguration": changed}


def delete(region: Region, members: Members) -> Members:
    """Take an account away from a template; returns it once more."""
    gone = _found(region, members)
    configured = region.accounts[members["experimentTemplateId"]]
    del configured[members["accountId"]]
    region.template(members["experimentTemplateId"])["targetAccountConfigurationsCount"] = len(configured)
    region.forget(f"{members['experimentTemplateId']}/{members['accountId']}")
    return {"targetAccountConfiguration": gone}


def listing(region: Region, members: Members) -> Members:
    """The accounts of a template, a page at a time."""
    template = region.template(members["experimentTemplateId"])
    rows = list(region.accounts.get(template["id"], {}).values())
    return page("targetAccountConfigurations", rows, members)


def get_of_experiment(region: Region, members: Members) -> Members:
    """One account of an experiment, as it was when the experiment started."""
    configured = region.experiment(members["experimentId"]).accounts
    if members["accountId"] not in configured:
        raise _missing(members["accountId"])
    return {"targetAccountConfiguration": configured[members["accountId"]]}


def listing_of_experiment(region: Region, members: Members) -> Members:
    """The accounts of an experiment."""
    rows = list(region.experiment(members["experimentId"]).accounts.values())
    return page("targetAccountConfigurations", rows, members)


def _configuration(members: Members, before: Members) -> Members:
    given: Members = {name: members[name] for name in ("accountId", "roleArn", "description") if name in members}
    return {**before, **given}


def _found(region: Region, members: Members) -> Members:
    region.template(members["experimentTemplateId"])
    configured = region.accounts.get(members["experimentTemplateId"], {})
    if members["accountId"] not in configured:
        raise _missing(members["accountId"])
    return configured[members["accountId"]]


def _missing(account: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Target account configuration for account {account} not found.")
