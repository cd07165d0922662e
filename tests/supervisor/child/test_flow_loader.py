"""A flow is found, checked and overridden, or refused in a sentence with its exit code."""

from __future__ import annotations

import itertools
import os
import re
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from garcon import client
from garcon.aws import limits
from supervisor import exit_codes
from supervisor.child import flow_loader
from supervisor.ipc.messages import Load, LogSettings, Role, SwfEndpoint, TaskList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

pytestmark = pytest.mark.slow  # an interpreter for some tests

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

RAISING = (
    GOOD
    + """
class Raising:
    domain, name, make = domain, name, make
    {}
flow = Raising()
"""
)
"""A flow whose attributes are code."""

_serial = itertools.count()


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A region and invalid credentials; afterwards the process's SWF is reset."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield
    client.configure()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """A function that writes an importable module and returns its name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(text: str) -> str:
        name = f"flow_under_test_{next(_serial)}"
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


def load(named: str, domain: str | None = None, name: str | None = None) -> flow_loader.Flow:
    """Load a flow as a zygote does."""
    style = LogSettings("info", "text")
    return flow_loader.load(
        Load(1, named, domain, name, SwfEndpoint(endpoint_url="http://127.0.0.1:9"), style)
    )


def test_a_module_is_a_flow(write: Callable[[str], str]) -> None:
    """Domain, name and task lists come from the module; external activities have no list here."""
    loaded = load(write(GOOD))
    assert (loaded.domain, loaded.name, loaded.version) == ("shop", "orders", "1.0")
    assert loaded.external_lists == ("orders_bill",)
    assert loaded.task_lists == (
        TaskList("orders", Role.DECIDER, "decider"),
        TaskList("orders_make", Role.ACTIVITY, "make"),
        TaskList("orders_serve", Role.ACTIVITY, "serve"),
    )


UNSAID = """
from garcon import activity
from garcon.activity import Activity
domain, name = "shop", "orders"
create = activity.create(domain, name)
class Own(Activity):
    restartable = False
silent = create(name="silent", tasks=[print])
denies = create(name="denies", tasks=[print], restartable=False)
agrees = create(name="agrees", tasks=[print], restartable=True)
retries = create(name="retries", tasks=[print], retry=1)
own = Own(name="orders_own", task_list="orders_own", domain=domain, tasks=[print])
"""


def test_activities_that_fail_with_their_worker_are_found(write: Callable[[str], str]) -> None:
    """Those without retries whose author, or author's class, did not say ``restartable``."""
    assert load(write(UNSAID)).restart_unset == ("silent",)


HEARTBEATS = """
from garcon import activity, runner, task
domain, name = "shop", "orders"
create = activity.create(domain, name)
quick = task.decorate(timeout=60, heartbeat=30)(print)
stated = create(name="stated", run=runner.Sync(quick))
usual = create(name="usual", tasks=[print])
chosen = create(name="chosen", run=runner.Sync(lambda context: context["tasks"]))
"""


def test_heartbeat_timeouts_are_read_without_a_context(write: Callable[[str], str]) -> None:
    """An activity whose tasks are chosen by its context has none before it runs."""
    found = load(write(HEARTBEATS)).heartbeat_timeouts
    assert {name: found[name] for name in ("orders_stated", "orders_usual")} == {
        "orders_stated": 30,
        "orders_usual": 600,
    }


def test_an_object_is_a_flow(write: Callable[[str], str]) -> None:
    """``module:object.attribute`` names the flow."""
    assert load(f"{write(GOOD)}:Holder.inner").name == "inner"


def test_a_class_is_built_with_client_domain_and_name(write: Callable[[str], str]) -> None:
    """``module:Class`` gets a client, ``--domain`` and ``--name``."""
    loaded = load(f"{write(GOOD)}:Flow", domain="elsewhere", name="built")
    assert (loaded.domain, loaded.name) == ("elsewhere", "built")
    assert list(loaded.activities) == ["built_make"]
    assert loaded.target.client is not None


def test_domain_and_name_override_the_flows_own(write: Callable[[str], str]) -> None:
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
        (GOOD.replace('"bill"', r'"b\ud800"'), "", r"activity name 'orders_b\ud800'", 3),
        (GOOD.replace('"bill"', '"a/b"'), "", "SWF refuses the activity name 'orders_a/b'", 3),
        (GOOD + "make.task_list = 'a|b'", "", "SWF refuses the task list 'a|b'", 3),
        (GOOD + "version = ''", "", "SWF refuses the version '': it is empty", 3),
        (GOOD + "version = '1' * 65", "", "has 65 characters, more than 64", 3),
        (GOOD + "tags = list('abcdef')", "", "SWF takes 5 tags for an execution, not 6", 3),
        (GOOD + "tags = ['']", "", "A tag has 1 to 256 characters", 3),
        (GOOD + r"tags = ['a\ud800']", "", "half of a surrogate pair", 3),
        (GOOD + "priority = 2 ** 31", "", "A priority is between", 3),
        (GOOD + "make.generators = [5]", "", "generators= has to hold plain functions, not 5", 3),
        (RAISING.format("def __getattr__(self, name): 1 / 0"), ":flow", "ZeroDivisionError", 3),
        (RAISING.format("def __dir__(self): 1 / 0"), ":flow", "ZeroDivisionError", 3),
        (RAISING.format("x = property(lambda self: exit(5))"), ":flow", "ended the program", 3),
    ],
)
def test_a_flow_that_cannot_be_served_is_refused_in_a_sentence(
    write: Callable[[str], str], text: str, suffix: str, sentence: str, code: int
) -> None:
    """A flow that fails, lacks something or has names that SWF refuses raises CannotServe."""
    with pytest.raises(flow_loader.CannotServe) as refused:
        load(write(text) + suffix)
    assert sentence in str(refused.value)
    assert refused.value.code == code


