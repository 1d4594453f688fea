"""The `tls` package: private keys and certificates, made with `cryptography`. Keys are secrets."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
from cryptography.x509.oid import NameOID

from harness.deploy.providers.local_type import LocalType
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties
from harness.errors import NotSupportedError

_CURVES: Mapping[str, type[ec.EllipticCurve]] = {
    "P224": ec.SECP224R1, "P256": ec.SECP256R1, "P384": ec.SECP384R1, "P521": ec.SECP521R1
}  # fmt: skip
_ALGORITHMS = ("RSA", "ECDSA", "ED25519")
_SUBJECT = {
    "commonName": NameOID.COMMON_NAME, "country": NameOID.COUNTRY_NAME, "emailAddress": NameOID.EMAIL_ADDRESS,
    "locality": NameOID.LOCALITY_NAME, "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME, "postalCode": NameOID.POSTAL_CODE,
    "province": NameOID.STATE_OR_PROVINCE_NAME, "serialNumber": NameOID.SERIAL_NUMBER,
}  # fmt: skip
_KEY_USES = {
    "digital_signature": "digital_signature", "content_commitment": "content_commitment",
    "key_encipherment": "key_encipherment", "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement", "cert_signing": "key_cert_sign", "crl_signing": "crl_sign",
    "encipher_only": "encipher_only", "decipher_only": "decipher_only",
}  # fmt: skip
_PURPOSES = {
    "any_extended": Purpose.ANY_EXTENDED_KEY_USAGE, "server_auth": Purpose.SERVER_AUTH,
    "client_auth": Purpose.CLIENT_AUTH, "code_signing": Purpose.CODE_SIGNING,
    "email_protection": Purpose.EMAIL_PROTECTION, "timestamping": Purpose.TIME_STAMPING,
    "ocsp_signing": Purpose.OCSP_SIGNING, "ipsec_end_system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec_tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec_user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
}  # fmt: skip
_PEM, _DER, _SSH = serialization.Encoding.PEM, serialization.Encoding.DER, serialization.Encoding.OpenSSH
_SPKI = serialization.PublicFormat.SubjectPublicKeyInfo

Key = Any  # one of cryptography's private or public keys


class PrivateKey(LocalType):
    """tls:index/privateKey:PrivateKey; the id is the SHA-1 of the public key."""

    token: ClassVar = "tls:index/privateKey:PrivateKey"
    defaults: ClassVar = {"rsaBits": 2048, "ecdsaCurve": "P224"}
    replace_on: ClassVar = frozenset({"algorithm", "rsaBits", "ecdsaCurve"})
    secret_outputs: ClassVar = frozenset({"privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """The algorithm and the curve are known ones."""
        given = super().check(context, inputs, olds)
        for key, known in (("algorithm", _ALGORITHMS), ("ecdsaCurve", tuple(_CURVES))):
            if isinstance(given[key], str) and given[key] not in known:
                raise CheckError([(key, f"must be one of {', '.join(known)}")])
        return given

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Draw it."""
        del context
        key: Key
        if inputs["algorithm"] == "RSA":
            key = rsa.generate_private_key(public_exponent=65_537, key_size=int(inputs["rsaBits"]))
        elif inputs["algorithm"] == "ECDSA":
            key = ec.generate_private_key(_CURVES[str(inputs["ecdsaCurve"])]())
        else:
            key = ed25519.Ed25519PrivateKey.generate()
        public = _public(key)
        return str(public.pop("id")), {**inputs, **_private(key), **public}


def _private(key: Key) -> Properties:
    plain, forms = serialization.NoEncryption(), serialization.PrivateFormat
    pkcs8 = key.private_bytes(_PEM, forms.PKCS8, plain).decode()
    older = isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return {
        "privateKeyPem": key.private_bytes(_PEM, forms.TraditionalOpenSSL, plain).decode() if older else pkcs8,
        "privateKeyPemPkcs8": pkcs8,
        "privateKeyOpenssh": key.private_bytes(_PEM, forms.OpenSSH, plain).decode() if _for_ssh(key) else "",
    }


def _for_ssh(key: Key) -> bool:
    """OpenSSH knows no P-224."""
    return not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP224R1))


def _public(key: Key) -> Properties:
    public = key.public_key()
    der = public.public_bytes(_DER, _SPKI)
    found = {
        "id": hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        "publicKeyPem": public.public_bytes(_PEM, _SPKI).decode(),
        "publicKeyOpenssh": "", "publicKeyFingerprintMd5": "", "publicKeyFingerprintSha256": "",
    }  # fmt: skip
    if _for_ssh(key):
        line = public.public_bytes(_SSH, serialization.PublicFormat.OpenSSH).decode()
        blob = base64.b64decode(line.split()[1])
        sha256 = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
        found["publicKeyOpenssh"] = line + "\n"
        found["publicKeyFingerprintMd5"] = hashlib.md5(blob, usedforsecurity=False).digest().hex(":")
        found["publicKeyFingerprintSha256"] = f"SHA256:{sha256}"
    return found


