from api import Client
from handshake import UPGRADE, request
from sites import Host, bearer, jwt_stack
from tokens import Hs256

LISTED = "https://pages.example"


def test_tokens_and_cookies_authenticate_under_a_prefix():
    key = Hs256("tests")
    stack = jwt_stack(key)
    host = Host(stack, f'set $imd_prefix /chat; set $imd_origins "{LISTED}";')
    host.prefix, host.url = "/chat", f"{host.url}/chat"
    mine = bearer(key.token("ann"))
    with stack, Client(host) as client:
        client.get("/conversations").problem(401, code="missing_credentials")
        client.request("GET", "/conversations?username=ann", None, mine).ok
        client.request("GET", "/conversations?username=bob", None, mine).problem(403, code="not_yourself")
        preflight = client.request("OPTIONS", "/messages", None, {"Origin": LISTED})
        assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (204, LISTED)
        for target, headers, status in (("/ws", mine, 101), (f"/ws?token={key.token('ann')}", {}, 101),
                                        ("/ws", {}, 401),
                                        ("/ws", {"Cookie": f"imd_token={key.token('ann')}"}, 101),
                                        ("/ws?username=bob", mine, 403), ("/ws", {**mine, "Origin": LISTED}, 101),
                                        ("/ws", {**mine, "Origin": "https://evil.example"}, 403)):
            assert request(host, target, {**UPGRADE, **headers}).status == status, (target, headers)
