"""Secrets in the checkpoint, as Pulumi's passphrase manager writes them: the real CLI can read the state.

AES-256-GCM under a key from PBKDF2-HMAC-SHA256 with a million rounds. Source: pulumi's
sdk/go/common/resource/config/crypt.go and pkg/secrets/passphrase.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.errors import StateError

_ROUNDS = 1_000_000
_PROOF = "pulumi"  # encrypted into the salt, so that a wrong passphrase is noticed at once


@dataclass(frozen=True)
class PassphraseSecrets:
    """Encrypts and decrypts with one passphrase. The key takes 0.3 s to derive, so that waits for the first secret.

    `proof` is the encrypted proof of an existing checkpoint, '' for a new one.
    """

    passphrase: str
    salt: bytes
    proof: str = ""

    @classmethod
    def new(cls, passphrase: str) -> PassphraseSecrets:
        """For a stack without a checkpoint."""
        return cls(passphrase, os.urandom(8))

    @classmethod
    def from_state(cls, passphrase: str, state: dict[str, Any]) -> PassphraseSecrets:
        """For a checkpoint's `secrets_providers.state`.

        Raises:
            StateError: another format than `v1:salt:proof`.
        """
        try:
            version, salt, proof = str(state["salt"]).split(":", 2)
            if version != "v1":
                raise StateError(f"secrets format {version!r}")
            return cls(passphrase, base64.b64decode(salt), proof)
        except (KeyError, ValueError) as error:
            raise StateError(f"unknown secrets format in the checkpoint: {error}") from error

    @cached_property
    def _cipher(self) -> AESGCM:
        key = hashlib.pbkdf2_hmac("sha256", self.passphrase.encode(), self.salt, _ROUNDS, 32)
        cipher = AESGCM(key)
        if self.proof and _decrypt(cipher, self.proof) != _PROOF:
            raise StateError("the passphrase does not fit the checkpoint", hint="set PULUMI_CONFIG_PASSPHRASE")
        return cipher

    def encrypt(self, text: str) -> str:
        """`v1:<nonce>:<ciphertext>`."""
        nonce = os.urandom(12)
        sealed = self._cipher.encrypt(nonce, text.encode(), None)
        return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, sealed: str) -> str:
        """What `encrypt` was given.

        Raises:
            StateError: the passphrase is another one, or the text was changed.
        """
        return _decrypt(self._cipher, sealed)

    def state(self) -> dict[str, str]:
        """What goes into the checkpoint, beside the type `passphrase`."""
        proof = self.proof or self.encrypt(_PROOF)
        return {"salt": f"v1:{base64.b64encode(self.salt).decode()}:{proof}"}


def _decrypt(cipher: AESGCM, sealed: str) -> str:
    try:
        _, nonce, body = sealed.split(":")
        return cipher.decrypt(base64.b64decode(nonce), base64.b64decode(body), None).decode()
    except (ValueError, InvalidTag) as error:
        raise StateError("a secret cannot be decrypted", hint="set PULUMI_CONFIG_PASSPHRASE") from error
