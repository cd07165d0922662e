"""The activity: polls its task list, does its tasks, answers SWF.

Rules:

1. Polling, doing and answering are three steps, so that a supervisor can speak between them;
   ``run`` is all three.
2. ``attempt`` turns whatever the tasks do into an outcome, a value; ``respond`` sends it, and goes
   on until SWF accepts it, says that the task is gone, or the task's own time is over. Work that is
   done is never reported as failed because an answer was throttled.
3. An activity is shared by threads: nothing about the task in hand is kept on it.
4. While the tasks run, SWF hears from a thread beside them that they do (``beating``).
"""

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from garcon import client as clients
from garcon import figures, payload, runner, task, trouble, utils
from garcon.activity.beating import Beats, beating, of_thread
from garcon.activity.execution import ActivityExecution, TaskCanceled, TaskGone
from garcon.activity.instance import ActivityInstance
from garcon.activity.outcome import Canceled, Completed, Failed, Gone, Outcome, failed
from garcon.actor import Actor, ErrorHandler
from garcon.errors import NotADictionary
from garcon.figures import shown
from garcon.identity import identity_of
from garcon.insist import insist
from garcon.throttles import backed_off

if TYPE_CHECKING:
    from garcon.retry import Retry

DEFAULT_ACTIVITY_SCHEDULE_TO_START = 600  # seconds an instance may wait for a free worker
# Seconds that an answer is insisted on at least: the task's time is an estimate, SWF says when the
# task is really gone, and work that is done is worth a minute.
ANSWER_SECONDS = 60

_ALIASES = {"tasks": "run", "generator": "generators", "runner": "run"}
_SETTINGS = frozenset(
    {
        "client",
        "domain",
        "generators",
        "name",
        "on_exception",
        "priority",
        "requires",
        "restartable",
        "retry",
        "schedule_to_start",
        "task_list",
        "version",
    }
)
_OF_EXTERNAL = frozenset({"external", "timeout", "heartbeat"})


