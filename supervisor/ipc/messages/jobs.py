"""Jobs: the task of a forked process, from serving a task list to a single report."""

from supervisor.ipc.messages.base import Message
from supervisor.ipc.messages.types import Answer, Role, Slot, Task


class Serve(Message, frozen=True):
    """Serve the slot's task list until asked to leave: poll, execute, heartbeat, complete."""

    slot: Slot
    # The private list of a dead decider that it takes over: that decider's number, or of another
    # supervisor's decider "owner@host"; 0 for none.
    private_list: int | str = 0
    needs_permit: bool = False  # whether it polls only when the supervisor gives it a permit


class Register(Message, frozen=True):
    """Register the domain, the workflow type and the activity types if SWF lacks them."""

    types: bool  # False without deciders: only check that SWF knows the domain


class Replay(Message, frozen=True):
    """Replay recorded histories, and report the first decision that differs."""

    histories: str  # as ``HistorySource``: a folder of history files, "last:N" or "open:N"


class SearchOpen(Message, frozen=True):
    """Search the flow's open executions for one that this code's build has decided last."""


class Report(Message, frozen=True):
    """Answer a task at SWF whose worker died."""

    task: Task
    role: Role
    answer: Answer
    why: str = ""  # the cause of the death, one sentence
    within: float | None = None  # seconds until SWF times the task out; None: never
    poison_deaths: int = 3  # deaths of workers that make a task or a decision poison
    fail_poison_decision: bool = False  # fail the execution of a poison decision; else park it


Job = Serve | Register | Replay | SearchOpen | Report
