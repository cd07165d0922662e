"""The documented names exist, with the documented arguments and defaults."""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from pathlib import Path
from typing import Any

import pytest

from tests.garcon.reference_items import SHOWN_BY

# The reference's public names: callables with their parameters, as documented.
CALLABLES = {
    "activity.Activity": "(**kwargs)",
    "activity.Activity.execute_activity": "(context)",
    "activity.Activity.hydrate": "(data)",
    "activity.Activity.instances": "(context)",
    "activity.Activity.poll_for_activity": "(identity=None)",  # documented as (**kwargs): identity
    "activity.Activity.run": "(identity=None)",
    "activity.ActivityInstance": "(activity_worker, local_context=None, execution_context=None)",
    "activity.ActivityInstance.create_execution_input": "()",
    "activity.ActivityInstanceNotReadyException": "(*args)",
    "activity.ActivityState": "(activity_id)",
    "activity.ActivityState.add_state": "(state)",
    "activity.ActivityState.get_last_state": "()",
    "activity.ActivityState.set_result": "(result)",
    "activity.ActivityState.wait": "()",
    "activity.ActivityWorker": "(flow, activities=None)",
    "activity.ActivityWorker.run": "()",
    "activity.ExternalActivity": "(timeout=None, heartbeat=None)",
    "activity.ExternalActivity.run": "()",
    "activity.count_activity_failures": "(states)",
    "activity.create": "(domain, name, version='1.0', on_exception=None)",
    "activity.find_activities": "(flow, context)",
    "activity.find_available_activities": "(flow, history, context)",
    "activity.find_uncomplete_activities": "(flow, history, context)",
    "activity.find_workflow_activities": "(flow)",
    "activity.worker_runner": "(worker)",
    "decider.DeciderWorker": "(flow, register=True)",
    "decider.DeciderWorker.create_decisions_from_flow": "(decisions, activity_states, context)",
    "decider.DeciderWorker.delegate_decisions": "(decisions, decider, history, context)",
    "decider.DeciderWorker.get_activity_states": "(history)",
    "decider.DeciderWorker.get_history": "(poll)",
    "decider.DeciderWorker.register": "()",
    "decider.DeciderWorker.run": "(identity=None)",
    "decider.ScheduleContext": "()",
    "decider.ScheduleContext.mark_uncompleted": "()",
    "decider.ensure_requirements": "(requires)",
    "decider.schedule": (
        "(decisions, schedule_context, history, context, schedule_id, current_activity, "
        "requires=None, input=None, version='1.0')"
    ),
    "decider.schedule_activity_task": "(decisions, instance, version='1.0', id=None)",
    "event.activity_states_from_events": "(events)",
    "event.get_current_context": "(events)",
    "log.GarconLogger": "()",
    "log.GarconLogger.set_log_context": "(execution_context)",
    "log.GarconLogger.unset_log_context": "()",
    "log.get_logger_namespace": "(execution_context)",
    "runner.Async": "(*args, **kwargs)",
    "runner.Async.execute": "(activity, context)",
    "runner.BaseRunner": "(*args)",
    "runner.BaseRunner.execute": "(activity, context)",
    "runner.BaseRunner.heartbeat": "(context)",
    "runner.BaseRunner.requirements": "(context)",
    "runner.BaseRunner.timeout": "(context)",
    "runner.External": "(timeout=None, heartbeat=None)",
    "runner.NoRunnerRequirementsFound": "(*args)",
    "runner.RunnerMissing": "(*args)",
    "runner.Sync": "(*args)",
    "runner.Sync.execute": "(activity, context)",
    "task.contextify": "(fn)",
    "task.decorate": "(timeout=None, heartbeat=None, enable_contextify=True)",
    "task.fill_function_call": "(fn, requirements, activity, context)",
    "task.flatten": "(callables, context=None)",
    "task.is_task_list": "(fn)",
    "task.list": "(fn)",
    "task.namespace_result": "(dictionary, namespace)",
    "task.timeout": "(time, heartbeat=None)",
    "utils.create_dictionary_key": "(dictionary)",
    "utils.non_throttle_error": "(swf_response_error)",
    "utils.throttle_backoff_handler": "(details)",
    # Beside the reference, as in 1.1.1.
    "activity.ActivityExecution": "(client, activity_id, task_token, context)",
    "activity.ActivityExecution.heartbeat": "(details=None)",
    "activity.ActivityExecution.fail": "(reason=None)",
    "activity.ActivityExecution.complete": "(context=None)",
    "context.ExecutionContext": "(events=None)",
    "context.ExecutionContext.add": "(event)",
    "context.ExecutionContext.add_activity_result": "(event)",
    "context.ExecutionContext.set_execution_input": "(event)",
    "context.ExecutionContext.set_workflow_execution_info": "(poll, domain)",
    "param.BaseParam": "()",
    "param.BaseParam.get_data": "(context)",
    "param.Param": "(context_key)",
    "param.StaticParam": "(value)",
    "param.UnknownParamException": "(*args)",
    "param.get_all_requirements": "(params)",
    "param.parametrize": "(value)",
}

