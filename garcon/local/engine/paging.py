"""Pages of results, and the tokens that lead from one page to the next.

- A page holds at most `maximumPageSize` results (0 or nothing means the most).
- A token holds the last result shown, not a count, so that a listing neither repeats nor skips
  results when entries come and go between two pages.
- A token also holds its purpose and its time, so that nothing is stored for a listing that is never
  continued.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from garcon.local.engine.faults import Fault, invalid
from garcon.local.engine.messages import Body
from garcon.local.engine.world import World

Name = TypeVar("Name", bound=tuple[str, ...])


def page_token(purpose: str, position: Any, now: float) -> str:
    """A token that `read_page_token` accepts for the same purpose until it expires.

    A purpose holds names of any length and script, so the token holds its digest, and the
    position as UTF-8: the model allows a token 2,048 characters.
    """
    text = json.dumps([_digest(purpose), position, now], ensure_ascii=False)
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def _digest(purpose: str) -> str:
    return hashlib.sha256(purpose.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_page_token(token: str, purpose: str, now: float, life: float) -> Any:
    """The position in a token.

    Raises:
        Fault: ValidationException for a token of another listing, or older than `life` seconds.
    """
    try:
        made_for, position, made_at = json.loads(base64.b64decode(token, validate=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise _foreign() from error
    if made_for != _digest(purpose):
        raise _foreign()
    if now - made_at > life:
        raise invalid("Specified token has exceeded its maximum lifetime")
    return position


def _foreign() -> Fault:
    return invalid("Invalid token: nextPageToken was not given for this request")


def page_size(world: World, params: Body) -> int:
    """The number of results that the page of this request may hold."""
    most = world.settings.page_size
    return min(params.get("maximumPageSize") or most, most)


def position(world: World, params: Body, purpose: str) -> Any:
    """The position in the token of a request, None at the first page.

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
    """A page of items in the order of their names, or in reverse."""
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
