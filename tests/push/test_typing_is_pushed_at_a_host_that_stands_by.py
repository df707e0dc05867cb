"""
Hosts that share a database of PostgreSQL publish its changes one at a time. Typing is stored nowhere, so each host pushes
what it is told, also while another one publishes the changes.
"""
import contextlib

import database
from chat import Chat
from stack import Stack, wait_until


def test_typing_is_pushed_with_the_epoch_at_both_hosts(listen):
    with contextlib.ExitStack() as closing:
        shared = database.Postgresql()
        closing.callback(shared.remove)
        hosts = [closing.enter_context(Stack(database=shared)) for _ in range(2)]
        assert "event=relay_stands_by" in hosts[1].log()
        chats = [Chat(host) for host in hosts]
        conversation = chats[0].group("ann", "bob")
        epoch = chats[0].ask("GET", "/conversations/?username=ann").json()["epoch"]
        for host, chat in zip(hosts, chats):
            # nchan of each host has sockets of its own, because there is no Redis.
            socket = listen(host, "bob")
            chat.ask("POST", f"/conversations/{conversation['id']}/typing", json={"username": "ann"})
            socket.wait(lambda: any(event["event"] == "typing" for event in socket.events), "typing")
            assert {frame["epoch"] for frame in socket.frames} == {epoch}