PROPERTIES = {
    "activity.ActivityInstance": (
        "activity_name heartbeat_timeout id retry runner "
        "schedule_to_close schedule_to_start timeout"
    ),
    "activity.ActivityState": "ready result",
    "log.GarconLogger": "logger",
    "context.ExecutionContext": "current",
    "param.BaseParam": "requirements",
}

CONSTANTS = {
    "activity.ACTIVITY_STANDBY": 0,
    "activity.ACTIVITY_SCHEDULED": 1,
    "activity.ACTIVITY_COMPLETED": 2,
    "activity.ACTIVITY_FAILED": 3,
    "activity.Activity.version": "1.0",
    "activity.Activity.task_list": None,
    "activity.DEFAULT_ACTIVITY_SCHEDULE_TO_START": 600,
    "runner.DEFAULT_TASK_TIMEOUT": 600,
    "runner.DEFAULT_TASK_HEARTBEAT": 600,
    "log.LOGGER_PREFIX": "garcon",
}

BASES = {
    "activity.Activity": "log.GarconLogger",
    "activity.ExternalActivity": "activity.Activity",
    "decider.DeciderWorker": "log.GarconLogger",
    "runner.Async": "runner.BaseRunner",
    "runner.External": "runner.BaseRunner",
    "runner.Sync": "runner.BaseRunner",
    "param.Param": "param.BaseParam",
    "param.StaticParam": "param.BaseParam",
}


def find(name: str) -> Any:
    """The object of a dotted name in the package."""
    module, *path = name.split(".")
    found: Any = importlib.import_module(f"garcon.{module}")
    for part in path:
        found = getattr(found, part)
    return found


def forms(name: str) -> list[inspect.Signature]:
    """The signatures that a callable offers, its overloads included."""
    found = find(name)
    return [_unbound(each, name) for each in (found, *typing.get_overloads(found))]


def _unbound(each: Any, name: str) -> inspect.Signature:
    signature = inspect.signature(each)
    is_method = not isinstance(each, type) and name.split(".")[-2][0].isupper()
    return signature.replace(parameters=list(signature.parameters.values())[is_method:])


def documented(text: str) -> inspect.Signature:
    """The signature that a text stands for."""
    scope: dict[str, Any] = {}
    exec(f"def f{text}: pass", scope)  # noqa: S102 - the texts above
    return inspect.signature(scope["f"])