class Activity(Actor):
    """An activity of a flow; ``create`` makes them.

    Args:
        client: The flow's own SWF client, if it has one.
        data: Any of the options, see ``hydrate``.
    """

    version = "1.0"
    task_list: str | None = None

    def __init__(self, client: Any = None, **data: Any) -> None:
        super().__init__()
        self.client = client
        self.domain: str | None = None
        self.name: str | None = None
        self.requires: list[Activity] = []
        self.retry: int | Retry = 0
        self.restartable = False
        self.priority: int | None = None
        self.runner: runner.BaseRunner | None = None
        self.generators: list[Callable[..., Any]] = []
        self.schedule_to_start: float = DEFAULT_ACTIVITY_SCHEDULE_TO_START
        self.on_exception: ErrorHandler | None = None
        self.beats: Callable[[], Beats] = of_thread
        self.hydrate(data)

    def hydrate(self, data: Mapping[str, Any] | None) -> None:
        """Take over the options that are given; the others stay.

        Args:
            data: ``name``, ``domain``, ``task_list``, ``version``, ``run`` (or ``tasks``),
                ``requires``, ``retry`` (a number or a ``Retry``), ``generators`` (or
                ``generator``), ``schedule_to_start`` (seconds), ``on_exception``, ``client``;
                ``restartable`` (a worker's death costs no retry), ``priority`` (on the task list,
                higher first, 0 if not given).

        Raises:
            garcon.errors.InvalidFlow: A figure is none.
        """
        options = {_ALIASES.get(key, key): value for key, value in (data or {}).items()}
        if (work := options.pop("run", None)) is not None:
            self.runner = _as_runner(work)
        for key in options.keys() & _SETTINGS:
            if options[key] is not None:
                setattr(self, key, options[key])
        figures.check_retry(self.retry, f"The activity {self.name}: retry=")
        waits = f"The activity {self.name}: schedule_to_start="
        figures.check_seconds(self.schedule_to_start, waits)
        _warn_of(options.keys() - _SETTINGS - _OF_EXTERNAL)

    def instances(self, context: Mapping[str, Any]) -> list[ActivityInstance]:
        """All instances for this context, whatever their state: one, or one for each turn of the
        generators (of several generators, every combination).

        Raises:
            garcon.errors.NotADictionary: A generator gave something else.
        """
        turns = [_merged(turn) for turn in self._turns(context)]
        return [ActivityInstance(self, local, context, pool_size=len(turns)) for local in turns]

    def _turns(self, context: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], ...]]:
        return itertools.product(*(self._asked(each, context) for each in self.generators))

    def _asked(
        self, generator: Callable[..., Any], context: Mapping[str, Any]
    ) -> list[Mapping[str, Any]]:
        found = generator(context)
        what = f"The generator {task.name_of(generator)} of the activity {self.name}"
        if isinstance(found, str | Mapping) or not isinstance(found, Iterable):
            raise NotADictionary(f"{what} gave {shown(found)}; it gives a list of dictionaries.")
        turns = list(found)
        for each in turns:
            if not isinstance(each, Mapping):
                raise NotADictionary(
                    f"{what} gave {shown(each)} among its turns; each is a dictionary."
                )
        return turns

    @backed_off
    def poll_for_activity(self, identity: str | None = None) -> ActivityExecution | None:
        """One long poll, up to a minute (PollForActivityTask); throttles are tried 5 times.

        Args:
            identity: Who polls, for the history; host, process and thread if not given.

        Returns:
            The task, or ``None`` if there was none.

        Raises:
            botocore.exceptions.ClientError: SWF refused the poll.
            botocore.exceptions.BotoCoreError: SWF was not reached.
        """
        return self.poll_once(identity)

    def poll_once(self, identity: str | None = None) -> ActivityExecution | None:
        """As ``poll_for_activity``, but tried once: for a loop that has patience of its own."""
        answer = clients.polling(self.client).poll_for_activity_task(
            domain=str(self.domain),
            taskList={"name": str(self.task_list)},
            identity=identity_of(identity),
        )
        return self._received(answer) if answer.get("taskToken") else None

    def _received(self, answer: Any) -> ActivityExecution:
        where = answer.get("workflowExecution", {})
        execution = ActivityExecution(
            clients.calling(self.client),
            answer.get("activityId"),
            answer["taskToken"],
            answer.get("input"),
            workflow_id=where.get("workflowId"),
            run_id=where.get("runId"),
            activity_name=answer.get("activityType", {}).get("name"),
            started_event_id=answer.get("startedEventId"),
            clock=self.clock,
        )
        self._reckon(execution)
        return execution

    def _reckon(self, execution: ActivityExecution) -> None:
        """Note the timeouts, as the decider reckoned them; a poll's answer does not tell."""
        if not self.runner:
            return
        try:
            execution.start_to_close = self.runner.timeout(execution.context)
            execution.heartbeat_timeout = self.runner.heartbeat(execution.context)
        except Exception:  # the user's task lists run here; `attempt` will meet the error again
            self.logger.debug("No timeouts for %s.", execution.activity_id, exc_info=True)

    def run(self, identity: str | None = None) -> bool:
        """Poll once, and do what came. A poll that fails is logged and rested on.

        Args:
            identity: Who polls, for the history; host, process and thread if not given.

        Returns:
            True, so that ``while activity.run()`` goes on.
        """
        if execution := self.patiently(lambda: self.poll_for_activity(identity)):
            self.perform(execution)
        return True

    def perform(self, execution: ActivityExecution) -> None:
        """Do the tasks and answer SWF."""
        self.respond(execution, self.attempt(execution))

    def attempt(self, execution: ActivityExecution) -> Outcome:
        """Do the tasks; what they raise is logged, reported to ``on_exception`` and an outcome."""
        self.set_log_context(self._place(execution))
        try:
            return Completed(self._result(execution))
        except TaskGone as error:
            self.logger.warning("%s", error)
            return Gone(str(error))
        except TaskCanceled as error:
            self.logger.info("%s was cancelled.", execution.activity_id)
            return Canceled(str(error) or None)
        except Exception as error:  # noqa: BLE001 - the tasks are the user's code
            self.report(error)
            return failed(error)
        finally:
            self.unset_log_context()

    def _result(self, execution: ActivityExecution) -> Mapping[str, Any] | None:
        with beating(execution, self.beats()):
            result = self.execute_activity(execution)
        if result is not None and not isinstance(result, Mapping):
            raise NotADictionary(
                f"The runner of the activity {self.name} returned {shown(result)}; a runner "
                "returns a dictionary or nothing."
            )
        payload.check(result, f"The result of {execution.activity_id}")
        return result

    def execute_activity(self, context: Any) -> Any:
        """Let the runner do the tasks.

        Args:
            context: The execution (as released), or the input as a dictionary (as documented).

        Returns:
            The result of the tasks.
        """
        if not self.runner:
            raise runner.RunnerMissing(f"The activity {self.name} has no run=.")
        if isinstance(context, Mapping):
            return self.runner.execute(self, context)
        return self.runner.execute(context, context.context)

    def heartbeat(self, details: Any = None) -> None:
        """Nothing: tasks that were called with a mere dictionary have nobody to tell."""

    def respond(self, execution: ActivityExecution, outcome: Outcome) -> bool:
        """Send the outcome until SWF accepts it, or has lost the task, or the task's time is over.

        Credentials that are refused are insisted on like a network that is down: both can be
        repaired, and the work is done. Only what no repair would make acceptable ends the tries.

        Returns:
            Whether SWF accepted it.
        """
        if isinstance(outcome, Gone):
            return False
        self.set_log_context(self._place(execution))
        try:
            until = self.clock.now() + max(execution.time_left, ANSWER_SECONDS)
            insist(
                lambda: _send(execution, outcome),
                until,
                self._tell,
                self.clock,
                trouble.may_be_taken,
            )
        except trouble.ERRORS as error:
            self._not_accepted(execution, error)
            return False
        finally:
            self.unset_log_context()
        return True

    def _not_accepted(self, execution: ActivityExecution, error: Exception) -> None:
        if utils.error_code(error) == utils.UNKNOWN:
            execution.gone = True
            self.logger.warning("SWF no longer has the task %s.", execution.activity_id)
            return
        told = clients.explain(error, f"answering for {execution.activity_id}", self.client)
        self.logger.error(told.sentence)
        self.report(error)

    def _tell(self, error: Exception, rest: float) -> None:
        told = clients.explain(error, f"answering for a task of {self.task_list}", self.client)
        self.logger.warning("%s Next try in %.1f s.", told.sentence, rest)

    def _place(self, execution: ActivityExecution) -> dict[str, Any]:
        return {
            "execution.domain": self.domain,
            "execution.workflow_id": execution.workflow_id,
            "execution.run_id": execution.run_id,
        }


