"""AWS's own IAM policies: their documents as AWS publishes them, from the list that moto ships.

ministack knows a few dozen of them. With IAM enforced the others must grant exactly what they grant on AWS: no more
(a program would pass here and fail there), no less. Reading the list takes 60 ms and is done when it is first needed.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def document_of(name: str) -> str | None:
    """The document of `arn:aws:iam::aws:policy/<name>`, path included; None where AWS has no such policy."""
    path, _, short = name.rpartition("/")
    found = _published().get(short)
    if found is None or found["Path"] != (f"/{path}/" if path else "/"):
        return None
    return json.dumps(found["Document"])


@functools.cache
def _published() -> Mapping[str, Any]:  # JSON
    """Policy name → its record. moto itself is not imported: that would take a second."""
    moto = importlib.util.find_spec("moto")
    folders = moto.submodule_search_locations if moto is not None else None
    if not folders:
        return {}
    spec = importlib.util.spec_from_file_location("_published", Path(folders[0]) / "iam" / "aws_managed_policies.py")
    if spec is None or spec.loader is None:
        return {}
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    published: dict[str, Any] = json.loads(module.aws_managed_policies_data)
    return published
