"""Pages of results, and the tokens that lead from one to the next.

A page holds at most `maximumPageSize` results (0 or nothing means the most). Its token says after
which result the next page begins, not how many were given, so that a listing neither repeats nor
skips what it showed when things come and go in between.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from garcon.local.engine.ids import page_token, read_page_token
from garcon.local.engine.messages import Body
from garcon.local.engine.world import World

Name = TypeVar("Name", bound=tuple[str, ...])


def page_size(world: World, params: Body) -> int:
    """How many results the page of this request may hold."""
    most = world.settings.page_size
    return min(params.get("maximumPageSize") or most, most)


def position(world: World, params: Body, purpose: str) -> Any:
    """Where the token of a request leads, None at the first page.

    Raises:
        Fault: ValidationException for a token of another listing, or an expired one.
    """
    token = params.get("nextPageToken")
    if not token:
        return None
    return read_page_token(token, purpose, world.now, world.settings.page_token_life)


def continued(world: World, body: Body, purpose: str, position: Any) -> Body:
    """The same page with the token to the next one."""
    return body | {"nextPageToken": page_token(purpose, position, world.now)}


def page_of_names(
    world: World, params: Body, member: str, items: Mapping[Name, Any], purpose: str
) -> Body:
    """A page of items in the order of their names, or the reverse of it."""
    reverse = bool(params.get("reverseOrder"))
    purpose = f"{purpose} {reverse}"
    after = position(world, params, purpose)
    names = sorted(items, reverse=reverse)
    if after is not None:
        last = tuple(after)
        names = [name for name in names if (name < last if reverse else name > last)]
    shown = names[: page_size(world, params)]
    body = {member: [items[name] for name in shown]}
    return continued(world, body, purpose, shown[-1]) if len(shown) < len(names) else body
