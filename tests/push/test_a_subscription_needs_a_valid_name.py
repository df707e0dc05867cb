import pytest
import websockets

from handshake import UPGRADE, request

BAD = ["", "?", "?username", "?username=", "?user=ann", "?username=" + "a" * 21, "?username=ann%20", "?username=a+b",
       "?username=a-b", "?username=a,b", "?username=a%2Cb", "?username=ann%0A", "?username=ann%00", "?username=%FF",
       "?username=%C5%BC", "?username=%zz", "?username=../pub", "?username=a/b", "?Username=ann"]


def test_a_real_client_understands_the_refusal(listen, stack):
    """A status line without the blank after its number is not HTTP. This client, unlike others, rejects it."""
    with pytest.raises(websockets.InvalidStatusCode) as refusal:
        listen(stack, "no-name", "websocket")
    assert refusal.value.status_code == 400


@pytest.mark.parametrize("path", ["/ws/", "/ws"])
@pytest.mark.parametrize("query", BAD)
@pytest.mark.parametrize("headers", [UPGRADE, {"Accept": "text/event-stream"}], ids=["websocket", "eventsource"])
def test_an_invalid_name_is_refused(stack, headers, query, path):
    request(stack, path + query, headers).assert_problem(400, field="username")
