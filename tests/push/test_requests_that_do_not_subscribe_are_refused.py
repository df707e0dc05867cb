"""
A subscription asks for a WebSocket upgrade or for an event stream. Any other request would wait forever, so it is
refused.
"""
import pytest

from chat import name
from handshake import UPGRADE, request


@pytest.mark.parametrize("path", ["/ws/", "/ws"])
@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}, {"Upgrade": "h2c"},
                                     {"Connection": "Upgrade", "Upgrade": "h2c"}],
                         ids=["bare", "any", "json", "upgrade alone", "other upgrade"])
def test_a_plain_get_is_refused(stack, headers, path):
    answer = request(stack, f"{path}?username={name('ann')}", headers)
    assert 400 <= answer.status < 500
    answer.assert_problem(answer.status)


def test_a_plain_head_is_refused(stack):
    assert 400 <= request(stack, f"/ws/?username={name('ann')}", method="HEAD").status < 500


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("headers", [{}, UPGRADE], ids=["plain", "upgrade"])
def test_a_wrong_method_is_refused(stack, headers, method):
    answer = request(stack, f"/ws/?username={name('ann')}", {**headers, "Content-Length": "0"}, method=method)
    answer.assert_problem(405)
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("version", ["", "12", "99999999999999999999", "x"])
def test_a_handshake_of_another_version_is_refused(stack, version):
    answer = request(stack, f"/ws/?username={name('ann')}", {**UPGRADE, "Sec-WebSocket-Version": version})
    assert 400 <= answer.status < 500
    answer.assert_problem(answer.status)


def test_a_handshake_without_a_key_is_refused(stack):
    headers = {key: value for key, value in UPGRADE.items() if key != "Sec-WebSocket-Key"}
    answer = request(stack, f"/ws/?username={name('ann')}", headers)
    assert 400 <= answer.status < 500
    answer.assert_problem(answer.status)


@pytest.mark.parametrize("path", ["/pub", "/status", "/_sub/ann", "/_sub/", "/ws/ann", "/ws//x", "/%00", "/ws/%00"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_internal_location_is_not_reachable(stack, path, method):
    answer = request(stack, path, {**UPGRADE, "X-Channels": "ann", "Content-Length": "0"}, method=method)
    assert 400 <= answer.status < 500
    answer.assert_problem(answer.status)
