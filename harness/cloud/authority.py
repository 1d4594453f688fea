"""The cloud's certificate authority: what ACM issues is signed by it, and whoever trusts `ca.pem` trusts that."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.files import write_atomically

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

_NAME = "Blackstart CA"
_LIFETIME = dt.timedelta(days=395)
"""Of certificates, as ACM's: 13 months. https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html"""
_MAKING = threading.Lock()


class Authority:
    """Key and certificate are made in `folder` on first use. RSA of 2,048 bits, ACM's default."""

    def __init__(self, folder: Path) -> None:
        self._key_path, self._path = folder / "ca-key.pem", folder / "ca.pem"

    def certificate(self) -> str:
        """Its own certificate, PEM: what a client has to trust."""
        self._loaded()
        return self._path.read_text()

    def issue(self, names: Sequence[str]) -> tuple[str, str]:
        """A server's certificate for these names, and its key; both PEM. The first is its subject."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

        key, authority = _new_key(), self._loaded()
        issuer = x509.load_pem_x509_certificate(self._path.read_bytes())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        made = (
            unsigned(subject, issuer.subject, key, _LIFETIME)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
            .sign(authority, hashes.SHA256())
        )
        return pem(made), pem_of_key(key)

    def _loaded(self) -> RSAPrivateKey:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

        with _MAKING:
            if not self._path.exists():
                self._make()
        key = serialization.load_pem_private_key(self._key_path.read_bytes(), password=None)
        assert isinstance(key, RSAPrivateKey)  # noqa: S101 - made above
        return key

    def _make(self) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.x509.oid import NameOID

        key, name = _new_key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
        uses = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "crl_sign", "encipher_only", "decipher_only"), False
        )  # fmt: skip
        made = (
            unsigned(name, name, key, _LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(key_cert_sign=True, **uses), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_atomically(self._key_path, pem_of_key(key).encode(), mode=0o600)
        write_atomically(self._path, pem(made).encode())


def unsigned(
    subject: x509.Name, issuer: x509.Name, key: CertificateIssuerPrivateKeyTypes, lifetime: dt.timedelta
) -> x509.CertificateBuilder:
    """A certificate for the key, good from five minutes ago on, that has yet to be signed."""
    from cryptography import x509

    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + lifetime)
    )


def _new_key() -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(certificate: x509.Certificate) -> str:
    """As text."""
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def pem_of_key(key: CertificateIssuerPrivateKeyTypes) -> str:
    """As text, PKCS #8, not encrypted."""
    from cryptography.hazmat.primitives import serialization

    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
