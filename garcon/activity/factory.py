"""``create``: binds a domain and a flow's name once; what it returns makes the flow's activities.

Both call forms are in production: the documented one begins with the domain's name, that of
garcon 1.1.1 with an SWF client (or ``None``). The first argument shows which it is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Required, TypedDict, Unpack, overload

from garcon import runner
from garcon.activity.activity import Activity
from garcon.activity.external_activity import ExternalActivity
from garcon.aws.poller import ErrorHandler
from garcon.errors import InvalidFlow
from garcon.flow import argument_checks
from garcon.retry import Retry

Generator = Callable[[Any], Iterable[Mapping[str, Any]]]
"""Takes the execution's context, and gives one dictionary for each instance of the activity."""

Work = runner.BaseRunner | Callable[..., Any] | Sequence[Callable[..., Any]]
"""A runner; or a task, or several, which ``Sync`` then runs one after the other."""


class ActivityOptions(TypedDict, total=False):
    """Options of the function that ``create`` returns.

    Attributes:
        name: Name of the activity, unique in the flow.
        run: Its runner, or its tasks.
        tasks: Older name of ``run``.
        requires: Activities that must have completed before.
        retry: Number of retries, or a ``Retry``.
        generators: Functions of the context; each dictionary they give is an instance. Of several
            generators, every combination is an instance.
        generator: Older name of ``generators``.
        schedule_to_start: Seconds that an instance may wait for a free worker; 600 if not given.
        on_exception: Called with the activity and the error; wins over that of ``create``.
        restartable: Whether the death of a worker costs no retry.
        priority: On the task list, higher first; 0 if not given.
    """

    name: Required[str]
    run: Work | None
    tasks: Work | None
    requires: Sequence[Activity] | None
    retry: int | Retry | None
    generators: Sequence[Generator] | None
    generator: Sequence[Generator] | None
    schedule_to_start: float | None
    on_exception: ErrorHandler | None
    restartable: bool | None
    priority: int | None


@dataclass(frozen=True)
class ActivityFactory:
    """Makes the activities of one flow; ``create`` returns it.

    Attributes:
        client: The flow's own SWF client, if it has one.
        domain: The SWF domain.
        name: The flow's name.
        version: The ``version`` of the activities; their types have the flow's, as in 1.1.1.
        on_exception: The handler of activities that have none of their own.
    """

    client: Any
    domain: str
    name: str
    version: str
    on_exception: ErrorHandler | None

    @overload
    def __call__(
        self,
        *,
        external: Literal[True],
        timeout: float,
        heartbeat: float | None = None,
        needs: Iterable[str] | None = None,
        **options: Unpack[ActivityOptions],
    ) -> ExternalActivity: ...

    @overload
    def __call__(
        self, *, external: Literal[False] = False, **options: Unpack[ActivityOptions]
    ) -> Activity: ...

    def __call__(self, **options: Any) -> Activity:
        """Make an activity.

        Its type and its task list are ``{flow name}_{activity name}``.

        Args:
            options: See ``ActivityOptions``. ``external=True`` makes one that another program
                executes, within ``timeout`` seconds and with a heartbeat every ``heartbeat``
                seconds (the timeout if not given). It gets the keys ``needs`` of the context, or
                all of it.

        Raises:
            garcon.errors.InvalidFlow: The activity has no name, or a number is out of its range.
        """
        name = options.get("name")
        if not isinstance(name, str) or not name:
            raise InvalidFlow(f"An activity of the flow {self.name} needs name=, not {name!r}.")
        full_name = f"{self.name}_{name}"
        for option in ("timeout", "heartbeat"):
            where = f"The activity {full_name}: {option}="
            argument_checks.check_seconds(options.get(option), where)
        made = self._external(options) if options.get("external") else Activity(self.client)
        made.hydrate(
            {
                "on_exception": self.on_exception,
                **{option: value for option, value in options.items() if value is not None},
                "domain": self.domain,
                "version": self.version,
                "name": full_name,
                "task_list": full_name,
            }
        )
        return made

    def _external(self, options: dict[str, Any]) -> ExternalActivity:
        timeout, heartbeat = options.get("timeout"), options.get("heartbeat")
        return ExternalActivity(timeout, heartbeat, self.client, options.get("needs"))


@overload
def create(
    domain: str, name: str, version: str = "1.0", on_exception: ErrorHandler | None = None
) -> ActivityFactory: ...


@overload
def create(
    client: Any,
    domain: str,
    workflow_name: str,
    version: str = "1.0",
    on_exception: ErrorHandler | None = None,
) -> ActivityFactory: ...


@overload
def create(domain: str) -> ActivityFactory: ...


def create(*args: Any, **kwargs: Any) -> ActivityFactory:
    """Bind what the activities of a flow have in common.

    Args:
        args: ``(domain, name)`` or ``(client, domain, workflow_name)``, then version and
            on_exception. A domain alone, as in the reference's first example, is the name too.
        kwargs: The same, by name.

    Returns:
        A callable that makes an activity from its options, see ``ActivityFactory``.
    """
    documented = isinstance(args[0], str) if args else "client" not in kwargs
    name, other = ("name", "workflow_name") if documented else ("workflow_name", "name")
    named = {name if option == other else option: value for option, value in kwargs.items()}
    return _documented(*args, **named) if documented else _of_1_1_1(*args, **named)


def _documented(
    domain: str,
    name: str | None = None,
    version: str = "1.0",
    on_exception: ErrorHandler | None = None,
) -> ActivityFactory:
    return ActivityFactory(None, domain, name or domain, version, on_exception)


def _of_1_1_1(
    client: Any,
    domain: str,
    workflow_name: str,
    version: str = "1.0",
    on_exception: ErrorHandler | None = None,
) -> ActivityFactory:
    return ActivityFactory(client, domain, workflow_name, version, on_exception)


# Python names them when an argument is wrong.
_documented.__qualname__ = _of_1_1_1.__qualname__ = "create"