class ExternalActivity(Activity):
    """An activity that another program handles, in any language.

    Args:
        timeout: Seconds it may last.
        heartbeat: Seconds between two signs of life; the timeout if not given.
        client: The flow's own SWF client, if it has one.

    Raises:
        ValueError: No timeout.
    """

    def __init__(
        self, timeout: float | None = None, heartbeat: float | None = None, client: Any = None
    ) -> None:
        super().__init__(client)
        self.runner = runner.External(timeout=timeout, heartbeat=heartbeat)

    def run(self, identity: str | None = None) -> bool:  # noqa: ARG002 - the activities' interface
        """Nothing: the other program does it.

        Returns:
            False, so that the loop ends.
        """
        return False


def _send(execution: ActivityExecution, outcome: Completed | Failed | Canceled) -> None:
    match outcome:
        case Completed(result):
            execution.complete(result)
        case Failed(reason, details):
            execution.fail(reason, details)
        case Canceled(details):
            execution.cancel(details)


def _as_runner(work: Any) -> runner.BaseRunner:
    """A runner as it is; a task, or a list of tasks, one after the other."""
    if isinstance(work, list | tuple):
        return runner.Sync(*work)
    if callable(work) and not hasattr(work, "execute"):
        return runner.Sync(work)
    found: runner.BaseRunner = work
    return found


def _merged(turn: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    return {key: value for each in turn for key, value in each.items()}


def _warn_of(unknown: set[str]) -> None:
    if unknown:
        names = ", ".join(sorted(unknown))
        warnings.warn(f"An activity has no option {names}; it is ignored.", stacklevel=4)
