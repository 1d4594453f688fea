"""The input of a REST call, by its members' names, from path, query and body, as botocore's model places them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote

from harness.cloud.asgi import Scope
from harness.cloud.models import Model
from harness.cloud.routes import RouteTable


class InputReader:
    """Reads calls of one service that speaks rest-json."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._routes = RouteTable(model)

    def read(self, operation: str, scope: Scope, body: bytes) -> dict[str, Any]:
        """What is given, by member; what is not given is left out.

        Raises:
            JSONDecodeError: the body is no JSON.
        """
        shapes = self._model["shapes"]
        members = shapes[self._model["operations"][operation]["input"]["shape"]]["members"]
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        found = self._routes.find(scope["method"], path, dict(pairs), {})
        labels = found.labels if found is not None else {}
        given = json.loads(body or b"{}")
        asked: dict[str, Any] = {}
        for name, member in members.items():
            place = member.get("locationName", name)
            if member.get("location") == "uri":
                asked[name] = unquote(labels[place.replace("-", "_")])
            elif member.get("location") == "querystring":
                several = [value for key, value in pairs if key == place]
                if several:
                    asked[name] = several if shapes[member["shape"]]["type"] == "list" else several[0]
            elif given.get(place) is not None:
                asked[name] = given[place]
        return asked