def _algorithm(key: Key) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA"
    return "ECDSA" if isinstance(key, ec.EllipticCurvePrivateKey) else "ED25519"


def _signing_hash(key: Key) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _key(inputs: Properties, name: str = "privateKeyPem") -> Key:
    """The private key of `name`, or of its write-only form.

    Raises:
        CheckError: it is no PEM key.
    """
    text = str(inputs.get(name) or inputs.get(f"{name}Wo") or "")
    try:
        return serialization.load_pem_private_key(text.encode(), None)
    except ValueError as error:
        raise CheckError([(name, "is not a private key in PEM")]) from error


class CertRequest(LocalType):
    """tls:index/certRequest:CertRequest; the id is the SHA-1 of the request."""

    token: ClassVar = "tls:index/certRequest:CertRequest"
    replace_on: ClassVar = frozenset(
        {"dnsNames", "ipAddresses", "uris", "subject", "privateKeyPem", "privateKeyPemWoVersion"}
    )

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Sign it with the key."""
        del context
        key = _key(inputs)
        builder = x509.CertificateSigningRequestBuilder().subject_name(_name(inputs))
        names = _alternatives(inputs)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        request = builder.sign(key, _signing_hash(key))
        identity = hashlib.sha1(request.public_bytes(_DER), usedforsecurity=False).hexdigest()
        pem = request.public_bytes(_PEM).decode()
        return identity, {**inputs, "keyAlgorithm": _algorithm(key), "certRequestPem": pem}


def _name(inputs: Properties) -> x509.Name:
    subject = inputs.get("subject") or {}
    subject = subject[0] if isinstance(subject, list) else subject
    parts = [x509.NameAttribute(oid, str(subject[key])) for key, oid in _SUBJECT.items() if subject.get(key)]
    streets = subject.get("streetAddresses") or ()
    return x509.Name([*parts, *(x509.NameAttribute(NameOID.STREET_ADDRESS, str(street)) for street in streets)])


def _alternatives(inputs: Properties) -> x509.SubjectAlternativeName | None:
    names: list[x509.GeneralName] = [x509.DNSName(str(name)) for name in inputs.get("dnsNames") or ()]
    names += [x509.IPAddress(ipaddress.ip_address(str(text))) for text in inputs.get("ipAddresses") or ()]
    names += [x509.UniformResourceIdentifier(str(uri)) for uri in inputs.get("uris") or ()]
    return x509.SubjectAlternativeName(names) if names else None


class _Certificate(LocalType):
    """A certificate; the id is its serial number. Only how early it should be renewed may change."""

    defaults: ClassVar[Mapping[str, Any]] = {
        "isCaCertificate": False, "setSubjectKeyId": False, "earlyRenewalHours": 0
    }  # fmt: skip
    replace_on: ClassVar[frozenset[str]] = frozenset(
        {
            "allowedUses", "caCertPem", "caPrivateKeyPem", "caPrivateKeyPemWoVersion", "certRequestPem", "dnsNames",
            "ipAddresses", "isCaCertificate", "maxPathLength", "privateKeyPem", "privateKeyPemWoVersion",
            "setAuthorityKeyId", "setSubjectKeyId", "subject", "uris", "validityPeriodHours",
        }
    )  # fmt: skip

    def update(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> Properties:
        """Whether it is time to renew it."""
        outputs = super().update(context, resource_id, olds, news)
        return {**outputs, "readyForRenewal": _due(outputs)}


class SelfSignedCert(_Certificate):
    """tls:index/selfSignedCert:SelfSignedCert."""

    token: ClassVar = "tls:index/selfSignedCert:SelfSignedCert"

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Sign it with its own key."""
        del context
        key, name = _key(inputs), _name(inputs)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        alternatives = _alternatives(inputs)
        if alternatives is not None:
            builder = builder.add_extension(alternatives, critical=False)
        if inputs.get("setAuthorityKeyId"):
            identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
            builder = builder.add_extension(identifier, critical=False)
        return _signed(builder, inputs, key, public=key.public_key(), keyAlgorithm=_algorithm(key))


