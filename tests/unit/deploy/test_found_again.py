"""Every AWS type says how a creation that a kill cut short is found again, or what it leaves that nobody can find."""

import pytest

from harness.deploy.providers.aws import registry
from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.declared import Declared

LEAVE_NOTHING = {"aws:acm/certificateValidation:CertificateValidation", "aws:kms/ciphertext:Ciphertext"}
TYPES = {handler.token: handler for handler in registry().resources.values()}


@pytest.mark.parametrize("token", sorted(TYPES.keys() - LEAVE_NOTHING))
def test_it_is_found_again(token: str) -> None:
    handler = TYPES[token]
    assert isinstance(handler, AwsType)
    by_id = bool(handler.parts or handler.id_format)
    by_list = bool(handler.listed and (handler.lists or handler.creates))
    by_answer = isinstance(handler, Declared) and bool(handler.id_from)
    by_itself = type(handler).find not in {AwsType.find, Declared.find}
    assert by_id or by_list or by_answer or by_itself or handler.traceless
