"""botocore's data of SWF and of its endpoints, read in less time and into less memory.

Every zygote and every program that makes a client reads them once, which was most of the time that
a client took.

1. botocore looks through the folders of all 400 services to see whether SWF is one of them. Whether
   its folder is there shows when its model is read.
2. Endpoints are over a megabyte of JSON, for which msgspec takes a third of the time; plain
   dictionaries keep the order as well as ``OrderedDict`` and take less than half of its memory.
3. botocore computes the endpoint and the user agent at each call, an eighth of the call's time.
   They depend on region, FIPS and the like, which a client of SWF has once for all. urllib3 takes
   the URL apart at each call to find its pool of connections; all calls have the same URL.
4. botocore reads the model's shapes and the names of its events anew for each client: the first ten
   calls of a client took four times as long as later ones. Programs that make many clients, such
   as tests, let them share both.
"""

import functools
import gzip
import weakref
from collections.abc import Callable
from typing import Any

import botocore.session
import msgspec
from botocore.client import BaseClient
from botocore.loaders import JSONFileLoader, Loader

_OPEN: dict[str, Callable[[str], Any]] = {".json": functools.partial(open, mode="rb")}
_OPEN[".json.gz"] = gzip.open
"""Functions that open a file of data, by its ending; ``AWS_DATA_PATH`` may have either."""


class _QuickFileLoader(JSONFileLoader):
    def load_file(self, file_path: str) -> Any:
        """The data of this path without its ending; ``None`` if there is none."""
        for ending, opened in _OPEN.items():
            try:
                with opened(file_path + ending) as file:
                    return msgspec.json.decode(file.read())
            except (FileNotFoundError, NotADirectoryError):
                continue
        return None


class _SwfLoader(Loader):
    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's
        """SWF, which is all that is asked for."""
        return ["swf"]


def read_quickly(session: botocore.session.Session) -> botocore.session.Session:
    """The same session, which makes clients of SWF alone, with a quicker reader of its data."""
    folders = session.get_component("data_loader").search_paths
    loader = _SwfLoader(folders, _QuickFileLoader(), include_default_search_paths=False)
    session.register_component("data_loader", loader)
    return session


def compute_once(client: BaseClient) -> None:
    """Let a client of SWF find endpoint, user agent and pool of connections at its first call."""
    # Private: botocore has no setting for it. Without them it computes at each call as ever.
    for part, method in (
        ("_ruleset_resolver", "construct_endpoint"),
        ("_user_agent_creator", "to_string"),
    ):
        owner = getattr(client, part, None)
        if owner is not None:
            setattr(owner, method, _Once(getattr(owner, method)))
    names = getattr(client, "_user_agent_creator", None)
    if (replace := getattr(names, "rebuild_and_replace_user_agent_handler", None)) is not None:
        client.meta.events.unregister("request-created.swf", replace)  # the request has it already
    pools = getattr(getattr(client, "_endpoint", None), "http_session", None)
    if (manager := getattr(pools, "_manager", None)) is not None:
        manager.connection_from_url = _LastPool(manager)


_shared: dict[str, Any] = {}


def share_caches(client: BaseClient) -> None:
    """Let a client of SWF use what others have read of the model and of the names of its events."""
    # Private, as above: without these members each client reads for itself.
    for part, member in (
        (client.meta, "_service_model"),
        (client.meta.events, "_alias_name_cache"),
    ):
        if hasattr(part, member):
            setattr(part, member, _shared.setdefault(member, getattr(part, member)))


class _LastPool:
    """The pool of connections for a URL, while its manager has it: to close is to forget it.

    Args:
        manager: Of urllib3; it has this object, which therefore holds it weakly.
    """

    def __init__(self, manager: Any) -> None:
        self._find: Any = weakref.WeakMethod(manager.connection_from_url)
        self._pools = manager.pools
        self._last: tuple[str, Callable[[], Any]] = "", lambda: None

    def __call__(self, url: str, pool_kwargs: dict[str, Any] | None = None) -> Any:
        known, get = self._last  # in one step: threads share a client
        pool = get() if known == url and len(self._pools) else None
        if pool is None:
            pool = self._find()(url, pool_kwargs)
            self._last = url, weakref.ref(pool)
        return pool


class _Once:
    """The first result of a function, for every call."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._result: Any = None

    def __call__(self, *args: Any, **named: Any) -> Any:
        if self._result is None:
            self._result = self._function(*args, **named)
        return self._result
