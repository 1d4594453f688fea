"""What the emulator does on somebody's behalf without asking IAM, asked here as AWS asks it.

- `judging.py`        what a caller is asked beside the action of the call
- `beside.py`         the same of moto's services and our own, which the emulator does not answer
- `calls.py`          the call, as it came; `naming.py` what it is about
- `conditions.py`     condition keys that a call tells, DynamoDB's in `items.py`; `variables.py` what stands for them
- `passing.py`        roles that a call gives to a service: the caller must be allowed to pass them on
- `trust.py`          whether a role lets a service take it on
- `roles.py`          whether a role may do something
- `keys.py`           customer managed keys: who uses what is encrypted under one must be allowed to use the key
- `grants.py`         grants on keys: what they allow beside policies
- `workflows.py`      state machines: each task under the machine's role
- `templates.py`      CloudFormation: what a template makes, under the role that the stack was given
- `event_sources.py`  event source mappings: what is read under the function's role
"""

from harness.cloud.permissions import conditions, event_sources, judging, keys, templates, variables, workflows


def install() -> None:
    """Let all of it be asked. Call it before the emulator serves."""
    conditions.install()
    variables.install()
    judging.install()
    keys.install()
    workflows.install()
    templates.install()
    event_sources.install()