def offers(have: inspect.Signature, want: inspect.Signature) -> bool:
    """Whether every call that ``want`` allows is allowed, with the same names and defaults."""
    ours = list(have.parameters.values())
    named = [each for each in want.parameters.values() if each.kind is each.POSITIONAL_OR_KEYWORD]
    open_ended = [each.kind for each in want.parameters.values() if each not in named]
    beyond = [each for each in ours[len(named) :] if each.kind not in open_ended]
    return (
        len(ours) >= len(named)
        and all(_same(a, b) for a, b in zip(ours, named, strict=False))
        and all(each.default is not each.empty or "VAR" in each.kind.name for each in beyond)
        and all(_takes(ours, kind) for kind in open_ended)
    )


def _same(ours: inspect.Parameter, theirs: inspect.Parameter) -> bool:
    optional = theirs.default is theirs.empty and ours.default is not ours.empty
    same_name = ours.name == theirs.name or ours.kind is ours.POSITIONAL_ONLY
    return same_name and (optional or ours.default == theirs.default)


def _takes(ours: list[inspect.Parameter], kind: Any) -> bool:
    # A named keyword-only argument is what **kwargs documents for Async (max_workers).
    kinds = {each.kind for each in ours}
    return kind in kinds or (
        kind is inspect.Parameter.VAR_KEYWORD and ours[-1].kind.name[:3] == "KEY"
    )


@pytest.mark.parametrize(("name", "signature"), CALLABLES.items(), ids=list(CALLABLES))
def test_documented_callables_take_the_documented_arguments(name: str, signature: str) -> None:
    """Name, order and default of every argument are as documented."""
    if signature == "(*args)":
        assert issubclass(find(name), Exception) or offers(forms(name)[0], documented(signature))
        return
    assert any(offers(each, documented(signature)) for each in forms(name)), forms(name)


@pytest.mark.parametrize(("owner", "names"), PROPERTIES.items(), ids=list(PROPERTIES))
def test_documented_properties_exist(owner: str, names: str) -> None:
    """Attributes that are documented as such are not methods."""
    members = [inspect.getattr_static(find(owner), name) for name in names.split()]
    assert all(hasattr(type(each), "__get__") and not callable(each) for each in members)


@pytest.mark.parametrize(("name", "value"), CONSTANTS.items(), ids=list(CONSTANTS))
def test_documented_constants_have_their_values(name: str, value: object) -> None:
    """Constants that flows compare with keep their values."""
    assert find(name) == value


@pytest.mark.parametrize(("name", "base"), BASES.items(), ids=list(BASES))
def test_documented_classes_have_their_bases(name: str, base: str) -> None:
    """A user's subclass of a documented base is accepted wherever the base is."""
    assert issubclass(find(name), find(base))


def test_released_forms_are_accepted_too() -> None:
    """The 1.x forms with a client, and with the identity before the poll, are accepted."""
    released = "(client, domain, workflow_name, version='1.0', on_exception=None)"
    assert any(offers(each, documented(released)) for each in forms("activity.create"))
    history = forms("decider.DeciderWorker.get_history")
    assert any(offers(each, documented("(identity, poll)")) for each in history)


DOCUMENT = (Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*CALLABLES, *CONSTANTS])
def test_the_document_has_every_name(name: str) -> None:
    """Every documented name is in docs/reference.md."""
    assert re.search(rf"\b{name.rsplit('.', maxsplit=1)[-1]}\b", DOCUMENT)


def test_every_item_is_shown_by_tests_that_exist() -> None:
    """The tests that show what an item of the reference does exist."""
    files = Path(__file__).parents[1].rglob("test_*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    known = set(re.findall(r"def (test_\w+)\(", text))
    assert {name for names in SHOWN_BY.values() for name in names} <= known


def test_the_comparison_notices_differences() -> None:
    """A renamed argument, another default or a missing argument does not fit."""
    want = documented("(a, b=1)")
    assert offers(documented("(a, b=1, c=2)"), want)
    for wrong in ("(a)", "(a, c=1)", "(a, b=2)", "(b=1, a=2)", "(a, b=1, *, c)"):
        assert not offers(documented(wrong), want)
