"""The self-signed certificate that database endpoints show; who verifies it takes `databases/tls/ca.pem`."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from pathlib import Path

from harness.cloud.authority import pem, pem_of_key, unsigned
from harness.files import write_atomically

_LIFETIME = dt.timedelta(days=365)
_NAME = "blackstart databases"
_MAKING = threading.Lock()
"""Two who made a pair at once would leave the key of one beside the certificate of the other."""


def server_context(folder: Path) -> ssl.SSLContext:
    """A TLS context of a server; key and certificate are made in `folder` on first use."""
    key, certificate = folder / "key.pem", folder / "ca.pem"
    with _MAKING:
        if not certificate.exists():
            _make(key, certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _make(key_path: Path, certificate_path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    addresses = [x509.IPAddress(ipaddress.ip_address(host)) for host in ("127.0.0.1", "127.0.0.2", "::1")]
    certificate = (
        unsigned(name, name, key, _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_atomically(key_path, pem_of_key(key).encode(), mode=0o600)
    write_atomically(certificate_path, pem(certificate).encode())
