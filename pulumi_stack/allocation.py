"""Whose costs and metrics they are: tags on every resource that can have some, without its component saying so."""

import pulumi
import pulumi_aws as aws

ALLOCATION = {"project": pulumi.get_project(), "stack": pulumi.get_stack()}
SERVICE = f"{pulumi.get_project()}-{pulumi.get_stack()}"
"""What business metrics go by."""

_tagged: list[pulumi.Resource] = []


def tag_everything() -> None:
    """Give each resource of AWS that takes tags those of the project and the stack; its own ones win.

    Call it before the first resource. Tags must be active in the billing console before costs are divided by them:
    https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
    """
    pulumi.runtime.register_stack_transformation(_with_tags)


def tagged_arns() -> pulumi.Output[list[str]]:
    """The ARNs of what was tagged, where it has one."""
    arns = [one.arn for one in _tagged if hasattr(one, "arn")]
    return pulumi.Output.all(*arns).apply(lambda found: sorted(arn for arn in found if arn))


def _with_tags(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    takes_tags = args.type_.startswith("aws:") and "tags" in args.props
    if not takes_tags or isinstance(args.resource, aws.Provider):
        return None
    _tagged.append(args.resource)
    props = {**args.props, "tags": {**ALLOCATION, **(args.props["tags"] or {})}}
    return pulumi.ResourceTransformationResult(props, args.opts)
