"""GET /conversations/{id}/members lists the present members with their roles, in byte order, page by page."""
import pytest

from api import new_name

LARGE = 250


@pytest.fixture(scope="module")
def names():
    """In byte order, upper case comes before the underscore, and the underscore before lower case."""
    return sorted([new_name("m") for _ in range(LARGE - 4)] + [new_name(stem) for stem in ("M", "_", "0", "z")])


@pytest.fixture
def group(api, names):
    return api.group(*names)


def listed(api, group, **query):
    page = api.get(f"/conversations/{group}/members", **query).ok
    assert set(page) == {"members", "member_count", "has_next"}
    return page


def test_members_of_a_large_group_are_listed_to_the_end(api, names, group):
    for limit in (1, 7, LARGE - 1, LARGE, LARGE + 1, 1000):
        assert api.members(group, limit=limit) == [{"username": name, "role": "member"} for name in names]
    assert listed(api, group, limit=LARGE)["has_next"] is False
    assert listed(api, group, limit=LARGE - 1)["has_next"] is True


def test_the_default_limit_is_100(api, names, group):
    page = listed(api, group)
    assert ([member["username"] for member in page["members"]], page["has_next"]) == (names[:100], True)
    assert page["member_count"] == LARGE


def test_a_page_begins_after_any_name(api, names, group):
    absent = names[10] + "x"
    for after in (names[10], absent):
        page = listed(api, group, after=after, limit=3)
        expected = [name for name in names if name > after][:3]
        assert [member["username"] for member in page["members"]] == expected
    assert listed(api, group, after=names[-1]) == {"members": [], "member_count": LARGE, "has_next": False}
    assert listed(api, group, after="")["members"][0]["username"] == names[0]


def test_former_members_are_not_listed_and_returned_ones_are(api, names, group):
    api.leave(group, names[3])
    assert [member["username"] for member in api.members(group, limit=2)] == names[:3] + names[4:]
    api.join(group, names[3])
    assert [member["username"] for member in api.members(group)] == names


def test_roles_are_listed(api):
    owner, admin, member = sorted(new_name() for _ in range(3))
    group = api.post("/conversations/", {"type": "group_chat", "members": [admin, member], "username": owner}).ok["id"]
    api.write("PUT", f"/conversations/{group}/members/{admin}", {"username": owner, "role": "admin"}).ok
    assert api.members(group) == [{"username": owner, "role": "owner"}, {"username": admin, "role": "admin"},
                                  {"username": member, "role": "member"}]


def test_a_private_chat_lists_both_members(api):
    pair = sorted(new_name() for _ in range(2))
    assert [member["username"] for member in api.members(api.private(*pair))] == pair


def test_an_empty_group_has_an_empty_list(api):
    assert listed(api, api.group()) == {"members": [], "member_count": 0, "has_next": False}


@pytest.mark.parametrize("query, code, field", [
    ({"after": "no name"}, "invalid_after", "after"), ({"after": "x" * 21}, "invalid_after", "after"),
    ({"after": ["a", "b"]}, "duplicate_parameter", "after"), ({"limit": 0}, "invalid_limit", "limit"),
    ({"limit": "x"}, "invalid_limit", "limit"), ({"limit": [1, 2]}, "duplicate_parameter", "limit")])
def test_a_wrong_parameter_is_named(api, group, nothing_changes, query, code, field):
    api.get(f"/conversations/{group}/members", **query).problem(400, code=code, field=field)


@pytest.mark.parametrize("number", ["0", "4294967297", "9" * 18])
def test_an_unknown_conversation_is_not_found(api, nothing_changes, number):
    api.get(f"/conversations/{number}/members").problem(404)
