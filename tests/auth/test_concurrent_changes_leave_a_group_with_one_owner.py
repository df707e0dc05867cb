import random

from api import Client, at_once


def test_concurrent_role_changes_leave_one_owner(site):
    seed = random.randrange(2 ** 32)
    print("seed", seed)
    chance = random.Random(seed)
    people = [site.person(stem) for stem in ("a", "b", "c", "d", "e")]
    group = people[0].group(*people[1:])
    counts = []
    for _ in range(12):
        answers = at_once([job(site, group, chance, people) for _ in range(6)])
        assert all(status in (200, 403, 409) for status in answers), answers
        page = site.setter.changes(group)
        members = [member for member in page["members"] if not member.get("left")]
        owners = [member["username"] for member in members if member["role"] == "owner"]
        assert len(owners) == (1 if members else 0), (seed, members)
        assert {member["username"] for member in members} == set(page["conversation"]["members"])
        counts.append(answers.count(200))
        bring_back(site, group, people, owners)
    assert sum(counts) > 0


def job(site, group, chance, people):
    """A random command of one of the users about one of them. Most are refused."""
    actor, target = chance.choice(people), chance.choice(people)
    path = f"/conversations/{group}"
    how = chance.choice(["owner", "owner", "admin", "member", "remove", "leave", "join"])
    method, path, body = {
        "remove": ("DELETE", f"{path}/members/{target.name}?username={actor.name}", None),
        "leave": ("POST", f"{path}/leave", {"username": actor.name}),
        "join": ("POST", f"{path}/join", {"username": actor.name}),
    }.get(how, ("PUT", f"{path}/members/{target.name}", {"username": actor.name, "role": how}))

    def do():
        with Client(site.door, actor.headers) as client:
            return (client.write if body else client.request)(method, path, body).status

    return do


def bring_back(site, group, people, owners):
    owner = next((person for person in people if person.name in owners), None)
    for person in people if owner else ():
        owner.add(group, person).ok
