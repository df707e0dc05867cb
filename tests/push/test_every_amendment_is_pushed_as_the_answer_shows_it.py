from api import plain
from chat import name, versions


def amend(chat, method, path, status=200, **more):
    answer = chat.ask(method, path, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_edits_reactions_and_deletions_are_pushed_as_answered(chat, listen, kind, stack):
    ann, bob = name("ann"), name("bob")
    conversation = chat.group(ann, bob)
    ear = listen(stack, bob, kind)
    sent = chat.send(conversation, ann, "first")
    path = f"/messages/{sent['id']}"
    thumb = f"{path}/reactions/%F0%9F%91%8D"

    def reacted(method, who):
        return lambda: amend(chat, method, f"{thumb}?username={who}")

    steps = [
        ("message.created", lambda: sent, {}),
        ("message.updated", lambda: amend(chat, "PATCH", path, json={"username": ann, "content": "sécond"}), {}),
        ("message.updated", reacted("PUT", bob), {"username": bob, "emoji": "👍", "added": True}),
        ("message.updated", reacted("PUT", ann), {"username": ann, "emoji": "👍", "added": True}),
        ("message.updated", reacted("DELETE", ann), {"username": ann, "emoji": "👍", "added": False}),
        ("message.updated", lambda: amend(chat, "DELETE", f"{thumb}?username={ann}&all=true"),
         {"emoji": "👍", "added": False}),
        ("message.deleted", lambda: amend(chat, "DELETE", f"{path}?username={ann}"), {}),
    ]
    for version, (event, act, more) in enumerate(steps, 2):
        answer = act()
        heard = ear.wait_for(conversation["id"], version - 1)[-1]
        assert plain(heard["message"]) == plain(answer)
        assert not any("mine" in shown for shown in heard["message"].get("reactions", {}).values())
        assert heard == {"event": event, "conversation": conversation["id"], "version": version,
                         "message": heard["message"], **more}
    assert versions(ear.about(conversation["id"])) == [2, 3, 4, 5, 6, 7, 8]


def test_a_pushed_message_has_its_client_id(chat, listen, kind, stack):
    """The key lets the sender's own windows recognise a message that they show already."""
    ann, bob = name("ann"), name("bob")
    conversation = chat.group(ann, bob)
    ear = listen(stack, ann, kind)
    first = chat.send(conversation, bob, "what?")
    body = {"conversation_id": conversation["id"], "username": ann, "content": "this", "client_id": "window 1 / 7",
            "reply_to": first["id"]}
    sent = amend(chat, "POST", "/messages", json=body)
    amend(chat, "POST", "/messages", json=body)
    chat.fence(ear, ann)
    events = ear.about(conversation["id"])
    assert [event["message"] for event in events] == [first, sent]
    assert sent["client_id"] == "window 1 / 7" and sent["reply_to"] == first["id"]


def test_a_title_is_pushed_as_answered(chat, listen, kind, stack):
    ann, bob, eve = name("ann"), name("bob"), name("eve")
    conversation = chat.group(ann, bob)
    chat.group(eve)
    ears = [listen(stack, user, kind) for user in (ann, bob)]
    stranger = listen(stack, eve, kind)
    named = amend(chat, "PATCH", f"/conversations/{conversation['id']}", json={"username": bob, "title": "Tea & \"Σ\""})
    for ear in ears:
        [event] = ear.wait_for(conversation["id"], 1)
        assert event == {"event": "conversation.updated", "conversation": conversation["id"], "version": 2,
                         "object": named}
    chat.fence(stranger, eve)
    assert not stranger.about(conversation["id"])


def test_repeats_are_not_pushed(chat, listen, kind, stack):
    ann, bob = name("ann"), name("bob")
    conversation = chat.group(ann, bob)
    sent = chat.send(conversation, ann, "same")
    gone = chat.send(conversation, ann, "gone")
    path = f"/messages/{sent['id']}"
    amend(chat, "PUT", f"{path}/reactions/x?username={bob}")
    amend(chat, "DELETE", f"/messages/{gone['id']}?username={ann}")
    amend(chat, "PATCH", f"/conversations/{conversation['id']}", json={"username": ann, "title": "T"})
    amend(chat, "PUT", f"/conversations/{conversation['id']}/read", json={"username": bob, "seq": 2})
    ear = listen(stack, bob, kind)
    amend(chat, "PATCH", path, json={"username": ann, "content": "same"})
    amend(chat, "PUT", f"{path}/reactions/x?username={bob}")
    amend(chat, "DELETE", f"{path}/reactions/y?username={bob}")
    amend(chat, "DELETE", f"/messages/{gone['id']}?username={ann}")
    amend(chat, "PATCH", f"/conversations/{conversation['id']}", json={"username": ann, "title": "T"})
    amend(chat, "PUT", f"/conversations/{conversation['id']}/read", json={"username": bob, "seq": 1})
    amend(chat, "PATCH", path, 403, json={"username": bob, "content": "mine"})
    chat.fence(ear, bob)
    assert not ear.about(conversation["id"])


def test_deleted_content_is_in_no_push(chat, listen, stack):
    """Pushes that wait while nginx is down show the present state, so not the content that was deleted meanwhile."""
    ann, bob = name("ann"), name("bob")
    conversation = chat.group(ann, bob)
    ear = listen(stack, bob)
    sent = [chat.send(conversation, ann, f"secret {n}") for n in range(50)]
    for message in sent:
        amend(chat, "DELETE", f"/messages/{message['id']}?username={ann}")
    chat.fence(ear, bob)
    deleted = [event for event in ear.about(conversation["id"]) if event["event"] == "message.deleted"]
    assert [event["message"]["content"] for event in deleted] == [""] * 50
    assert all("deleted_at" in event["message"] for event in deleted)
