"""The libraries of the functions as a layer: what Lambda's own runtime does not bring.

They are taken from this program's environment. Those of `LIBRARIES` are pure Python and run wherever Lambda
does; what is compiled (psycopg) runs on AWS when the stack is deployed from Linux on x86_64.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path

import pulumi
import pulumi_aws as aws

LIBRARIES = ("aws_lambda_powertools", "pybreaker", "typing_extensions", "valkey")


class Libraries(pulumi.ComponentResource):
    """Outputs: `arn` of the layer's version."""

    def __init__(
        self, name: str, modules: Sequence[str] = LIBRARIES, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("shop:index:Libraries", name, None, opts)
        layer = aws.lambda_.LayerVersion(
            name,
            layer_name=f"{pulumi.get_project()}-{name}-{pulumi.get_stack()}",
            code=pulumi.AssetArchive(dict(part for module in modules for part in _content(module))),
            compatible_runtimes=["python3.11", "python3.12", "python3.13"],
            description=", ".join(modules),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = layer.arn
        self.register_outputs({"arn": self.arn})


def _content(module: str) -> Iterator[tuple[str, pulumi.Asset | pulumi.Archive]]:
    """Where a library is, as Lambda wants it: below `python/`; beside it what was linked with it, `<module>.libs`.

    Raises:
        ModuleNotFoundError: it is not installed beside Pulumi.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{module} is needed for the layer: pip install {module.replace('_', '-')}")
    if spec.submodule_search_locations:
        folder = Path(spec.origin).parent
        linked = folder.with_name(f"{module}.libs")
        for part in (folder, *([linked] if linked.is_dir() else ())):
            yield f"python/{part.name}", pulumi.FileArchive(str(part))
    else:
        yield f"python/{module}.py", pulumi.FileAsset(spec.origin)
