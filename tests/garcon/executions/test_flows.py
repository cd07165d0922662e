"""Loading of flows by name."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from garcon import client as clients
from garcon.activity import find_workflow_activities
from garcon.executions import Client, NotAFlow
from garcon.executions.flows import load

if TYPE_CHECKING:
    from pathlib import Path

FLOW = """
from types import SimpleNamespace
from garcon import activity, runner, task
domain, name = "d", "n"
create = activity.create(domain, name)
@task.decorate(timeout=1)
def nothing(): pass
one = create(name="one", run=runner.Sync(nothing.fill()))
inner = SimpleNamespace(flow=SimpleNamespace(domain="d2", name="n2"))
class Klass:
    def __init__(self, client, domain, name):
        self.client, self.domain, self.name = client, domain, name
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with a flow, imported by no test before."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "shop_for_a_test.py").write_text(FLOW)
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "shop_for_a_test", raising=False)
    return "shop_for_a_test"


def test_a_module_or_an_object_in_it_is_a_flow(module: str) -> None:
    """``module`` and ``module:path.to.object`` name flows, also for a client."""
    assert load(module).name == "n"
    assert load(f"{module}:inner.flow").name == "n2"
    assert Client(module).flow.domain == "d"


def test_a_class_is_called_with_client_domain_and_name(module: str) -> None:
    """A class flow is built, and needs both a domain and a name."""
    with clients.use("the client"):
        made = load(f"{module}:Klass", "d3", "n3")
    assert (made.client, made.domain, made.name) == ("the client", "d3", "n3")
    with pytest.raises(NotAFlow, match="is a class: it needs a domain and a name"):
        load(f"{module}:Klass", "d3")


def test_domain_and_name_are_those_of_its_activities_too(module: str) -> None:
    """Activity types and task lists begin with the new name."""
    (found,) = find_workflow_activities(load(module, "elsewhere", "other"))
    assert (found.domain, found.name, found.task_list) == ("elsewhere", "other_one", "other_one")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no_such_module_here", "no module 'no_such_module_here'"),
        ("tests.no_such_module.flow", "no module 'tests.no_such_module'"),
        ("shop_for_a_test:nothing_here", "has no 'nothing_here'"),
        ("shop_for_a_test:inner", "is not a flow: it has no 'domain'"),
        ("", "is not the name of a flow"),
        (".relative", "is not the name of a flow"),
    ],
)
def test_a_text_that_names_no_flow_is_refused(module: str, text: str, sentence: str) -> None:
    """The sentence says whether the module, the name or a member is missing."""
    assert module
    with pytest.raises(NotAFlow, match=sentence):
        load(text)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import no_such_module_here", ModuleNotFoundError),
        ("raise ValueError('mine')", ValueError),
        ("1/0", ZeroDivisionError),
    ],
)
def test_an_exception_of_the_flow_s_own_code_passes_through(
    module: str, tmp_path: Path, code: str, error: Any
) -> None:
    """The author needs its traceback; a sentence of garcon's would hide it."""
    (tmp_path / f"{module}.py").write_text(code)
    with pytest.raises(error):
        load(module)
