import sys
from pathlib import Path

import pytest

# The helpers are in this directory, which pytest's importlib mode does not put on the path.
sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("chat", "listeners")

from chat import Chat
from listeners import Audience
from stack import Stack


@pytest.fixture(scope="session")
def stack():
    with Stack() as shared:
        yield shared


@pytest.fixture
def listen(chat):
    """Opens a socket that receives nothing of earlier changes."""
    with Audience() as audience:

        def listen(*args, **more):
            chat.settle()
            return audience.listen(*args, **more)

        yield listen


@pytest.fixture
def chat(stack):
    return Chat(stack)


@pytest.fixture(params=sorted(Audience.KINDS))
def kind(request):
    """Both kinds of subscription: rules about pushes hold for both."""
    return request.param
