"""A flow is found, checked and overridden, or refused with a sentence and the right exit code."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from garcon import client
from supervisor import flow
from supervisor.messages import Load, LogStyle, Place, Role, TaskList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GOOD = """
from garcon import activity, runner, task
domain, name = "shop", "orders"
create = activity.create(domain, name)
make = create(name="make", run=runner.Sync(lambda context, activity: None))
serve = create(name="serve", requires=[make], run=runner.Sync(lambda context, activity: None))
billed = create(name="bill", external=True, timeout=60)
class Flow:
    def __init__(self, client, domain, name):
        self.client, self.domain, self.name = client, domain, name
        create = activity.create(client, domain, name)
        self.make = create(name="make", run=runner.Sync(lambda context, activity: None))
class Holder:
    inner = Flow(None, "shop", "inner")
number = 3
"""

_serial = itertools.count()


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A region and credentials that are none; the process's choice of SWF is taken back."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield
    client.configure()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes a module that can be imported; returns its name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(text: str) -> str:
        name = f"flow_under_test_{next(_serial)}"
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


def load(named: str, domain: str | None = None, name: str | None = None) -> flow.Flow:
    """Load a flow as a zygote does."""
    style = LogStyle("info", "text")
    return flow.load(Load(1, named, domain, name, Place(endpoint_url="http://127.0.0.1:9"), style))


def test_a_module_is_a_flow(write: Callable[[str], str]) -> None:
    """Domain, name and task lists come from the module; external activities have no list here."""
    loaded = load(write(GOOD))
    assert (loaded.domain, loaded.name, loaded.version) == ("shop", "orders", "1.0")
    assert loaded.task_lists == (
        TaskList("orders", Role.DECIDER, "decider"),
        TaskList("orders_make", Role.ACTIVITY, "make"),
        TaskList("orders_serve", Role.ACTIVITY, "serve"),
    )


def test_an_object_is_a_flow(write: Callable[[str], str]) -> None:
    """module:object.attribute is followed."""
    assert load(f"{write(GOOD)}:Holder.inner").name == "inner"


def test_a_class_is_built_with_client_domain_and_name(write: Callable[[str], str]) -> None:
    """module:Class gets a client, --domain and --name."""
    loaded = load(f"{write(GOOD)}:Flow", domain="elsewhere", name="built")
    assert (loaded.domain, loaded.name) == ("elsewhere", "built")
    assert list(loaded.activities) == ["built_make"]
    assert loaded.target.client is not None


def test_domain_and_name_can_be_put_over_the_flows_own(write: Callable[[str], str]) -> None:
    """--domain moves flow and activities; --name renames the flow, its types and lists."""
    loaded = load(write(GOOD), domain="staging", name="orders2")
    assert (loaded.domain, loaded.name) == ("staging", "orders2")
    assert list(loaded.activities) == ["orders2_make", "orders2_serve"]
    assert {each.domain for each in loaded.activities.values()} == {"staging"}
    assert {each.name for each in loaded.activities.values()} == {"orders2_make", "orders2_serve"}


@pytest.mark.parametrize(
    ("text", "suffix", "sentence", "code"),
    [
        ("import sys; sys.exit(5)", "", "ended the program", 3),
        ("1 / 0", "", "ZeroDivisionError", 3),
        ("import no_such_module_here", "", "No module named 'no_such_module_here'", 3),
        ("name = 'n'", "", "has no 'domain'", 3),
        ("domain = 'd'", "", "has no 'name'", 3),
        ("domain, name = 'd', 'n'", "", "has no activities", 3),
        (GOOD, ":nothing", "has no 'nothing'", 3),
        (GOOD, ":number", "has no 'domain'", 3),
        (GOOD, ":Flow", "give --domain and --name", 2),
        (GOOD.replace('"orders"', '"or:ders"'), "", "SWF refuses the name 'or:ders'", 3),
        (GOOD.replace('"shop"', '"arn"', 1), "", "SWF refuses the domain 'arn'", 3),
        (GOOD.replace('"make"', '"x" * 300', 1), "", "has 307 characters, more than 256", 3),
        (GOOD + "\ndecider = 3", "", "'decider' is not a function", 3),
        (GOOD.replace('name="serve"', 'name="make"'), "", "make", 3),
        (GOOD.replace("requires=[make]", "requires=['make']"), "", "'make'", 3),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_sentence(
    write: Callable[[str], str], text: str, suffix: str, sentence: str, code: int
) -> None:
    """A flow that fails, lacks something or has names that SWF refuses raises CannotServe."""
    with pytest.raises(flow.CannotServe) as refused:
        load(write(text) + suffix)
    assert sentence in str(refused.value)
    assert refused.value.code == code


def test_an_unknown_module_is_named_with_the_folder() -> None:
    """The sentence says which module is missing and where it was looked for."""
    with pytest.raises(flow.CannotServe, match="there is no module 'no_such_flow'"):
        load("no_such_flow")


def test_a_failing_import_shows_the_users_frames_only(write: Callable[[str], str]) -> None:
    """The traceback has the line that failed, and none of ours or of the import machinery."""
    name = write("def connect():\n    raise OSError('no database')\nconnect()\n")
    with pytest.raises(flow.CannotServe) as refused:
        load(name)
    told = str(refused.value)
    assert "connect()" in told
    assert "OSError: no database" in told
    assert "supervisor/flow.py" not in told
    assert "importlib" not in told
