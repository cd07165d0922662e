"""Inputs and results on their way to SWF and back: JSON, and nothing else, of bounded size.

Outward, a value that SWF would refuse is refused here, in words that name the culprit. What is too
long goes to the claim store, if there is one, and comes back from there (``claims``). Inward, the
text is data that others wrote: its length and depth are measured before it is parsed, and it is
never evaluated (``untrusted``). Neither way do values appear in errors: they may be secrets.

Keys that are numbers, truth values or ``None`` come back as texts: JSON has no others.
"""

import json
from collections.abc import Mapping
from typing import Any

from garcon import claims, limits, untrusted
from garcon.errors import GarconError

_CURES = {
    "SWF": f"Set a claim store ({claims.ENVIRONMENT}), or pass the address of large data.",
    "a claim store": "Keep large data elsewhere and pass its address.",
}


class TooLarge(GarconError, ValueError):
    """An input or result is longer than SWF takes."""


class NotSendable(GarconError, TypeError):
    """JSON has no form for an input or result."""


class NotReadable(GarconError, ValueError):
    """An input or result that came from SWF is not what it has to be."""


def encode(values: Any, what: str) -> str:
    """The JSON text of an input or result, or of a claim for it; ``what`` names it in errors.

    Raises:
        TooLarge: It has more than 32,768 characters and there is no claim store, or more than the
            store takes; the message names the largest key.
        NotSendable: JSON has no form for a value, such as a set, NaN, or a list that contains
            itself, or it is nested too deep to be read again; the message names the key.
        claims.Unavailable: The claim store does not answer just now.
    """
    text = check(values, what)
    store = claims.store()
    if len(text) <= limits.PAYLOAD or store is None:
        return text
    return json.dumps(claims.put(text, store))


def check(values: Any, what: str) -> str:
    """The JSON text of an input or result that ``encode`` will take, nothing stored yet.

    Raises:
        TooLarge: As for ``encode``.
        NotSendable: As for ``encode``.
    """
    try:
        text = json.dumps(values, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotSendable(f"{what} cannot be sent as JSON{_culprit(values)}: {error}") from error
    if untrusted.is_too_deep(text):
        raise NotSendable(
            f"{what} cannot be sent as JSON{_culprit(values)}: it is nested more than "
            f"{untrusted.DEPTH} levels deep"
        )
    bound = claims.LARGEST if claims.store() else limits.PAYLOAD
    if len(text) > bound:
        taker = "a claim store" if claims.store() else "SWF"
        raise TooLarge(
            f"{what} is {len(text):,} characters of JSON, more than the {bound:,} that "
            f"{taker} takes{_largest(values)}. {_CURES[taker]}"
        )
    return text


def decode(text: str | None, what: str) -> Any:
    """The value of a JSON text, or of the claim in it; an empty or missing text is ``None``.

    Raises:
        NotReadable: The text is too long or too deep, or not JSON, or what it claims is not there.
        claims.Unavailable: The claim store does not answer just now.
    """
    if not text:
        return None
    if len(text) > limits.PAYLOAD:
        raise NotReadable(f"{what} has {len(text):,} characters; SWF allows {limits.PAYLOAD:,}.")
    value = _loaded(text, what)
    if not claims.is_claim(value):
        return value
    try:
        return _loaded(claims.get(value), what)
    except claims.NotThere as error:
        raise NotReadable(f"{what} is a claim. {error}") from error


def _loaded(text: str, what: str) -> Any:
    try:
        return untrusted.loads(text)
    except untrusted.TooDeep as error:
        raise NotReadable(f"{what} cannot be read: {error}.") from error
    except ValueError as error:
        raise NotReadable(f"{what} is not JSON: {error}.") from error


def decode_object(text: str | None, what: str) -> dict[str, Any]:
    """The dictionary of a JSON text; nothing at all is an empty one.

    Raises:
        NotReadable: The text is too long, not JSON, or not a JSON object.
    """
    value = decode(text, what)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotReadable(f"{what} must be a JSON object, not {type(value).__name__}.")
    return value


def _largest(values: Any) -> str:
    if not isinstance(values, Mapping) or not values:
        return ""
    sizes = {key: len(json.dumps(value)) for key, value in values.items()}
    key = max(sizes, key=lambda name: sizes[name])
    return f"; its largest key is {key!r} with {sizes[key]:,}"


def _culprit(values: Any) -> str:
    if not isinstance(values, Mapping):
        return ""
    return next((f" (key {key!r})" for key, value in values.items() if not _plain(value)), "")


def _plain(value: Any) -> bool:
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return not untrusted.is_too_deep(text)
