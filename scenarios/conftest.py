"""What every scenario needs: a shop to order from, people who use it, and eyes for what became of it."""

import json
import secrets
import threading
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.pytest_plugin import NOT_SUPPORTED, stack_of

TIMEOUT_S = 30.0


def pytest_configure(config: pytest.Config) -> None:
    """The marker of this folder."""
    config.addinivalue_line("markers", "part(name): needs this part of the shop (orders:parts)")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, as `not_supported`, what belongs to a part that was not deployed."""
    wanted = {name for marker in item.iter_markers("part") for name in marker.args}
    if wanted:
        missing = sorted(wanted - set(stack_of(item.config).outputs.get("parts", ())))
        if missing:
            pytest.skip(f"{NOT_SUPPORTED}: the stack was deployed without {', '.join(missing)} (orders:parts)")


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; header names in lower case."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def send(method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
    """One request; `body` is sent as JSON, or as it is when it is text or bytes."""
    data = body.encode() if isinstance(body, str) else body
    if data is not None and not isinstance(data, bytes):
        data = json.dumps(body).encode()
    headers = {**({} if data is None else {"Content-Type": "application/json"}), **(headers or {})}
    request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return _reply(answer.status, answer)
    except urllib.error.HTTPError as error:
        with error:
            return _reply(error.code, error)


def _reply(status: int, answer: Any) -> Reply:
    raw = answer.read()
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        body = {"text": raw.decode(errors="replace")}
    return Reply(status, body, {name.lower(): value for name, value in answer.headers.items()})


@dataclass(frozen=True)
class Shop:
    """The shop as its customers and its operators see it."""

    url: str
    outputs: dict[str, Any]
    aws: Callable[..., Any]

    def place(self, *items: tuple[str, int], key: str = "", body: Any = None) -> Reply:
        """POST /orders."""
        order = {"customer": "ada", "items": [{"sku": sku, "quantity": quantity} for sku, quantity in items]}
        headers = {"Idempotency-Key": key or new_key()}
        return send("POST", f"{self.url}/orders", order if body is None else body, headers)

    def order(self, order_id: str) -> Reply:
        """GET /orders/{order_id}."""
        return send("GET", f"{self.url}/orders/{order_id}")

    def status(self, order_id: str) -> str:
        """The order's status, '' when there is no such order."""
        return str(self.order(order_id).body.get("status", ""))

    def receipts(self, order_id: str) -> int:
        """How many versions of the order's receipt there are."""
        key = f"receipts/{order_id}.json"
        found = self.aws("s3").list_object_versions(Bucket=self.outputs["receipts_bucket"], Prefix=key)
        return len(found.get("Versions", ()))

    def charges(self, order_id: str) -> int:
        """How many payments there are for the order."""
        key = {"order_id": {"S": order_id}}
        table = self.outputs["payments_table"]
        return int("Item" in self.aws("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True))


@dataclass(frozen=True)
class Person:
    """Somebody with an account in the shop's user pool, and the tokens of a sign-in."""

    email: str
    sub: str
    id_token: str
    access_token: str

    @property
    def headers(self) -> dict[str, str]:
        """What goes with a request to a protected route."""
        return {"Authorization": f"Bearer {self.id_token}", "Idempotency-Key": new_key()}


@dataclass(frozen=True)
class Accounts:
    """The user pool as somebody meets it who signs up and in."""

    pool: str
    client: str
    idp: Any

    def sign_up(self, email: str, password: str) -> str:
        """Ask for an account; returns its id."""
        attributes = [{"Name": "email", "Value": email}]
        made = self.idp.sign_up(ClientId=self.client, Username=email, Password=password, UserAttributes=attributes)
        return str(made["UserSub"])

    def confirm(self, email: str) -> None:
        """What the code in the mail does; the operator does it here, as there is no mailbox to read."""
        self.idp.admin_confirm_sign_up(UserPoolId=self.pool, Username=email)

    def sign_in(self, email: str, password: str) -> dict[str, str]:
        """IdToken, AccessToken and RefreshToken."""
        given = {"USERNAME": email, "PASSWORD": password}
        answer = self.idp.initiate_auth(ClientId=self.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
        found: dict[str, str] = answer["AuthenticationResult"]
        return found

    def new_customer(self) -> Person:
        """Somebody who has signed up, confirmed, and signed in."""
        email, password = new_email(), new_password()
        sub = self.sign_up(email, password)
        self.confirm(email)
        tokens = self.sign_in(email, password)
        return Person(email=email, sub=sub, id_token=tokens["IdToken"], access_token=tokens["AccessToken"])


def new_key() -> str:
    """A fresh idempotency key."""
    return f"scenario-{uuid.uuid4()}"


def new_email() -> str:
    """An address nobody has used."""
    return f"{uuid.uuid4().hex[:12]}@customer.example"


def new_password() -> str:
    """One that the pool's policy takes."""
    return f"Aa1{secrets.token_hex(8)}"


@pytest.fixture(scope="session")
def shop(blackstart_stack: Any, blackstart_aws: Any) -> Shop:
    """The deployed shop."""
    outputs = blackstart_stack.outputs
    return Shop(url=outputs["api_url"], outputs=outputs, aws=blackstart_aws)


@pytest.fixture(scope="session")
def accounts(shop: Shop) -> Accounts:
    """The shop's user pool."""
    return Accounts(shop.outputs["user_pool"], shop.outputs["user_pool_client"], shop.aws("cognito-idp"))


@pytest.fixture(scope="module")
def customer(accounts: Accounts) -> Person:
    """A customer who has signed in; one for all scenarios of a file."""
    return accounts.new_customer()


@pytest.fixture(scope="session")
def http() -> Callable[..., Reply]:
    """Send a request: `http(method, url, body, headers)`."""
    return send


@pytest.fixture(scope="session")
def visitors() -> Callable[..., AbstractContextManager[Counter[int]]]:
    """People who ask again and again while a scenario changes something; what it gives counts their answers."""
    return _visitors


@contextmanager
def _visitors(ask: Callable[[], Reply], number: int, *, pause_s: float = 0.0) -> Iterator[Counter[int]]:
    """So many people; the statuses of all their answers, complete when they have gone."""
    gone, statuses = threading.Event(), Counter[int]()

    def visit() -> Counter[int]:
        seen = Counter[int]()
        while not gone.is_set():
            seen[ask().status] += 1
            gone.wait(pause_s)
        return seen

    with ThreadPoolExecutor(number) as people:
        visits = [people.submit(visit) for _ in range(number)]
        try:
            yield statuses
        finally:
            gone.set()
            for one in visits:
                statuses.update(one.result())
