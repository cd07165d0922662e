"""``create``: binds a domain and a flow's name once, and then makes the flow's activities.

Both call forms are in production: the documented one begins with the domain's name, the released
one with an SWF client (or ``None``). What comes first tells them apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

from garcon import figures
from garcon.activity.base import Activity, ExternalActivity
from garcon.actor import ErrorHandler
from garcon.errors import InvalidFlow

Creator = Callable[..., Activity]


@overload
def create(
    domain: str, name: str, version: str = "1.0", on_exception: ErrorHandler | None = None
) -> Creator: ...


@overload
def create(
    client: Any,
    domain: str,
    workflow_name: str,
    version: str = "1.0",
    on_exception: ErrorHandler | None = None,
) -> Creator: ...


@overload
def create(domain: str) -> Creator: ...


def create(*args: Any, **kwargs: Any) -> Creator:
    """Bind what a flow's activities have in common.

    Args:
        args: ``(domain, name)``, or ``(client, domain, workflow_name)``, then version and
            on_exception. With the domain alone, as in the reference's first example, it is the name
            too.
        kwargs: The same, by name.

    Returns:
        A function that makes an activity from its options (see ``Activity.hydrate``), and with
        ``external=True`` one that another program handles (``timeout``, ``heartbeat`` in seconds).
        The activity's type and task list are ``{flow name}_{activity name}``. It raises
        ``garcon.errors.InvalidFlow`` for an activity without a name, or with figures that are none.
    """
    documented = isinstance(args[0], str) if args else not kwargs.keys() & _RELEASED
    common = _documented(*args, **kwargs) if documented else _released(*args, **kwargs)
    return common.activity


_RELEASED = frozenset({"client", "workflow_name"})


@dataclass(frozen=True)
class _Common:
    client: Any
    domain: str
    name: str
    version: str
    on_exception: ErrorHandler | None

    def activity(self, **options: Any) -> Activity:
        """Make an activity of the flow; see ``create``."""
        name = options.get("name")
        if not isinstance(name, str) or not name:
            raise InvalidFlow(f"An activity of the flow {self.name} needs name=, not {name!r}.")
        full_name = f"{self.name}_{name}"
        for each in ("timeout", "heartbeat"):
            figures.check_seconds(options.get(each), f"The activity {full_name}: {each}=")
        made = self._external(options) if options.get("external") else Activity(self.client)
        made.hydrate(
            {
                "domain": self.domain,
                "version": self.version,
                "on_exception": self.on_exception,
                **{key: value for key, value in options.items() if value is not None},
                "name": full_name,
                "task_list": full_name,
            }
        )
        return made

    def _external(self, options: dict[str, Any]) -> ExternalActivity:
        return ExternalActivity(options.get("timeout"), options.get("heartbeat"), self.client)


def _documented(
    domain: str,
    name: str | None = None,
    version: str = "1.0",
    on_exception: ErrorHandler | None = None,
) -> _Common:
    return _Common(None, domain, name or domain, version, on_exception)


def _released(
    client: Any,
    domain: str,
    workflow_name: str,
    version: str = "1.0",
    on_exception: ErrorHandler | None = None,
) -> _Common:
    return _Common(client, domain, workflow_name, version, on_exception)
