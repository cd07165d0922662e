"""A simulated sidecar of a world: the endpoint, the starter, retired code, or another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.ipc import messages
from tests.supervisor.simulation.simulated_processes import MOMENT

if TYPE_CHECKING:
    from tests.supervisor.simulation.scenarios import SidecarPlan
    from tests.supervisor.simulation.world import World


class Sidecar:
    """One sidecar; a dead one sends nothing."""

    def __init__(self, world: World, name: str, worker_plan: SidecarPlan) -> None:
        self._world = world
        self._name = name
        self._plan = worker_plan
        self._alive = True
        self.kept: set[str] = set()  # tokens of tasks that were handed out
        world.later(worker_plan.ready, self._be_ready)
        world.later(
            worker_plan.ready + worker_plan.lost_after, lambda: self.die(worker_plan.status)
        )

        world.later(worker_plan.ready + worker_plan.unused_after, self._end_unused)

    def _be_ready(self) -> None:
        endpoint = "http://127.0.0.1:1" if self._name == "local_endpoint" else ""
        if self._alive:
            self._world.send(messages.SidecarReady(self._name, endpoint, self._plan.build))
        self._world.later(self._plan.closes, self._close)

    def _close(self) -> None:
        if self._alive and self._name == "starter":
            self._world.send(messages.AllClosed(self._plan.completed))
            self._world.later(MOMENT, lambda: self.die(0))

    def _end_unused(self) -> None:
        """Retired code says that its build was unused for a day, and drains."""
        if self._alive:
            self._world.send(messages.SidecarUnneeded(self._name, 86_400.0))
            self._world.later(
                MOMENT + self._plan.drains, lambda: self.die(int(self._plan.abandons))
            )

    def keep(self, tasks: tuple[messages.HandedOutTask, ...]) -> None:
        """Keep the tasks as the heartbeats sidecar does."""
        if self._alive:
            assert not self.kept & {each.task.token for each in tasks}, "a task is sent twice"
            self.kept |= {each.task.token for each in tasks}
            self._world.later(MOMENT, self._take)

    def _take(self) -> None:
        if self._alive:
            self._world.send(messages.TasksTaken())

    def stop(self, *, now: bool = False) -> None:
        if now and self._plan.hurries:
            self.die(1)
        elif self._plan.obeys:
            self._world.later(self._plan.drains, lambda: self.die(int(self._plan.abandons)))

    def die(self, status: int) -> None:
        if self._alive:
            self._alive = False
            self._world.die(messages.SidecarLost(self._name, status))
