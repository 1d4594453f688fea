"""random, archive, command, tls, time and null: drawn once, kept, and told as the real providers tell them."""

import base64
import datetime as dt
import hashlib
import json
import re
import string
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.deploy.engine.values import Asset
from harness.deploy.providers import registry
from harness.deploy.providers.aws import refused as aws_refused
from harness.deploy.providers.aws.schema.model import PACKAGES_FOLDER
from harness.deploy.providers.globs import pattern, selected
from harness.deploy.providers.resource import CheckError, Context
from harness.errors import NotSupportedError, ProviderError
from harness.target import endpoint_target

Made = tuple[str, dict[str, Any]]


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(
        target=endpoint_target("http://127.0.0.1:9", regions=["eu-west-1"]),
        region="eu-west-1",
        account_id="0" * 12,
        urn="urn:pulumi:dev::shop::x::thing",
        name="thing",
        folder=tmp_path,
        clients=lambda _service, _region: pytest.fail("no cloud is needed"),
        timeout_s=5.0,
    )


def make(context: Context, token: str, **inputs: Any) -> Made:
    handler = registry().resources[token]
    return handler.create(context, handler.check(context, inputs, None))


def test_every_type_of_these_packages_has_a_schema() -> None:
    written = {token for path in PACKAGES_FOLDER.glob("*.json") for token in json.loads(path.read_text())}
    served = {token for token in registry().resources if not token.startswith("aws:")}
    assert served == written - {"time:index/rotating:Rotating"}


def test_an_id_is_the_same_bytes_in_four_spellings(context: Context) -> None:
    resource_id, told = make(context, "random:index/randomId:RandomId", byteLength=8, prefix="p-")
    drawn = bytes.fromhex(told["hex"].removeprefix("p-"))
    assert len(drawn) == 8
    assert resource_id == base64.urlsafe_b64encode(drawn).decode().rstrip("=")
    assert told["b64Url"] == f"p-{resource_id}"
    assert told["b64Std"] == "p-" + base64.b64encode(drawn).decode()
    assert told["dec"] == f"p-{int.from_bytes(drawn, 'big')}"
    adopted = registry().resources["random:index/randomId:RandomId"].read(context, f"p-,{resource_id}", None)
    assert adopted == {"byteLength": 8, "prefix": "p-", **{k: told[k] for k in ("b64Url", "b64Std", "hex", "dec")}}


def test_a_string_keeps_its_minimums_and_its_classes(context: Context) -> None:
    for _ in range(20):
        _, told = make(
            context, "random:index/randomString:RandomString",
            length=10, upper=False, minNumeric=4, minSpecial=3, overrideSpecial="_%",
        )  # fmt: skip
        text = told["result"]
        assert len(text) == 10
        assert sum(c in string.digits for c in text) >= 4
        assert sum(c in "_%" for c in text) >= 3
        assert set(text) <= set(string.ascii_lowercase + string.digits + "_%")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"length": 3, "minUpper": 4}, "length: must be at least 4"),
        ({"length": 0}, "length: must be at least 1"),
        ({"length": 3, "lower": False, "upper": False, "special": False, "number": False}, "special: at least one"),
        ({}, "length: is required"),
    ],
)
def test_a_string_that_cannot_be_is_refused(context: Context, inputs: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckError, match=said):
        make(context, "random:index/randomString:RandomString", **inputs)


def test_a_password_is_secret_and_its_hash_is_bcrypts(context: Context) -> None:
    handler = registry().resources["random:index/randomPassword:RandomPassword"]
    resource_id, told = make(context, handler.token, length=100)
    assert resource_id == "none"
    assert handler.secret_outputs == {"result", "bcryptHash"}
    assert told["bcryptHash"].startswith("$2a$10$")
    assert bcrypt.checkpw(told["result"].encode()[:72], told["bcryptHash"].encode())
    again = replace(context, prior=told)
    assert (handler.read(again, "none", {"length": 100}) or {})["result"] == told["result"]


def test_the_other_random_values(context: Context) -> None:
    name, _ = make(context, "random:index/randomPet:RandomPet", length=3, prefix="app", separator="_")
    assert re.fullmatch(r"app(_[a-z]+){3}", name)
    number, told = make(context, "random:index/randomInteger:RandomInteger", min=5, max=7)
    assert told["result"] in {5, 6, 7}
    assert number == str(told["result"])
    seeded = [make(context, "random:index/randomInteger:RandomInteger", min=0, max=10**9, seed="s") for _ in "ab"]
    assert seeded[0] == seeded[1]
    _, told = make(context, "random:index/randomShuffle:RandomShuffle", inputs=["a", "b", "c"], resultCount=7)
    assert sorted(told["results"][:3]) == ["a", "b", "c"]
    assert len(told["results"]) == 7
    seventh, _ = make(context, "random:index/randomUuid7:RandomUuid7")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", seventh)
    resource_id, told = make(context, "random:index/randomBytes:RandomBytes", length=16)
    assert base64.b64decode(resource_id).hex() == told["hex"]
    with pytest.raises(CheckError, match="min: must not be above max"):
        make(context, "random:index/randomInteger:RandomInteger", min=2, max=1)