def test_an_unknown_module_is_named_with_the_folder() -> None:
    """The sentence names the missing module and the folder that was searched."""
    with pytest.raises(flow_loader.CannotServe, match="there is no module 'no_such_flow'"):
        load("no_such_flow")


def test_a_failing_import_shows_the_users_frames_only(write: Callable[[str], str]) -> None:
    """The traceback has the failing line; frames of this package and of imports are folded."""
    name = write("def connect():\n    raise OSError('no database')\nconnect()\n")
    with pytest.raises(flow_loader.CannotServe) as refused:
        load(name)
    message = str(refused.value)
    assert "connect()" in message
    assert "OSError: no database" in message
    assert "supervisor/child/flow_loader.py" not in message
    assert "importlib/" not in message
    assert re.search(
        r"  … \d+ frames of supervisor and importlib\n    File .*, line 3, in <module>", message
    )


@pytest.mark.parametrize(
    ("suffix", "domain", "options", "may"),
    [
        ("", None, {}, True),
        ("", "shop", {}, True),
        ("", "shpo", {}, False),
        ("", "shpo", {"register_domain": True}, True),
        (":Flow", "shpo", {}, False),
        (":Flow", "shpo", {"register_domain": True}, True),
    ],
)
def test_only_the_flows_own_domain_may_be_registered(
    write: Callable[[str], str], suffix: str, domain: str | None, options: Any, may: object
) -> None:
    """A mistyped --domain would become a domain, and SWF deletes none."""
    style, swf = LogSettings("info", "text"), SwfEndpoint(endpoint_url="http://127.0.0.1:9")
    named = f"{write(GOOD)}{suffix}"
    loaded = flow_loader.load(Load(1, named, domain, "orders", swf, style, **options))
    assert loaded.may_register_domain is may


def test_the_local_swf_minds_no_domain(write: Callable[[str], str]) -> None:
    """It ends with the supervisor."""
    swf = SwfEndpoint(endpoint_url="http://127.0.0.1:9", local=True)
    loaded = flow_loader.load(Load(1, write(GOOD), "shpo", None, swf, LogSettings("info", "text")))
    assert loaded.may_register_domain


@pytest.mark.parametrize(
    ("module", "patched"), [("gevent.monkey", "saved"), ("eventlet.patcher", "already_patched")]
)
def test_a_patched_standard_library_is_refused(
    module: str, patched: str, write: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patched locks and sockets do not survive the fork: workers would crash or fall silent."""
    library = SimpleNamespace(**{patched: {}})
    monkeypatch.setitem(sys.modules, module, library)
    flow = write(GOOD)
    assert load(flow).name == "orders"  # loaded, and nothing patched
    setattr(library, patched, {"socket": {}})
    with pytest.raises(flow_loader.CannotServe, match="monkey-patching") as refused:
        load(flow)
    assert refused.value.code == exit_codes.FLOW


def test_a_claim_store_of_no_known_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the import, with the flag's name: every task that needs it would be returned."""
    monkeypatch.setenv("GARCON_CLAIMS", "")
    with pytest.raises(flow_loader.CannotServe, match=r"--claims: A claim store is file:/"):
        flow_loader._use_claims("ftp://x")
    flow_loader._use_claims("file:/claims")
    assert os.environ["GARCON_CLAIMS"] == "file:/claims"


async def _async_hook() -> None:
    """A hook that nothing would wait for."""


@pytest.mark.parametrize(
    ("hook", "fault"),
    [
        (5, "has to be a plain function without parameters"),
        (_async_hook, "has to be a plain function without parameters"),
        (lambda _worker: None, "is called without arguments, and needs some"),
        (lambda: None, ""),
        (lambda worker=None: None, ""),
        (None, ""),
    ],
)
@pytest.mark.parametrize("name", ["on_worker_start", "on_worker_stop"])
def test_a_hook_that_cannot_be_called_is_refused(name: str, hook: Any, fault: str) -> None:
    """It would end every worker at its start, or do nothing."""
    assert flow_loader._hook_fault(SimpleNamespace(**{name: hook}), name) == fault


def test_half_of_a_surrogate_pair_is_no_name() -> None:
    """Neither SWF nor a message takes it."""
    assert limits.name_fault("a\ud800") == "contains '\\ud800'"
