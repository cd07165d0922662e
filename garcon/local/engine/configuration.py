"""The settings of an execution: members of its start, else the defaults of its type.

A task list, both timeouts and a child policy must come from one or the other. A missing one is
returned as a `MissingDefault`, from which a call makes a fault and a decision a cause.
"""

from typing import NamedTuple

from garcon.local.engine.entities import Configuration, RegisteredType
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import pick


class MissingDefault(NamedTuple):
    """A required setting that is neither in the request nor in the type."""

    member: str
    cause: str


REQUIRED = {
    MissingDefault(
        "executionStartToCloseTimeout", "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED"
    ): "defaultExecutionStartToCloseTimeout",
    MissingDefault("taskList", "DEFAULT_TASK_LIST_UNDEFINED"): "defaultTaskList",
    MissingDefault(
        "taskStartToCloseTimeout", "DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED"
    ): "defaultTaskStartToCloseTimeout",
    MissingDefault("childPolicy", "DEFAULT_CHILD_POLICY_UNDEFINED"): "defaultChildPolicy",
}


def first_missing(registered: RegisteredType, request: Body) -> MissingDefault | None:
    """The first required setting that is neither in the request nor in the type."""
    for missing, default in REQUIRED.items():
        if not request.get(missing.member) and not registered.defaults.get(default):
            return missing
    return None


def configure(registered: RegisteredType, request: Body) -> Configuration:
    """The settings of a new execution, of which `first_missing` found none missing."""
    defaults = registered.defaults
    task_list = request.get("taskList") or defaults["defaultTaskList"]
    return Configuration(
        type=registered.key,
        task_list=task_list["name"],
        task_priority=request.get("taskPriority") or defaults.get("defaultTaskPriority", ""),
        task_timeout=request.get("taskStartToCloseTimeout")
        or defaults["defaultTaskStartToCloseTimeout"],
        execution_timeout=request.get("executionStartToCloseTimeout")
        or defaults["defaultExecutionStartToCloseTimeout"],
        child_policy=request.get("childPolicy") or defaults["defaultChildPolicy"],
        lambda_role=request.get("lambdaRole") or defaults.get("defaultLambdaRole", ""),
        tags=tuple(request.get("tagList", ())),
    )


def settings(config: Configuration) -> Body:
    """The members of WorkflowExecutionConfiguration."""
    return {
        "taskStartToCloseTimeout": config.task_timeout,
        "executionStartToCloseTimeout": config.execution_timeout,
        "taskList": {"name": config.task_list},
        "childPolicy": config.child_policy,
        **pick(
            {"taskPriority": config.task_priority, "lambdaRole": config.lambda_role},
            "taskPriority",
            "lambdaRole",
        ),
    }


def members(config: Configuration) -> Body:
    """The members shared by the events that begin an execution and those that announce one."""
    tags = {"tagList": list(config.tags)} if config.tags else {}
    return {**settings(config), "workflowType": config.type.wire(), **tags}