class LocallySignedCert(_Certificate):
    """tls:index/locallySignedCert:LocallySignedCert."""

    token: ClassVar = "tls:index/locallySignedCert:LocallySignedCert"

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Sign the request with the authority's key."""
        del context
        key = _key(inputs, "caPrivateKeyPem")
        request = x509.load_pem_x509_csr(str(inputs["certRequestPem"]).encode())
        authority = x509.load_pem_x509_certificate(str(inputs["caCertPem"]).encode())
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(authority.subject)
            .public_key(request.public_key())
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        )
        for extension in request.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        return _signed(builder, inputs, key, public=request.public_key(), caKeyAlgorithm=_algorithm(key))


def _signed(
    builder: x509.CertificateBuilder, inputs: Properties, key: Key, *, public: Key, **more: str
) -> tuple[str, Properties]:
    start = dt.datetime.now(dt.UTC).replace(microsecond=0)
    end = start + dt.timedelta(hours=int(inputs["validityPeriodHours"]))
    serial = x509.random_serial_number()
    builder = builder.serial_number(serial).not_valid_before(start).not_valid_after(end)
    certificate = _with_uses(builder, inputs, public).sign(key, _signing_hash(key))
    outputs = {
        **inputs,
        **more,
        "certPem": certificate.public_bytes(_PEM).decode(),
        "validityStartTime": start.isoformat(),
        "validityEndTime": end.isoformat(),
    }
    return str(serial), {**outputs, "readyForRenewal": _due(outputs)}


def _with_uses(builder: x509.CertificateBuilder, inputs: Properties, public: Key) -> x509.CertificateBuilder:
    uses = {str(use) for use in inputs["allowedUses"]}
    unknown = sorted(uses - _KEY_USES.keys() - _PURPOSES.keys())
    if unknown:
        raise CheckError([("allowedUses", f"{', '.join(unknown)} is not known")])
    if uses & _KEY_USES.keys():
        flags = {flag: use in uses for use, flag in _KEY_USES.items()}
        builder = builder.add_extension(x509.KeyUsage(**flags), critical=True)
    purposes = [oid for use, oid in _PURPOSES.items() if use in uses]
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    authority, length = bool(inputs.get("isCaCertificate")), inputs.get("maxPathLength")
    depth = int(length) if authority and length is not None and int(length) >= 0 else None
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=depth), critical=True)
    if inputs.get("setSubjectKeyId") or authority:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return builder


def _due(outputs: Properties) -> bool:
    early = dt.timedelta(hours=int(outputs.get("earlyRenewalHours") or 0))
    end = dt.datetime.fromisoformat(str(outputs["validityEndTime"]))
    return dt.datetime.now(dt.UTC) + early >= end


def get_public_key(context: Context, arguments: Properties) -> Properties:
    """The public half of a private key in PEM or in OpenSSH's form."""
    del context
    text = str(arguments.get("privateKeyPem") or arguments.get("privateKeyOpenssh") or "").encode()
    read = (
        serialization.load_pem_private_key if arguments.get("privateKeyPem") else serialization.load_ssh_private_key
    )
    key = read(text, None)
    return {**arguments, "algorithm": _algorithm(key), **_public(key)}


def get_certificate(context: Context, arguments: Properties) -> Properties:
    """What the certificates in `content` say.

    Raises:
        NotSupportedError: a `url` is given; it would be the internet's.
    """
    if not arguments.get("content"):
        raise NotSupportedError(
            "tls.get_certificate reads a certificate from the internet",
            where=context.urn,
            hint="give the PEM text as content, or the thumbprint itself",
        )
    found = [_told(one) for one in x509.load_pem_x509_certificates(str(arguments["content"]).encode())]
    identity = hashlib.sha1(str(arguments["content"]).encode(), usedforsecurity=False).hexdigest()
    return {**arguments, "certificates": found, "id": identity}


def _told(certificate: x509.Certificate) -> Properties:
    constraints = [e.value for e in certificate.extensions if isinstance(e.value, x509.BasicConstraints)]
    return {
        "certPem": certificate.public_bytes(_PEM).decode(),
        "isCa": bool(constraints and constraints[0].ca),
        "issuer": certificate.issuer.rfc4514_string(),
        "subject": certificate.subject.rfc4514_string(),
        "serialNumber": str(certificate.serial_number),
        "sha1Fingerprint": certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - a name for it, as AWS uses it
        "version": certificate.version.value + 1,
        "notBefore": certificate.not_valid_before_utc.isoformat(),
        "notAfter": certificate.not_valid_after_utc.isoformat(),
    }


RESOURCES = (CertRequest(), LocallySignedCert(), PrivateKey(), SelfSignedCert())
INVOKES: Mapping[str, Invoke] = {
    "tls:index/getPublicKey:getPublicKey": get_public_key,
    "tls:index/getCertificate:getCertificate": get_certificate,
}
