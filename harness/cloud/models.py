"""botocore's service models, loaded once a service and only when something needs them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Model = Mapping[str, Any]  # a service-2.json document: `metadata`, `operations`, `shapes`


@dataclass(slots=True)
class Models:
    """A loader with a memory. Safe from any thread."""

    _loaded: dict[str, Model] = field(default_factory=dict)
    _loader: Any = None  # botocore ships no types
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, service: str) -> Model:
        """The newest model of a service; a model without operations when botocore knows no such service."""
        found = self._loaded.get(service)
        if found is None:
            with self._lock:
                found = self._loaded.get(service) or self._load(service)
                self._loaded[service] = found
        return found

    def _load(self, service: str) -> Model:
        import botocore.loaders
        from botocore.exceptions import UnknownServiceError

        if self._loader is None:
            self._loader = botocore.loaders.Loader()
        try:
            model: Model = self._loader.load_service_model(service, "service-2")
        except UnknownServiceError:
            return {"metadata": {"protocol": "json"}, "operations": {}, "shapes": {}}
        return model