def test_an_archive_is_the_same_zip_for_the_same_content(context: Context) -> None:
    source = context.folder / "src"
    (source / "node_modules" / "x").mkdir(parents=True)
    (source / "index.py").write_text("print(1)")
    (source / "node_modules" / "x" / "big.js").write_text("x")
    invoke = registry().invokes["archive:index/getFile:getFile"]
    arguments = {"type": "zip", "sourceDir": "src", "outputPath": "out/a.zip", "excludes": ["node_modules"]}
    first, second = invoke(context, arguments), invoke(context, {**arguments, "outputPath": "out/b.zip"})
    content = (context.folder / "out/a.zip").read_bytes()
    assert first["outputBase64sha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert first["outputSha"] == second["outputSha"] == first["id"]
    assert first["outputSize"] == len(content)
    with zipfile.ZipFile(context.folder / "out/a.zip") as archive:
        assert archive.namelist() == ["index.py"]
    resource_id, told = make(
        context, "archive:index/file:File",
        type="zip", outputPath="c.zip", sources=[{"filename": "d/e.txt", "content": "hi"}],
    )  # fmt: skip
    assert resource_id == told["outputSha"]
    assert zipfile.ZipFile(context.folder / "c.zip").read("d/e.txt") == b"hi"
    with pytest.raises(ProviderError, match="sourceDir is no folder"):
        invoke(context, {**arguments, "sourceDir": "nowhere"})


def test_a_command_has_a_life(context: Context) -> None:
    handler = registry().resources["command:local:Command"]
    inputs = {
        "create": 'cat; echo "$WHO at $AWS_ENDPOINT_URL in $AWS_REGION"; echo made > made.txt',
        "update": 'echo "was: $PULUMI_COMMAND_STDOUT"',
        "delete": 'echo "$PULUMI_COMMAND_STDOUT" > gone.txt',
        "environment": {"WHO": "me"},
        "stdin": "first\n",
        "assetPaths": ["*.txt", "!gone*"],
    }
    resource_id, told = handler.create(context, handler.check(context, inputs, None))
    assert re.fullmatch(r"thing[0-9a-f]{8}", resource_id)
    assert told["stdout"] == "first\nme at http://127.0.0.1:9 in eu-west-1"
    assert told["assets"] == {"made.txt": Asset("path", "", hashlib.sha256(b"made\n").hexdigest())}
    told = handler.update(replace(context, prior=told), resource_id, inputs, inputs)
    assert told["stdout"].startswith("was: first")
    handler.delete(context, resource_id, {**inputs, "stdout": "bye"})
    assert (context.folder / "gone.txt").read_text() == "bye\n"
    assert handler.replace_on == {"triggers"}


def test_a_command_that_fails_says_what_it_said(context: Context) -> None:
    with pytest.raises(ProviderError, match="ended with 3: no such thing"):
        make(context, "command:local:Command", create="echo no such thing >&2; exit 3")
    with pytest.raises(ProviderError, match="longer than 0.2 s"):
        make(replace(context, timeout_s=0.2), "command:local:Command", create="sleep 30")
    ran = registry().invokes["command:local:run"](context, {"command": "echo hi", "interpreter": ["/bin/sh", "-c"]})
    assert (ran["stdout"], ran["stderr"]) == ("hi", "")


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("*.js", "a.js", True), ("*.js", "a/b.js", False), ("**.js", "a/b.js", True), ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True), ("{a,b}.txt", "b.txt", True), ("[!a].txt", "a.txt", False),
        ("a.b", "axb", False),
    ],
)  # fmt: skip
def test_globs(glob: str, path: str, expected: bool) -> None:
    assert bool(pattern(glob).fullmatch(path)) is expected


