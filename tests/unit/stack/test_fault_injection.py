"""`orders:faultInjection` gives each function what AWS FIS needs to break it on real AWS."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

STACK = Path(__file__).parents[3] / "pulumi_stack"
PROGRAM = """
import json, runpy, sys
import pulumi

class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        sys.stdout.write(json.dumps([args.typ, args.name, args.inputs], default=str) + "\\n")
        made = {"arn": f"arn:aws:x:::{args.name}", "name": args.name, "arnSuffix": args.name, "invokeUrl": f"wss://{args.name}"}
        return f"{args.name}-id", {**args.inputs, **made}
    def call(self, args):
        return {"value": f"layer at {args.args.get('name')}", "region": "us-east-1"}

pulumi.runtime.set_mocks(Mocks(), preview=False)
pulumi.runtime.set_all_config(json.loads(sys.argv[1]))
sys.path.insert(0, ".")


@pulumi.runtime.test
def program():
    runpy.run_path("__main__.py")

program()
"""


LAYER = "layer at /aws/service/fis/lambda-extension/AWS-FIS-extension-x86_64/1.x.x"


def resources(**config: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Inputs of every resource by type and name."""
    settings = json.dumps({f"orders:{key}": value for key, value in config.items()})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, settings], cwd=STACK, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {(kind, name): inputs for kind, name, inputs in rows}


def test_functions_carry_the_extension_and_may_read_the_faults() -> None:
    found = resources(faultInjection="true")
    functions = [inputs for (kind, _), inputs in found.items() if kind == "aws:lambda/function:Function"]
    assert len(functions) >= 4
    for function in functions:
        variables = function["environment"]["variables"]
        assert function["layers"][-1:] == [LAYER]
        assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/aws-fis/bootstrap"
        assert variables["AWS_FIS_CONFIGURATION_LOCATION"] == "arn:aws:x:::orders-faults/faults/"
    statements = json.loads(found["aws:iam/rolePolicy:RolePolicy", "place-own"]["policy"])["Statement"]
    assert {
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": ["arn:aws:x:::orders-faults/faults/*"],
    } in statements
