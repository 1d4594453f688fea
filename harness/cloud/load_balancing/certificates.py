"""What an HTTPS listener presents: a certificate of ACM, chosen by the name that the client asks for (SNI).

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html
"""

from __future__ import annotations

import logging
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.cloud.authority import Authority
from harness.cloud.databases.certificate import server_context
from harness.cloud.load_balancing import emulated
from harness.cloud.load_balancing.emulated import Answer, Operation, Record

_LOG = logging.getLogger(__name__)
_MORE = "MoreCertificates"
"""Where a listener's record keeps the certificates beside its default one, which ministack does not know."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its chain and key, PEM, and the names that it is for."""

    names: tuple[str, ...]
    pem: str


@dataclass(slots=True)
class Certificates:
    """Certificates are issued when somebody first asks for them; safe from any thread."""

    folder: Path
    authority: Authority
    _fronts: dict[tuple[Issued, ...], ssl.SSLContext] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def context(self, arns: Sequence[str]) -> ssl.SSLContext:
        """TLS with these certificates, the first of which is for clients whose name none is for.

        Where ACM knows none of them (one of IAM, or deleted) it is the load balancer's own.
        """
        with self._lock:
            issued = tuple(one for arn in arns if (one := self.issue(arn)) is not None)
            if issued not in self._fronts:
                self._fronts[issued] = self._front(issued)
            return self._fronts[issued]

    def issue(self, arn: str) -> Issued | None:
        """The certificate, signed by the cloud's authority unless it was imported; None when there is none."""
        with self._lock, emulated.in_scope(*_owner(arn)):
            record = emulated.certificate(arn)
            if record is None:
                return None
            if not record["_private_key"] and record["Type"] == "AMAZON_ISSUED":
                record["_pem_body"], record["_private_key"] = self.authority.issue(record["SubjectAlternativeNames"])
                record["_pem_chain"] = self.authority.certificate()
            pem = "\n".join((record["_pem_body"], record["_pem_chain"], record["_private_key"]))
            try:
                return Issued(_names_of(record["_pem_body"]), pem)
            except ValueError:
                _LOG.warning("%s was imported and is no certificate: the load balancer shows its own", arn)
                return None

    def _front(self, issued: tuple[Issued, ...]) -> ssl.SSLContext:
        if not issued:
            return server_context(self.folder)
        contexts = [(one.names, self._loaded(one)) for one in issued]

        def choose(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
            asked = (name or "").lower()
            fit = next((context for names, context in contexts if any(covers(one, asked) for one in names)), None)
            connection.context = fit or contexts[0][1]

        front = self._loaded(issued[0])
        front.sni_callback = choose
        return front

    def _loaded(self, issued: Issued) -> ssl.SSLContext:
        self.folder.mkdir(parents=True, exist_ok=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".pem") as file:  # only its owner may read it
            file.write(issued.pem)
            file.flush()
            context.load_cert_chain(file.name)
        return context


def covers(name: str, asked: str) -> bool:
    """Whether a certificate's name is that of the host; `*` stands for one label.

    >>> [covers("*.a.example", host) for host in ("b.a.example", "a.example", "c.b.a.example")]
    [True, False, False]
    """
    if name.startswith("*."):
        return asked.partition(".")[2] == name[2:].lower()
    return asked == name.lower()


def _owner(arn: str) -> tuple[str, str]:
    """Account and region."""
    parts = arn.split(":")
    return (parts[4], parts[3]) if len(parts) > 4 else ("", "")


def _names_of(pem: str) -> tuple[str, ...]:
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(pem.encode())
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(found.get_values_for_type(x509.DNSName))


def certificates_of(record: Record) -> tuple[str, ...]:
    """ARNs; the default first."""
    return tuple(dict.fromkeys((*record.get("Certificates", ()), *record.get(_MORE, ()))))


def _of_listener(act: Callable[[Record, Record], Answer]) -> Operation:
    """An operation on the listener that is named: its record comes first, then what is asked."""

    def operation(asked: Record, _proceed: Callable[[], Answer]) -> Answer:
        record = emulated.listeners().get(str(asked.get("ListenerArn")))
        if record is None:
            return emulated.refused("ListenerNotFound", f"Listener '{asked.get('ListenerArn')}' not found")
        return act(record, asked)

    return operation


@_of_listener
def _add_certificates(record: Record, asked: Record) -> Answer:
    arns = _named_certificates(asked)
    for arn in arns:
        if arn.split(":")[2:3] == ["acm"] and emulated.certificate(arn) is None:
            return emulated.refused("CertificateNotFound", f"Certificate '{arn}' not found")
    record[_MORE] = list(dict.fromkeys((*record.get(_MORE, ()), *arns)))
    shown = [{"CertificateArn": arn, "IsDefault": "false"} for arn in arns]
    return emulated.answered("AddListenerCertificates", {"Certificates": shown})


@_of_listener
def _remove_certificates(record: Record, asked: Record) -> Answer:
    arns = _named_certificates(asked)
    if set(arns) & set(record.get("Certificates", ())):
        return emulated.refused("OperationNotPermitted", "Default certificate cannot be removed")
    record[_MORE] = [arn for arn in record.get(_MORE, ()) if arn not in arns]
    return emulated.answered("RemoveListenerCertificates", {})


@_of_listener
def _describe_certificates(record: Record, _asked: Record) -> Answer:
    default = record.get("Certificates", ())
    shown = [{"CertificateArn": arn, "IsDefault": str(arn in default).lower()} for arn in certificates_of(record)]
    return emulated.answered("DescribeListenerCertificates", {"Certificates": shown})


def _named_certificates(asked: Record) -> list[str]:
    return [str(one["CertificateArn"]) for one in asked.get("Certificates") or ()]


OPERATIONS: Mapping[str, Operation] = {
    "AddListenerCertificates": _add_certificates,
    "RemoveListenerCertificates": _remove_certificates,
    "DescribeListenerCertificates": _describe_certificates,
}
"""Operations on the certificates of a listener, which ministack does not know."""
