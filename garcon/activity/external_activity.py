"""The external activity: scheduled here, executed by another program."""

from collections.abc import Iterable
from typing import Any

from garcon import runner
from garcon.activity.activity import Activity


class ExternalActivity(Activity):
    """An activity that another program executes, in any language.

    Args:
        timeout: Seconds it may last.
        heartbeat: Seconds between two heartbeats; the timeout if not given.
        client: The flow's own SWF client, if it has one.
        needs: Keys of the context that the other program gets; the whole context if not given.

    Raises:
        garcon.errors.InvalidFlow: No timeout, or one that is not a number above 0.
    """

    def __init__(
        self,
        timeout: float | None = None,
        heartbeat: float | None = None,
        client: Any = None,
        needs: Iterable[str] | None = None,
    ) -> None:
        super().__init__(client)
        self.runner = runner.External(timeout=timeout, heartbeat=heartbeat, needs=needs)

    def run(self, identity: str | None = None) -> bool:  # noqa: ARG002 - the activities' interface
        """Do nothing: the other program polls.

        Returns:
            False, so that the loop ends.
        """
        return False