def test_the_order_of_globs_counts(tmp_path: Path) -> None:
    for name in ("assets/logo.svg", "src/index.js", "src/secret.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert selected(tmp_path, ["assets/**", "src/**.js", "!**secret.*"]) == ["assets/logo.svg", "src/index.js"]


@pytest.mark.parametrize(("algorithm", "begins"), [("RSA", "RSA "), ("ECDSA", "EC "), ("ED25519", "")])
def test_a_key_and_a_chain_of_certificates(context: Context, algorithm: str, begins: str) -> None:
    key_id, key = make(context, "tls:index/privateKey:PrivateKey", algorithm=algorithm, ecdsaCurve="P256")
    assert key["privateKeyPem"].startswith(f"-----BEGIN {begins}PRIVATE KEY-----")
    assert key["publicKeyOpenssh"].endswith("\n")
    public = registry().invokes["tls:index/getPublicKey:getPublicKey"](
        context, {"privateKeyPem": key["privateKeyPem"]}
    )
    assert public["id"] == key_id
    assert public["publicKeyFingerprintSha256"] == key["publicKeyFingerprintSha256"]
    assert public["algorithm"] == algorithm
    serial, root = make(
        context, "tls:index/selfSignedCert:SelfSignedCert",
        privateKeyPem=key["privateKeyPem"], subject={"commonName": "root"}, allowedUses=["cert_signing"],
        isCaCertificate=True, validityPeriodHours=24, earlyRenewalHours=48,
    )  # fmt: skip
    assert root["readyForRenewal"] is True
    _, request = make(
        context, "tls:index/certRequest:CertRequest",
        privateKeyPem=key["privateKeyPem"], subject={"commonName": "leaf"}, dnsNames=["a.test"],
    )  # fmt: skip
    _, leaf = make(
        context, "tls:index/locallySignedCert:LocallySignedCert",
        certRequestPem=request["certRequestPem"], caPrivateKeyPem=key["privateKeyPem"], caCertPem=root["certPem"],
        allowedUses=["server_auth", "digital_signature"], validityPeriodHours=12,
    )  # fmt: skip
    authority = x509.load_pem_x509_certificate(root["certPem"].encode())
    certificate = x509.load_pem_x509_certificate(leaf["certPem"].encode())
    certificate.verify_directly_issued_by(authority)
    assert str(authority.serial_number) == serial
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.test"]
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == dt.timedelta(hours=12)


def test_a_p224_key_has_no_ssh_form_and_a_url_is_refused(context: Context) -> None:
    _, key = make(context, "tls:index/privateKey:PrivateKey", algorithm="ECDSA")
    assert key["publicKeyOpenssh"] == key["privateKeyOpenssh"] == ""
    serialization.load_pem_private_key(key["privateKeyPem"].encode(), None)
    with pytest.raises(CheckError, match="algorithm: must be one of RSA, ECDSA, ED25519"):
        make(context, "tls:index/privateKey:PrivateKey", algorithm="DSA")
    with pytest.raises(NotSupportedError, match="from the internet"):
        registry().invokes["tls:index/getCertificate:getCertificate"](context, {"url": "https://x.test"})


def test_times_are_kept(context: Context) -> None:
    resource_id, told = make(context, "time:index/static:Static", rfc3339="2024-02-29T12:30:00+01:00")
    assert resource_id == "2024-02-29T11:30:00Z"
    assert (told["month"], told["hour"], told["unix"]) == (2, 11, 1709206200)
    _, told = make(
        context, "time:index/offset:Offset", baseRfc3339="2024-01-31T00:00:00Z", offsetMonths=1, offsetHours=-1
    )
    assert told["rfc3339"] == "2024-03-01T23:00:00Z"  # February 31 is March 2
    make(context, "time:index/sleep:Sleep", createDuration="1ms")
    with pytest.raises(CheckError, match="createDuration: is not a duration"):
        make(context, "time:index/sleep:Sleep", createDuration="soon")


@pytest.mark.parametrize("package", ["awsx", "eks", "docker", "kubernetes", "synced-folder", "aws-native"])
def test_a_package_that_cannot_run_here_names_what_to_use_instead(package: str) -> None:
    assert registry().hint(f"{package}:index:Thing") == registry().refused[package]


def test_an_unknown_name_gets_the_nearest_and_an_unknown_package_the_list() -> None:
    assert "RandomPet" in registry().hint("random:index/randomPat:RandomPat")
    assert "archive, aws, command, null, random, time, tls" in registry().hint("gcp:storage:Bucket")


def test_a_type_is_hinted_at_for_a_type_and_a_function_for_a_function() -> None:
    assert registry().hint("aws:rds/getClusters:getClusters") == "did you mean 'aws:rds/getCluster:getCluster'?"
    assert "aws:rds/cluster:Cluster'?" in registry().hint("aws:rds/clusters:Clusters")
    assert "no machine runs behind an instance" in registry().hint("command:remote:Command")
    assert "nothing of this service is built in" in registry().hint("aws:chime/cluster:Cluster")
    assert "getCluster:" not in registry().hint("aws:eks/identityProviderConfig:IdentityProviderConfig")


def test_what_no_cloud_keeps_is_refused_with_what_is_near() -> None:
    assert "aws:lb/loadBalancer:LoadBalancer" in registry().hint("aws:elb/loadBalancer:LoadBalancer")
    assert "vpcPeeringConnection" in registry().hint("aws:ec2transitgateway/vpcAttachment:VpcAttachment")
    assert "maintenance windows" in registry().hint("aws:ssm/maintenanceWindow:MaintenanceWindow")
    assert "did you mean 'aws:ssm/document:Document'" in registry().hint("aws:ssm/documnt:Documnt")
    assert registry().hint("aws:xray/group:Group").startswith("kept by nobody here")


def test_what_is_refused_is_not_built_in_and_what_is_near_is() -> None:
    for service, why in aws_refused.REFUSED.items():
        near = re.findall(r"aws:\w+/\w+:\w+", why)
        assert set(near) <= registry().resources.keys()
        assert service == "aws:ssm" or not any(token.startswith(f"{service}/") for token in registry().resources)
