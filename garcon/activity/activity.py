"""The activity: polls its task list, executes its tasks, answers SWF.

Rules:

1. Polling, executing and answering are three steps (``poll_for_activity``, ``attempt``,
   ``respond``), so that a supervisor can record the task between them; ``run`` does all three.
2. ``attempt`` turns whatever the tasks do into an outcome. ``respond`` sends it until SWF accepts
   it, no longer has the task, or the task's own time is over: finished work is never reported as
   failed because an answer was throttled. Heartbeats go on while an answer waits for its next
   attempt, so that SWF keeps the task.
3. Threads share an activity, so it keeps nothing about the task in progress.
4. While the tasks run, another thread sends heartbeats (``heartbeat_thread``).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from math import inf
from typing import TYPE_CHECKING, Any

from garcon import client as clients
from garcon import runner, utils
from garcon.activity import attempt_trace, call_forms, handed_out, heartbeat_thread, typed_options
from garcon.activity.attempt_outcome import (
    AttemptCanceled,
    AttemptCompleted,
    AttemptFailed,
    AttemptGone,
    AttemptHandedOut,
    AttemptOutcome,
)
from garcon.activity.heartbeat_thread import BackgroundHeartbeats, HeartbeatThread
from garcon.activity.instance import ActivityInstance, instances_of
from garcon.activity.task_execution import ActivityExecution, TaskCanceled, TaskGone
from garcon.activity.task_timeouts import TaskTimeouts
from garcon.aws import aws_errors
from garcon.aws.poller import Poller, identity_of
from garcon.aws.retrying import Clock, call_until_accepted
from garcon.aws.throttles import retry_throttles
from garcon.errors import NotADictionary
from garcon.flow import argument_checks
from garcon.flow.argument_checks import shown
from garcon.history import failure_reasons
from garcon.log import get_logger_namespace
from garcon.payload import codec
from garcon.payload.codec import EncodedPayload
from garcon.tracing import seam
from garcon.user_code.exceptions import ENDS_PROCESS
from garcon.user_code.forks import ParentOnly
from garcon.user_code.text import text_of

if TYPE_CHECKING:
    from garcon.activity.handed_out import TaskKeeper
    from garcon.retry import Retry
    from garcon.runner import BaseRunner

DEFAULT_ACTIVITY_SCHEDULE_TO_START = 600  # seconds an instance may wait for a free worker

_KEPT = frozenset({"generators", "on_exception", "requires", "retry", "runner"})
"""Options of an activity that it keeps once it has them; with them its schedule-to-start time."""

ANSWER_SECONDS = 60
"""Seconds that an answer is sent for at least: the task's own time is an estimate, and SWF reports
when the task is really gone."""

SHORT_HEARTBEAT = 60
"""Seconds; with a shorter heartbeat timeout, even the documented retries of a throttled answer need
heartbeats: they wait 15 s in all."""


class Activity(Poller):
    """An activity of a flow; ``create`` makes them.

    Args:
        client: The flow's own SWF client, if it has one.
        data: Any of the options, see ``hydrate``.
    """

    # Attributes of the class, so that a subclass may set its own, as classes in production do.
    version = "1.0"
    domain: str | None = None
    name: str | None = None
    task_list: str | None = None
    requires: list["Activity"] = []  # noqa: RUF012 - each activity copies it
    retry: "int | Retry" = 0
    restartable = False
    priority: int | None = None
    runner: "BaseRunner | None" = None
    generators: list[Callable[..., Any]] = []  # noqa: RUF012 - the same
    pool_size = 1
    schedule_to_start_timeout: float = DEFAULT_ACTIVITY_SCHEDULE_TO_START

    def __init__(self, client: Any = None, **data: Any) -> None:
        super().__init__()
        self.client = client
        self.requires = list(self.requires or ())
        if not callable(self.generators):
            self.generators = list(self.generators or ())
        self.heartbeat_thread: Callable[[], HeartbeatThread] = heartbeat_thread.current
        self.handed_out_tasks: Callable[[], TaskKeeper] = handed_out.current
        self._timeouts = TaskTimeouts()
        self.hydrate(data)

    def hydrate(self, data: Mapping[str, Any] | None) -> None:
        """Set the options that are given; the others stay.

        As in 1.1.1, an activity's own requirements, retries, generators, runner, handler and
        schedule-to-start timeout stay, be they of its class or from an earlier call.

        Args:
            data: ``name``, ``domain``, ``task_list``, ``version``, ``run`` (or ``tasks``),
                ``requires``, ``retry`` (a number or a ``Retry``), ``generators`` (or
                ``generator``), ``schedule_to_start`` (seconds), ``on_exception``, ``client``,
                ``restartable`` (a worker's death costs no retry), ``priority`` (on the task list,
                higher first, 0 if not given).

        Raises:
            garcon.errors.InvalidFlow: A number is out of its range.
        """
        for name, value in typed_options.attributes_of(data).items():
            if not self._has_own(name):
                setattr(self, name, value)
        argument_checks.check_retry(self.retry, f"The activity {self.name}: retry=")
        where = f"The activity {self.name}: schedule_to_start="
        argument_checks.check_seconds(self.schedule_to_start_timeout, where)

    def _has_own(self, option: str) -> bool:
        if option == "schedule_to_start":
            return self.schedule_to_start_timeout != DEFAULT_ACTIVITY_SCHEDULE_TO_START
        return option in _KEPT and bool(getattr(self, option))

    @property
    def schedule_to_start(self) -> float:
        """Seconds that an instance may wait for a free worker (``schedule_to_start_timeout``)."""
        return self.schedule_to_start_timeout

    @schedule_to_start.setter
    def schedule_to_start(self, seconds: float) -> None:
        self.schedule_to_start_timeout = seconds

    def instances(self, context: Mapping[str, Any]) -> list[ActivityInstance]:
        """All instances for this context, whatever their state.

        One, or one for each dictionary of its generator; of several generators, every combination.

        Args:
            context: The context of the execution.

        Raises:
            garcon.errors.NotADictionary: A generator gave something else.
        """
        made = instances_of(self, context)
        self.pool_size = len(made)
        return made

    @retry_throttles
    def poll_for_activity(self, identity: str | None = None) -> ActivityExecution:
        """Poll once, for up to a minute (PollForActivityTask); throttles are attempted 5 times.

        Args:
            identity: The poller's name in the history; host, process and thread if not given.

        Returns:
            The task; if there was none, an execution without an id, which is false.

        Raises:
            botocore.exceptions.ClientError: SWF refused the poll.
            botocore.exceptions.BotoCoreError: SWF was not reached.
        """
        return self.poll_once(identity) or ActivityExecution(
            clients.calling(self.client), None, None, None
        )

    def poll_once(self, identity: str | None = None) -> ActivityExecution | None:
        """``poll_for_activity`` without retries, for a loop with a backoff; ``None`` if no task."""
        client = clients.polling(self.client)
        with clients.polling_once(self.client):
            response = client.poll_for_activity_task(
                domain=str(self.domain),
                taskList={"name": str(self.task_list)},
                identity=identity_of(identity),
            )
        return self.received(response) if response.get("taskToken") else None

    def received(self, response: Any) -> ActivityExecution:
        """The task of a poll's answer, which has a task token."""
        workflow = response.get("workflowExecution") or {}
        execution = ActivityExecution(
            clients.calling(self.client),
            response.get("activityId"),
            response["taskToken"],
            response.get("input"),
            workflow_id=workflow.get("workflowId"),
            run_id=workflow.get("runId"),
            activity_name=(response.get("activityType") or {}).get("name"),
            started_event_id=response.get("startedEventId"),
            clock=self.clock,
        )
        self._timeouts.set(self, execution)
        return execution

    def run(self, identity: str | None = None) -> bool:
        """Poll once, and execute the task if there is one. After a failed poll, log it and pause.

        Args:
            identity: The poller's name in the history; host, process and thread if not given.

        Returns:
            True, so that ``while activity.run()`` goes on.
        """
        if execution := self.run_guarded(lambda: call_forms.poll(self, identity)):
            try:
                self.perform(execution)
            except ENDS_PROCESS:
                raise
            except BaseException as error:  # noqa: BLE001 - the user's client may raise anything
                self.report(error)
        return True

    def perform(self, execution: ActivityExecution | Any) -> None:
        """Execute the tasks and answer SWF."""
        if isinstance(execution, ActivityExecution):
            self.respond(execution, self.attempt(execution))
        else:
            call_forms.answer_stand_in(self, execution)

    def attempt(self, execution: ActivityExecution) -> AttemptOutcome:
        """Execute the tasks.

        Returns:
            The outcome. An exception of the tasks is logged, reported to ``on_exception``, and a
            failed outcome; ``SystemExit`` and ``KeyboardInterrupt`` are not caught.
        """
        if (tracer := seam.tracer) is None:
            return self._attempt_logging(execution)
        place = str(self.domain), str(self.task_list)
        return attempt_trace.traced(tracer, execution, place, self._attempt_logging)

    def _attempt_logging(self, execution: ActivityExecution) -> AttemptOutcome:
        self.set_log_context(self._name_log(execution))
        try:
            with self._parent_only():
                return self._attempt(execution)
        except ENDS_PROCESS:
            raise
        except BaseException as error:  # noqa: BLE001 - the tasks are the user's code
            return self._failure(error)
        finally:
            execution.unset_log_context()
            self.unset_log_context()

    def _attempt(self, execution: ActivityExecution) -> AttemptOutcome:
        if error := execution.unread_claim():
            return self._failure(error, failure_reasons.HOST_UNABLE)
        try:
            with BackgroundHeartbeats(execution, self.heartbeat_thread()):
                result = call_forms.execute(self, execution)
            if execution.is_handed_out:
                return handed_out.outcome(execution, result)
            return AttemptCompleted(self._encoded(result, execution))
        except TaskGone as error:
            self.logger.warning("%s", text_of(error))
            return AttemptGone(text_of(error))
        except TaskCanceled as error:
            self.logger.info("%s was cancelled.", execution.activity_id)
            return AttemptCanceled(text_of(error) or None)
        except (codec.NotSendable, codec.TooLarge, NotADictionary) as error:
            return self._failure(error, failure_reasons.NOT_SENDABLE)

    def _failure(self, error: BaseException, prefix: str | None = None) -> AttemptFailed:
        self.report(error)
        return AttemptFailed.by(error, prefix)

    def _parent_only(self) -> AbstractContextManager[None]:
        return ParentOnly(f"the activity {self.name}")

    def _encoded(self, result: Any, execution: ActivityExecution) -> EncodedPayload | None:
        if result is None:
            return None
        if not isinstance(result, Mapping):
            raise NotADictionary(
                f"The runner of the activity {self.name} returned {shown(result)}; a runner "
                "returns a dictionary or nothing."
            )
        return codec.encoded(result, f"The result of {execution.activity_id}")

    def execute_activity(self, context: Any = None, activity: Any = None) -> Any:
        """Run the tasks.

        Args:
            context: The execution (as in 1.1.1), or the input as a dictionary (as documented).
            activity: The same, by its name in 1.1.1.

        Returns:
            The result of the tasks.

        Raises:
            runner.RunnerMissing: The activity has no runner.
        """
        if not self.runner:
            raise runner.RunnerMissing(f"The activity {self.name} has no run=.")
        given = context if activity is None else activity
        if isinstance(given, Mapping):
            return self.runner.execute(call_forms.executing(self), given)
        return self.runner.execute(given, given.context)

    def heartbeat(self, details: Any = None) -> None:
        """Do nothing: tasks that were called with a dictionary have no task at SWF."""

    def later(self) -> str:
        """No token, for the same reason."""
        return ""

    def respond(self, execution: ActivityExecution, outcome: AttemptOutcome) -> bool:
        """Send the outcome until SWF accepts it, no longer has the task, or its time is over.

        Refused credentials are waited out like a lost network: both can be repaired, and the work
        is done. Only an answer that SWF can never accept ends the attempts. A task that was handed
        out is not answered: its heartbeats go on.

        Returns:
            Whether SWF accepted it, or another program will answer.
        """
        if isinstance(outcome, AttemptGone):
            return False
        if isinstance(outcome, AttemptHandedOut):
            self.handed_out_tasks().keep(execution)
            return True
        self._name_log(execution)
        clock = self._clock_with_heartbeats(execution)
        if (execution.heartbeat_timeout or inf) < SHORT_HEARTBEAT:
            execution.clock = clock
        try:
            call_until_accepted(
                lambda: execution.answer(outcome),
                max(execution.time_left, ANSWER_SECONDS),
                lambda error, wait: self._log_retry(execution, error, wait),
                clock=clock,
                is_transient=aws_errors.is_answer_acceptable,
            )
        except aws_errors.ERRORS as error:
            with self._logging_as(execution):
                self._note_refusal(execution, error)
            return False
        finally:
            execution.unset_log_context()
        return True

    def _clock_with_heartbeats(self, execution: ActivityExecution) -> Clock:
        """This activity's clock, by which heartbeats go on while an answer waits."""

        def sleep(seconds: float) -> bool | None:
            # Not while an answer is sent: after it is accepted, SWF no longer has the task.
            with BackgroundHeartbeats(execution, self.heartbeat_thread()):
                return self.clock.sleep(seconds)

        return Clock(self.clock.now, sleep)

    def _note_refusal(self, execution: ActivityExecution, error: Exception) -> None:
        if utils.error_code(error) == utils.UNKNOWN:
            execution.gone = True
            why = f": {reason}" if (reason := execution.loss_reason) else ""
            self.logger.warning("SWF no longer has the task %s%s.", execution.activity_id, why)
            return
        explanation = clients.explain(error, f"answering {execution.activity_id}", self.client)
        self.logger.error(explanation.sentence)
        self.report(error)

    def _log_retry(self, execution: ActivityExecution, error: Exception, wait: float) -> None:
        doing = f"answering a task of {self.task_list}"
        failed = self.heartbeat_thread().throttling.claim_line(doing, time.monotonic())
        if failed is None:
            return  # a minute has one line for all workers of the list
        explanation = clients.explain(error, doing, self.client)
        more = f" {failed} failed since the last such line." if failed > 1 else ""
        with self._logging_as(execution):
            self.logger.warning("%s Next attempt in %.1f s.%s", explanation.sentence, wait, more)

    @contextmanager
    def _logging_as(self, execution: ActivityExecution) -> Iterator[None]:
        self.set_log_context(self._name_log(execution))
        try:
            yield
        finally:
            self.unset_log_context()

    def _name_log(self, execution: ActivityExecution) -> Mapping[str, Any]:
        """Let the tasks log under the execution's name, by it; returns the parts of the name."""
        names = {
            "execution.domain": self.domain,
            "execution.workflow_id": execution.workflow_id,
            "execution.run_id": execution.run_id,
        }
        # Not by ``set_log_context``: threads share an activity, but no execution.
        execution.logger_name = get_logger_namespace(names)
        return names
