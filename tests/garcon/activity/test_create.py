"""Making activities, in both call forms and with all options."""

from __future__ import annotations

from typing import Any

import pytest

from garcon import activity, runner
from tests.garcon.fakes import FakeSwf
from tests.garcon.flows import make, nothing


def handler(actor: Any, error: Exception) -> None:
    """Do nothing about an error."""


def other_handler(actor: Any, error: Exception) -> None:
    """Do nothing about an error, as another function."""


SWF = FakeSwf()

FORMS = {
    "documented": (activity.create("dom", "flow", "2.0", handler), None),
    "documented by name": (
        activity.create(domain="dom", name="flow", version="2.0", on_exception=handler),
        None,
    ),
    "released": (activity.create(SWF, "dom", "flow", "2.0", handler), SWF),
    "released by name": (
        activity.create(
            client=SWF, domain="dom", workflow_name="flow", version="2.0", on_exception=handler
        ),
        SWF,
    ),
    "released without a client": (activity.create(None, "dom", "flow", "2.0", handler), None),
}


@pytest.mark.parametrize(("create", "client"), FORMS.values(), ids=list(FORMS))
def test_both_call_forms_make_the_same_activity(create: Any, client: Any) -> None:
    """Flows of both forms are in production."""
    made = create(name="cook", run=runner.Sync(nothing))
    assert (made.domain, made.name, made.task_list) == ("dom", "flow_cook", "flow_cook")
    assert (made.version, made.on_exception, made.client) == ("2.0", handler, client)


def test_a_domain_alone_names_the_lists_too() -> None:
    """The reference's first example passes only the domain."""
    assert activity.create("dom")(name="cook").task_list == "dom_cook"


def test_all_options_are_taken_over() -> None:
    """Every option becomes an attribute of the activity."""
    before, work = make("before"), runner.Sync(nothing)

    def generator(context: Any) -> Any:
        return []

    made = make(
        "cook",
        run=work,
        requires=[before],
        retry=2,
        generators=[generator],
        schedule_to_start=9,
        on_exception=other_handler,
    )
    assert (made.requires, made.retry, made.schedule_to_start) == ([before], 2, 9)
    assert (made.runner, made.generators) == (work, [generator])
    assert made.on_exception is other_handler


def test_older_option_names_are_accepted() -> None:
    """tasks= is run=, generator= is generators=, and tasks may come without a runner."""

    def generator(context: Any) -> Any:
        return []

    made = make("cook", run=None, tasks=[nothing, nothing], generator=[generator])
    assert isinstance(made.runner, runner.Sync)
    assert (len(made.runner.tasks), made.generators) == (2, [generator])
    assert isinstance(make("cook", run=nothing).runner, runner.Sync)


def test_the_activity_s_handler_wins() -> None:
    """An activity's own ``on_exception`` replaces that of ``create``."""
    create = activity.create("dom", "flow", on_exception=handler)
    assert create(name="a", on_exception=other_handler).on_exception is other_handler
    assert create(name="b", on_exception=None).on_exception is handler


def test_external_activities_have_their_timeouts() -> None:
    """The timeouts are the options, and the run loop ends."""
    made = activity.create("dom", "flow")(name="far", external=True, timeout=60, heartbeat=5)
    assert isinstance(made, activity.ExternalActivity)
    instance = made.instances({})[0]
    assert (instance.timeout, instance.heartbeat_timeout) == (60, 5)
    assert made.run() is False


def test_external_without_timeout_is_refused() -> None:
    """Another program's timeout cannot be computed from tasks."""
    with pytest.raises(ValueError, match="timeout"):
        activity.create("dom", "flow")(name="far", external=True)  # type: ignore[call-overload]  # mypy refuses it too


def test_a_misspelt_option_is_a_warning_at_its_line() -> None:
    """It is not ignored silently; a type checker refuses it as well."""
    create = activity.create("dom", "flow")
    with pytest.warns(UserWarning, match="no option retries") as caught:
        create(name="cook", retries=3)  # type: ignore[call-overload]
    assert caught[0].filename == __file__


def test_hydrate_leaves_other_options_as_they_are() -> None:
    """Options may be set in several calls."""
    made = activity.Activity(retry=4)
    made.hydrate({"name": "n"})
    made.hydrate(None)
    assert (made.retry, made.name, made.version) == (4, "n", "1.0")


def test_activities_share_no_lists() -> None:
    """Appending to one activity's ``requires`` does not change another's."""
    one, other = activity.Activity(), activity.Activity()
    one.requires.append(other)
    assert other.requires == []


def test_a_subclass_s_attributes_hold() -> None:
    """As in 1.1.1: what a class or an earlier call has set stays, whatever is given later."""

    class Patient(activity.Activity):
        retry = 3
        schedule_to_start_timeout = 7200

    made = Patient()
    made.hydrate({"name": "n", "retry": 1, "schedule_to_start": 60, "run": nothing})
    made.hydrate({"retry": 2, "run": None})
    assert (made.retry, made.schedule_to_start) == (3, 7200)
    assert made.runner is not None


def test_the_flow_s_name_has_two_names() -> None:
    """That of the reference and that of the release, in either form."""
    create: Any = activity.create
    for each in (
        create("dom", workflow_name="flow"),
        create(domain="dom", workflow_name="flow"),
        create(None, "dom", name="flow"),
        create(client=None, domain="dom", name="flow"),
    ):
        assert each(name="cook").task_list == "flow_cook"


@pytest.mark.parametrize("args", [(), (None,), (None, "dom"), ("dom", "flow", "1", None, 5)])
def test_wrong_arguments_of_create_are_named_by_its_name(args: Any) -> None:
    """Not by that of a private function."""
    create: Any = activity.create
    with pytest.raises(TypeError, match=r"^create\(\) "):
        create(*args)


def test_the_current_name_of_an_option_wins_over_the_older_one() -> None:
    """As in 1.1.1, in whatever order they stand."""
    run, older = runner.Sync(nothing), runner.Sync(nothing)
    assert make("cook", tasks=older, run=run).runner is run
    assert make("cook", run=run, tasks=older).runner is run


def test_requirements_and_generators_may_be_sets_and_iterators() -> None:
    """An iterator would be used up by the first decision."""

    def generator(context: Any) -> Any:
        return []

    before = make("before")
    for several in ({before}, frozenset({before}), iter([before]), {before: 1}.keys()):
        assert make("cook", requires=several).requires == [before]
    assert make("cook", generators=iter([generator])).generators == [generator]
