"""Tasks of ECS whose image is a folder start anew when a deployment finds other files in it.

On AWS other code is another image, and the task definition names it; a folder keeps its name. So the files of each
folder are looked at, and services that run it get what `aws ecs update-service --force-new-deployment` gives them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from harness.cloud.tasks.images import names_of
from harness.files import write_atomically
from harness.target import Target

_MADE = frozenset({"__pycache__", "node_modules"})
"""Written by what runs there; and whatever begins with a dot."""


def changed(folders: Mapping[str, Path], note: Path) -> set[str]:
    """The images whose files are others than when `note` was written; `note` has them now. Empty the first time."""
    now = {image: _digest(folder) for image, folder in folders.items()}
    before: dict[str, str] = json.loads(note.read_text()) if note.exists() else now
    write_atomically(note, json.dumps(now))
    return {image for image, digest in now.items() if before.get(image, digest) != digest}


def renew(target: Target, images: Collection[str]) -> Iterator[str]:
    """Start a deployment of each service that runs one of the images; a line about each."""
    for region in target.regions if images else ():
        ecs = target.client("ecs", region=region)
        for cluster, service in _services(ecs):
            definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
            used = {name for one in definition["containerDefinitions"] for name in names_of(one["image"])}
            if used.isdisjoint(images):
                continue
            named = f"{service['serviceName']} runs {', '.join(sorted(used & set(images)))}, whose files have changed"
            try:
                ecs.update_service(cluster=cluster, service=service["serviceName"], forceNewDeployment=True)
                yield f"{named}: its tasks are replaced"
            except ClientError as error:  # CodeDeploy decides over its releases
                yield f"{named}, and runs on as it is: {error.response['Error']['Message']}"


def _services(ecs: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:  # a boto3 client; JSON
    for clusters in ecs.get_paginator("list_clusters").paginate():
        for cluster in clusters["clusterArns"]:
            for page in ecs.get_paginator("list_services").paginate(
                cluster=cluster, PaginationConfig={"PageSize": 10}
            ):
                if arns := page["serviceArns"]:
                    told = ecs.describe_services(cluster=cluster, services=arns)["services"]
                    yield from ((cluster, service) for service in told)


def _digest(folder: Path) -> str:
    """Of the names, sizes and times of its files."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if not any(part in _MADE or part.startswith(".") for part in inside) and path.is_file():
            stat = path.stat()
            found.update(f"{'/'.join(inside)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return found.hexdigest()
