"""Compares the lists that the server returns with the database's tables, computed the slow way."""
import random

from api import unseen


def pages(rest, path, what, cursor, **query):
    """
    Returns all entries of a list, page by page. `cursor`: the parameter, and the member of the last entry that it
    takes.
    """
    found, more = [], True
    while more:
        page = rest.get(path, **query).json
        found += page[what]
        more = page["has_next"]
        assert page[what] or not more, "an empty page with has_next"
        if page[what]:
            query[cursor[0]] = page[what][-1][cursor[1]]
    return found


def audit(truth, rest, usernames, seed):
    """Returns the differences, as sentences. The seed chooses the requests."""
    found = []
    for username in usernames:
        chance = random.Random(f"{seed} audit {username}")
        found += [f"{username}: {what}" for what in _audit_user(truth, rest, username, chance)]
    for conversation in truth.conversations:
        chance = random.Random(f"{seed} audit {conversation}")
        found += [f"conversation {conversation}: {what}"
                  for what in _audit_conversation(truth, rest, conversation, chance)]
    return found


def _audit_user(truth, rest, username, chance):
    listed = pages(rest, "/conversations/", "conversations", ("updated_before", "updated_at"), username=username,
                   limit=chance.choice((2, 7, 1000)))
    expected = _latest_first(truth.entry(username, each) for each in truth.present(username))
    yield from _unequal("the list", expected, listed)
    for time in (time - chance.randrange(2) for time in chance.sample(truth.times(), 6)):
        since = pages(rest, "/conversations/", "conversations", ("updated_before", "updated_at"), username=username,
                      updated_after=time, limit=chance.choice((2, 7, 1000)))
        yield from _unequal(f"the list after {time}", _active_since(truth, username, time), since)
    expected = [truth.message(row, username) for conversation in truth.stays
                for row in truth.received(username, conversation)]
    received = pages(rest, "/messages/", "messages", ("after", "timestamp"), username=username,
                     limit=chance.choice((20, 300, 1000)))
    yield from _unequal("the messages received", sorted(expected, key=lambda message: message["id"]), received)


def _active_since(truth, username, time):
    entries = []
    for conversation, stays in truth.stays.items():
        if username not in stays:
            continue
        row, last = truth.conversations[conversation], stays[username][-1]
        moved_at = truth.markers[conversation].get(username, {"moved_at": 0})["moved_at"]
        if last["left_at"] is None and (row["updated_at"] > time or moved_at > time):
            entries.append(truth.entry(username, conversation))
        elif last["left_at"] is not None and last["left_at"] > time:
            entries.append({"id": conversation, "type": row["type"], "left": True, "updated_at": last["left_at"],
                            "version": last["left_version"], "last_seq": last["left_seq"]})
    return _latest_first(entries)


def _latest_first(entries):
    return sorted(entries, key=lambda entry: (-entry["updated_at"], -entry["id"]))


def _audit_conversation(truth, rest, conversation, chance):
    messages = [truth.message(row) for row in truth.messages[conversation]]
    limit = chance.choice((7, 100))
    forward = pages(rest, "/messages/", "messages", ("after_seq", "seq"), conversation_id=conversation, after_seq=0,
                    limit=limit)
    yield from _unequal("the messages by seq", messages, forward)
    listed = pages(rest, f"/conversations/{conversation}/members", "members", ("after", "username"), limit=limit)
    yield from _unequal("the members", truth.roles(conversation), listed)
    version = truth.conversations[conversation]["version"]
    after = chance.randrange(version)
    yield from _unequal(f"the changes after {after}", _changes(truth, conversation, after),
                        _all_changes(rest, conversation, after, limit, version))


def _changes(truth, conversation, after):
    messages = sorted((row["changed_version"] or row["created_version"], truth.message(row))
                      for row in truth.messages[conversation]
                      if (row["changed_version"] or row["created_version"]) > after)
    standings = [(stays[-1]["version"], username, stays[-1]) for username, stays in truth.stays[conversation].items()]
    small = truth.is_small(conversation)
    # The first members of a large group are not among its changes; a list of members is compared
    # separately.
    told_after = after if small else max(after, 1)
    members = sorted(standing for standing in standings if standing[0] > told_after)
    return ([message for _, message in messages]
            + [{"username": username, "role": stay["role"]} | ({} if stay["left_at"] is None else {"left": True})
               for _, username, stay in members]
            + ([truth.read(conversation)] if small else []) + [truth.conversation(conversation)])


def _all_changes(rest, conversation, after, limit, version):
    messages, members, more, page = [], [], True, None
    while more:
        page = rest.get(f"/conversations/{conversation}/changes", after=after, limit=limit).json
        assert page["version"] > after and page["version"] <= version, page
        messages += page["messages"]
        members += page["members"]
        after, more = page["version"], page["has_next"]
    assert after == version, page
    return messages + members + [page[what] for what in ("read", "conversation") if what in page]


def _unequal(what, expected, found):
    if len(expected) != len(found):
        yield f"{what} has {len(found)} entries, not {len(expected)}"
    # `mine` is left to other tests.
    for number, (one, other) in enumerate(zip(expected, unseen(found))):
        if one != other:
            yield f"{what}, entry {number}: is {other}, not {one}"
            return
