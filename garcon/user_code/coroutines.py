"""Results of tasks, some of which are coroutine functions (``coroutine_run``).

``asyncio`` takes a tenth of the time of all imports of a worker, so it is imported with the first
coroutine.
"""

import inspect
from typing import Any


def result_of(returned: Any, activity: Any) -> Any:
    """The result of a task, or of its coroutine.

    Args:
        returned: By the task's function.
        activity: The execution, whose ``on_stale`` interrupts the coroutine.
    """
    if not inspect.iscoroutine(returned):
        return returned
    from garcon.user_code import coroutine_run  # noqa: PLC0415 - see above

    return coroutine_run.run(returned, activity)
