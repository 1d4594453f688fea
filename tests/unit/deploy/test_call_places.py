"""Which lines of a program ask for data."""

from pathlib import Path

from harness.deploy.engine.call_places import call_places


def test_calls_are_found_by_the_functions_name_in_the_programs_own_files(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("# get_ami(\nx = aws.ec2.get_ami(\n)\n")
    (tmp_path / "network.py").write_text("def get_ami(): ...\ny = aws.ec2.get_ami_output()\nz = get_ami_ids()\n")
    for foreign in ("venv/lib", ".venv/lib"):
        (tmp_path / foreign).mkdir(parents=True)
        (tmp_path / foreign / "more.py").write_text("get_ami()\n")
    assert call_places(tmp_path, "aws:ec2/getAmi:getAmi") == "__main__.py:2, network.py:2"
    assert call_places(tmp_path, "aws:iam/getPolicyDocument:getPolicyDocument") == ""


def test_many_calls_are_counted(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("get_region()\n" * 5)
    assert call_places(tmp_path, "aws:index/getRegion:getRegion") == (
        "__main__.py:1, __main__.py:2, __main__.py:3 and 2 more"
    )
