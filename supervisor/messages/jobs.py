"""What a worker is forked for."""

from supervisor.messages.about import Answer, Role, Seat, Task
from supervisor.messages.base import Message


class Serve(Message, frozen=True):
    """Serve one seat's task list: poll, execute, heartbeat, complete, until told to leave."""

    seat: Seat


class Register(Message, frozen=True):
    """Register domain, workflow type and activity types, or look whether they are there; once."""

    types: bool  # False where no decider runs: only that the domain can be reached is asked


class Replay(Message, frozen=True):
    """Decide recorded histories again, and say where the flow decides otherwise now; once."""

    histories: str  # a folder of files, or "last:N": the N latest executions that SWF has


class Report(Message, frozen=True):
    """Tell SWF what became of a task whose holder died with it."""

    task: Task
    role: Role
    answer: Answer
    why: str = ""  # one sentence for people
    within: float | None = None  # seconds until the task's own timeout tells SWF; None: never
    poison_deaths: int = 3  # so many deaths of its workers make a task poison


Job = Serve | Register | Replay | Report
