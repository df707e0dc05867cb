"""The inputs of an edit. test_senders_can_edit_and_delete_their_messages.py checks who may edit what."""
import json

import pytest

from api import Client, new_name

pytestmark = pytest.mark.usefixtures("nothing_changes")

NOT_TEXTS = [7, 7.0, True, None, [], ["hello"], {}]
NOT_NAMES = ["", "a b", "bob\n", "bob ", "é", "👍", "a-b", "a" * 21, "a" * 3000, 7, 7.0, True, None, [], {}]


@pytest.fixture(scope="module")
def sent(stack):
    with Client(stack) as api:
        alice = new_name()
        return api.send(api.group(alice), alice)


@pytest.mark.parametrize("value", NOT_TEXTS, ids=repr)
def test_a_content_that_is_not_a_string_is_refused(api, sent, value):
    api.edit(sent["id"], sent["sender"], value).problem(400, code="invalid_content", field="content")


def test_a_missing_content_is_refused(api, sent):
    refused = api.write("PATCH", f"/messages/{sent['id']}", {"username": sent["sender"]})
    refused.problem(400, code="invalid_content", field="content")


@pytest.mark.parametrize("content", ["x" * 65_537, "x" * 65_535 + "é", "👍" * 16_384 + "x", "\x01" * 65_537],
                         ids=["ascii", "two_bytes", "four_bytes", "controls"])
@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "in_utf_8"])
def test_a_content_one_byte_too_long_is_refused(api, sent, content, escaped):
    body = json.dumps({"username": sent["sender"], "content": content}, ensure_ascii=escaped).encode()
    refused = api.request("PATCH", f"/messages/{sent['id']}", body)
    refused.problem(413, code="content_too_long", field="content")


@pytest.mark.parametrize("name", NOT_NAMES, ids=lambda name: ascii(name)[:25])
def test_an_invalid_name_is_refused(api, sent, name):
    api.edit(sent["id"], name, "edited").problem(400, code="invalid_username", field="username")


def test_a_missing_name_is_refused(api, sent):
    refused = api.write("PATCH", f"/messages/{sent['id']}", {"content": "edited"})
    refused.problem(400, code="invalid_username", field="username")


def test_an_unknown_message_is_not_found(api, sent):
    api.edit(2**62, sent["sender"], "edited").problem(404, "Invalid message ID", "invalid_message_id")
    api.erase(2**62, sent["sender"]).problem(404, "Invalid message ID", "invalid_message_id")
    api.get(f"/messages/{2**62}").problem(404, "Invalid message ID", "invalid_message_id")
    api.get(f"/messages/{2**63 - 1}").problem(404, "Invalid message ID", "invalid_message_id")
