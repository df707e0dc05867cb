"""
test_who_may_call_what.py has the table of permissions. This file checks what its statuses cannot show: the content of
the answers.
"""
from handshake import UPGRADE, request


def test_a_list_by_id_shows_only_own_conversations(verified):
    ann, bob = verified.person("ann"), verified.person("bob")
    mine, both, theirs = ann.group(), ann.group(bob), bob.group()
    unknown = 2 ** 60

    def seen(person, *ids):
        return [found["id"] for found in person.ask("GET", "/conversations", id=list(ids)).ok["conversations"]]

    assert seen(ann, mine, both, theirs, unknown) == [mine, both]
    assert seen(bob, mine, both, theirs, unknown) == [both, theirs]
    assert seen(ann, unknown) == []
    ann.ask("GET", "/conversations", id=[theirs]).problem(403, code="not_a_member")
    assert [found["id"] for found in verified.admin().ask("GET", "/conversations",
                                                          id=[mine, both, theirs]).ok["conversations"]] \
        == [mine, both, theirs]


def test_without_a_name_the_caller_is_meant(verified):
    ann, bob = verified.person("ann"), verified.person("bob")
    group, _ = ann.group(bob), bob.group()
    said = ann.ask("POST", "/messages", {"conversation_id": group, "content": "hi"}).ok
    assert said["sender"] == ann.name
    assert bob.ask("GET", "/messages").ok == bob.ask("GET", "/messages", username=bob.name).ok
    assert bob.ask("GET", "/conversations").ok == bob.ask("GET", "/conversations", username=bob.name).ok
    marked = bob.ask("PUT", f"/conversations/{group}/read", {"seq": 1}).ok
    assert marked == {"read_seq": 1, "unread": 0} and ann.changes(group)["read"] == {bob.name: 1}
    assert bob.ask("PUT", f"/messages/{said['id']}/reactions/x").ok["reactions"]["x"]["names"] == [bob.name]
    bob.ask("DELETE", f"/messages/{said['id']}").problem(403, code="not_the_sender")
    assert "deleted_at" in ann.ask("DELETE", f"/messages/{said['id']}").ok
    bob.ask("POST", f"/conversations/{group}/leave", {}).ok
    assert ann.conversation(group)["members"] == [ann.name]


def test_an_empty_name_never_means_another_user(verified):
    ann = verified.person("ann")
    group = ann.group()
    for answer in (ann.ask("GET", "/messages?username="), ann.ask("GET", "/conversations?username="),
                   ann.ask("POST", "/messages", {"conversation_id": group, "content": "x", "username": ""}),
                   ann.ask("POST", "/messages", {"conversation_id": group, "content": "x", "username": None}),
                   ann.ask("POST", "/messages", {"conversation_id": group, "content": "x", "username": 7}),
                   ann.ask("POST", "/messages", {"conversation_id": group, "content": "x",
                                                 "username": ann.name.upper()}),
                   ann.ask("POST", "/messages", {"conversation_id": group, "content": "x",
                                                 "username": ann.name + " "})):
        assert answer.status in (200, 400, 403), answer
        if answer.status == 200 and "sender" in answer.json:
            assert answer.json["sender"] == ann.name
    # Names that differ in case are different users.
    ann.ask("GET", "/messages", username=ann.name.upper()).problem(403, code="not_yourself")


def test_an_idempotency_key_belongs_to_its_sender(verified):
    ann, bob = verified.person("ann"), verified.person("bob")
    group = ann.group(bob)
    body = {"conversation_id": group, "content": "hi", "client_id": "the-same"}
    first, second = ann.ask("POST", "/messages", body).ok, bob.ask("POST", "/messages", body).ok
    assert first["id"] != second["id"] and (first["sender"], second["sender"]) == (ann.name, bob.name)
    assert ann.ask("POST", "/messages", body).ok["id"] == first["id"]


def test_a_former_member_reads_what_they_received_and_no_more(verified):
    ann, bob = verified.person("ann"), verified.person("bob")
    group = ann.group(bob)
    kept = ann.say(group, "kept").ok["id"]
    bob.leave(group).ok
    ann.say(group, "hidden").ok
    assert [message["content"] for message in bob.received()] == ["kept"]
    bob.ask("GET", f"/messages/{kept}").problem(403, code="not_a_member")
    # With a user name, the conversation is ignored: the answer is the same.
    assert [message["content"] for message in bob.received(conversation_id=group)] == ["kept"]


def test_a_reply_reveals_nothing_of_other_conversations(verified):
    ann, bob = verified.person("ann"), verified.person("bob")
    secret = ann.say(ann.group()).ok["id"]
    bob.ask("POST", "/messages", {"conversation_id": bob.group(), "content": "x", "reply_to": secret}).problem(400)


def test_a_socket_receives_only_own_conversations(verified, listen):
    ann, bob = verified.person("ann"), verified.person("bob")
    mine, theirs = ann.group(), bob.group()
    ear = listen(ann)
    bob.say(theirs, "secret").ok
    ann.say(mine, "the fence").ok
    ear.wait_for(mine, 1)
    assert ear.about(theirs) == []
    for name in (bob.name, f"{bob.name}%00", f"{bob.name}/", f"../{bob.name}", f"{ann.name},{bob.name}",
                 f"{ann.name}/{bob.name}"):
        answer = request(verified.door, f"/ws?username={name}", {**UPGRADE, **ann.headers})
        assert answer.status in (400, 403), (name, answer.status)
    assert request(verified.door, f"/ws?username={ann.name}&username={bob.name}",
                   {**UPGRADE, **ann.headers}).status == 400
