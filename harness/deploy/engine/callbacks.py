"""Calls back into the program: its transforms and resource hooks live there, in a gRPC server of the SDK's.

Source: pulumi's proto/pulumi/callback.proto; one call takes a token and a request, both serialized.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc

from harness.errors import ProgramError

Answer = TypeVar("Answer")
_OPTIONS = (("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20))


@dataclass(slots=True)
class Callbacks:
    """One channel to each of the program's callback servers. Safe from any thread."""

    _channels: dict[str, Any] = field(default_factory=dict)  # grpc.Channel
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, callback: Any, request: Any, answer: type[Answer], *, what: str) -> Answer:  # protobuf messages
        """What the program's function answers.

        Raises:
            ProgramError: it raised; with its message, cut to the program's own files by the SDK.
        """
        with self._lock:
            if callback.target not in self._channels:
                self._channels[callback.target] = grpc.insecure_channel(callback.target, options=_OPTIONS)
            channel = self._channels[callback.target]
        message = callback_pb2.CallbackInvokeRequest(token=callback.token, request=request.SerializeToString())
        try:
            response = callback_pb2_grpc.CallbacksStub(channel).Invoke(message)
        except grpc.RpcError as error:
            details = error.details() if isinstance(error, grpc.Call) else str(error)
            raise ProgramError(f"{what} failed: {details}") from error
        found: Answer = answer.FromString(response.response)  # type: ignore[attr-defined] # protobuf has no types
        return found

    def close(self) -> None:
        """Close every channel."""
        with self._lock:
            for channel in self._channels.values():
                channel.close()
            self._channels.clear()
