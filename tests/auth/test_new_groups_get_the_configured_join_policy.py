"""
Ids of groups are easily guessed, and a user who joins an open group can read all of it. So, where callers are
authenticated, a group that is created without a join policy only takes users whom a member adds.
"""
import pytest

from api import Client
from sites import bearer, jwt_stack
from stack import Stack
from tokens import Hs256

DEFAULT = {"none": "open", "proxy": "invite", "jwt": "invite"}


def test_each_mode_has_its_default_policy(any_site):
    owner, eve = any_site.person("owner"), any_site.person("eve")
    group = owner.create().ok
    assert group["join"] == DEFAULT[any_site.mode]
    if DEFAULT[any_site.mode] == "invite":
        with any_site.nothing_changes():
            eve.join(group["id"]).problem(403, code="invite_only")
    else:
        eve.join(group["id"]).ok


@pytest.mark.parametrize("join", ["open", "invite"])
def test_a_creator_can_choose_either_policy(any_site, join):
    assert any_site.person("owner").create(join=join).ok["join"] == join


def test_a_null_policy_counts_as_absent(any_site):
    assert any_site.person("owner").create(join=None).ok["join"] == DEFAULT[any_site.mode]


def test_a_private_chat_has_no_policy(any_site):
    one, two = any_site.person("one"), any_site.person("two")
    assert "join" not in one.create(two, kind="private_chat").ok


@pytest.mark.parametrize("join", ["open", "invite"])
def test_the_setting_applies_in_every_mode(join):
    key = Hs256()
    with jwt_stack(key, imd_flags=[f"--default-join={join}"]) as stack, Client(stack, bearer(key.token("ann"))) as ann:
        assert ann.create("group_chat", "ann")["join"] == join
    with Stack(imd_flags=[f"--default-join={join}"]) as stack, Client(stack) as api:
        assert api.create("group_chat", "ann")["join"] == join


def test_existing_groups_keep_their_policy():
    with Stack(imd_flags=["--default-join=open"]) as stack:
        with Client(stack) as api:
            group = api.group("ann")
        stack.stop()
        stack.set_imd_flags("--default-join=invite")
        stack.start()
        with Client(stack) as api:
            assert api.conversation(group)["join"] == "open"
            assert api.create("group_chat", "ann")["join"] == "invite"
