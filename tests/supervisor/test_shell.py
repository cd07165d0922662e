"""What the shell makes of a pool that does not fit a message."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from supervisor import channel
from supervisor.children import Child, Kind
from supervisor.messages import ListState, PoolState, Role, TaskList
from supervisor.settings import Settings
from supervisor.shell import Shell


def shown(*lists: ListState) -> object:
    """What an attendant is told of a pool of these lists, with one task in hand."""
    core: Any = SimpleNamespace(pool=lambda: lists)
    shell = Shell(core, Settings(flow="shop", once=True))
    (starter, told), (worker, other) = channel.pair(), channel.pair()
    shell._children.add(Child(Kind.ATTENDANT, "starter", starter, 1))
    shell._children.add(Child(Kind.WORKER, 1, worker, 2, working=True))
    shell._show_pool()
    message = told.hear()
    for each in (starter, told, worker, other):
        each.close()
    return message


def test_of_a_pool_too_large_to_be_shown_the_tasks_in_hand_are_told() -> None:
    """And the supervisor goes on: a picture is worth less than it."""
    one = ListState(TaskList("shop_resize", Role.ACTIVITY), 1, 1, 0)
    assert shown(one) == PoolState((one,), in_hand=1)
    assert shown(*[one] * 5_000) == PoolState((), in_hand=1)
