"""What the program's process loads before the program asks for it."""

import runpy
from pathlib import Path

import pytest

from harness.deploy.engine.host import SHIM

named = runpy.run_path(str(SHIM), run_name="shim")["named"]


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        (
            "import pulumi_aws as aws\naws.sqs.Queue('q')\naws.get_region()\n",
            {"pulumi_aws", "pulumi_aws.sqs"},
        ),
        ("from pulumi_aws import s3, Provider\n", {"pulumi_aws", "pulumi_aws.s3"}),
        (
            "from pulumi_aws import (\n    s3,\n    iam as access,\n)\n",
            {"pulumi_aws", "pulumi_aws.s3", "pulumi_aws.iam"},
        ),
        ("import pulumi_aws.kms\nimport pulumi_random\n", {"pulumi_aws.kms", "pulumi_random"}),
        ("import boto3\nsqs = aws = 1\n", set()),
    ],
)
def test_the_sdks_that_a_program_names_are_found(tmp_path: Path, text: str, modules: set[str]) -> None:
    (tmp_path / "__main__.py").write_text(text)
    assert named(str(tmp_path)) == modules


def test_hidden_folders_and_virtual_environments_are_not_the_programs(tmp_path: Path) -> None:
    for name in ("parts", "venv", ".git"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "code.py").write_text(f"import pulumi_{name.strip('.')}\n")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    assert named(str(tmp_path)) == {"pulumi_parts"}
