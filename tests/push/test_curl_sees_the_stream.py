import json
import subprocess

from chat import name


def test_curl_prints_the_event_stream(chat, stack):
    ann, bob = name("ann"), name("bob")
    conversation = chat.private(ann, bob)
    chat.settle()
    curl = subprocess.Popen(["curl", "-sSN", "--max-time", "20", "-D", "/dev/stderr", "-H", "Accept: text/event-stream",
                             f"{stack.url}/ws/?username={ann}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        # The head of the answer shows that the subscription is open.
        head = b"".join(iter(curl.stderr.readline, b"\r\n"))
        assert b" 200 " in head.splitlines()[0] and b"text/event-stream" in head
        sent = chat.send(conversation, bob, "hello, curl")
        line = next(line for line in curl.stdout if line.startswith(b"data:"))
        frame = json.loads(line[5:])
        assert frame["type"] == "notify"
        assert frame["events"] == [{"event": "message.created", "conversation": conversation["id"], "version": 2,
                                    "message": sent}]
    finally:
        curl.kill()
        curl.communicate()
