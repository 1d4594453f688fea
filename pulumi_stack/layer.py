"""The libraries of the functions as a layer: what Lambda's own runtime does not bring.

They are taken from this program's environment; all of them are pure Python, so they run wherever Lambda does.
"""

import importlib.util
from pathlib import Path

import pulumi
import pulumi_aws as aws

LIBRARIES = ("aws_lambda_powertools", "pybreaker", "typing_extensions", "valkey")


class Libraries(pulumi.ComponentResource):
    """Outputs: `arn` of the layer's version."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Libraries", name, None, opts)
        layer = aws.lambda_.LayerVersion(
            name,
            layer_name=f"{pulumi.get_project()}-{name}-{pulumi.get_stack()}",
            code=pulumi.AssetArchive(dict(_content(module) for module in LIBRARIES)),
            compatible_runtimes=["python3.12"],
            description=", ".join(LIBRARIES),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = layer.arn
        self.register_outputs({"arn": self.arn})


def _content(module: str) -> tuple[str, pulumi.Asset | pulumi.Archive]:
    """Where a library is, as Lambda wants it: below `python/`.

    Raises:
        ModuleNotFoundError: it is not installed beside Pulumi.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{module} is needed for the layer: pip install {module.replace('_', '-')}")
    if spec.submodule_search_locations:
        return f"python/{module}", pulumi.FileArchive(str(Path(spec.origin).parent))
    return f"python/{module}.py", pulumi.FileAsset(spec.origin)
