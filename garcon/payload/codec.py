"""JSON of inputs and results: encoded once on the way to SWF, checked on the way back.

Rules:

1. A value that SWF would refuse is refused here, by an error that names the key. A text that is too
   long goes to the claim store, if there is one (``claims``).
2. A text from SWF is data that others wrote: its length and depth are measured before it is parsed,
   and it is never evaluated (``safe_json``).
3. Errors never contain values, which may be secrets.
4. Keys that are numbers, booleans or ``None`` come back as texts: JSON has no others.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from garcon import claims
from garcon.aws import limits
from garcon.errors import GarconError
from garcon.payload import safe_json
from garcon.user_code.text import repr_of, text_of, type_name

_CURES = {
    "SWF": f"Set a claim store ({claims.ENVIRONMENT}) on all hosts of the flow, or pass "
    "the address of large data.",
    "a claim store": "Keep large data elsewhere and pass its address.",
}


_ENCODER = json.JSONEncoder(allow_nan=False)  # ``json.dumps`` would make one at each call


class TooLarge(GarconError, ValueError):
    """An input or result is longer than SWF, or the claim store, takes."""


class NotSendable(GarconError, TypeError):
    """JSON has no form for an input or result."""


class NotReadable(GarconError, ValueError):
    """An input or result from SWF is not JSON of the expected form."""


@dataclass(frozen=True)
class EncodedPayload:
    """An input or result, encoded once: what SWF, the crash record and the spool get.

    Attributes:
        json: Its JSON text, of any length that ``encoded`` lets pass.
    """

    json: str

    @property
    def text(self) -> str:
        """The text for SWF: the JSON, or a claim for it where it is too long.

        The first access uploads what is too long to the claim store; later ones do not.

        Raises:
            claims.ClaimStoreUnavailable: The claim store did not take it; a later access may work.
        """
        return self.json if len(self.json) <= limits.PAYLOAD else self._claim

    @cached_property
    def _claim(self) -> str:
        if (store := claims.store()) is None:
            return self.json
        return json.dumps(claims.put(self.json, store))


def encoded(values: Any, what: str) -> EncodedPayload:
    """Encode an input or result, and check that SWF or the claim store will take it.

    Args:
        values: Any JSON value; for tasks and workflows a dictionary.
        what: Its name in errors, such as "The result of orders_charge-1".

    Raises:
        TooLarge: It has more than 32,768 characters and there is no claim store, or more than the
            store takes; the message names the largest key.
        NotSendable: JSON has no form for a value, such as a set, NaN, a list that contains
            itself or half of a surrogate pair, or it is nested too deep to be read again; the
            message names the key.
    """
    try:
        text = _dumped(values)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotSendable(f"{what} cannot be sent as JSON{_culprit(values)}: {error}") from error
    if safe_json.is_too_deep(text):
        raise NotSendable(
            f"{what} cannot be sent as JSON{_culprit(values)}: it is nested more than "
            f"{safe_json.DEPTH} levels deep"
        )
    if len(text) > limits.PAYLOAD:
        _check_length(text, values, what)
    return EncodedPayload(text)


def _check_length(text: str, values: Any, what: str) -> None:
    """Check a text that is too long for SWF."""
    taker = "a claim store" if claims.store() else "SWF"
    bound = claims.LARGEST if claims.store() else limits.PAYLOAD
    if len(text) > bound:
        raise TooLarge(
            f"{what} is {len(text):,} characters of JSON, more than the {bound:,} that "
            f"{taker} takes{_largest(values)}. {_CURES[taker]}"
        )


def encode(values: Any, what: str) -> str:
    """The text for SWF of an input or result: see ``encoded`` and ``EncodedPayload.text``."""
    return encoded(values, what).text


def decode(text: str | None, what: str) -> Any:
    """The value of a text from SWF; ``None`` for a missing or empty text.

    Args:
        text: JSON, or a claim for it.
        what: Its name in errors, such as "The result of orders_charge-1".

    Raises:
        NotReadable: The text is too long, too deep or not JSON, or the claim cannot be redeemed.
        claims.ClaimStoreUnavailable: The claim store does not answer just now.
    """
    if not text:
        return None
    if not isinstance(text, str):
        raise NotReadable(f"{what} has to be a text, not {type_name(text)}.")
    if len(text) > limits.PAYLOAD:
        raise NotReadable(f"{what} has {len(text):,} characters; SWF allows {limits.PAYLOAD:,}.")
    value = _loaded(text, what)
    if not claims.is_claim(value):
        return value
    try:
        return _loaded(claims.get(value), what)
    except claims.ClaimNotFound as error:
        raise NotReadable(f"{what} is in a claim store. {error}") from error


def _loaded(text: str, what: str) -> Any:
    try:
        value = safe_json.loads_strictly(text)
    except safe_json.TooDeep as error:
        raise NotReadable(f"{what} cannot be read: {error}.") from error
    except ValueError as error:
        raise NotReadable(f"{what} is not JSON: {error}.") from error
    if _has_half_pair(text, value):
        raise NotReadable(
            f"{what} cannot be read{_culprit(value)}: it holds half of a surrogate pair, which is "
            "not a character."
        )
    return value


def _has_half_pair(text: str, value: Any) -> bool:
    if text.isascii() and "\\ud" not in text and "\\uD" not in text:  # nearly always, and quick
        return False
    try:
        text.encode()
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def decode_object(text: str | None, what: str) -> dict[str, Any]:
    """The dictionary of a text from SWF; an empty one for a missing or empty text.

    Args:
        text: A JSON object, or a claim for it.
        what: Its name in errors.

    Raises:
        NotReadable: As for ``decode``, or the value is not a JSON object.
        claims.ClaimStoreUnavailable: The claim store does not answer just now.
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
    try:
        items = [*values.items()]
    except Exception:  # noqa: BLE001 - the user's code, which has just been blamed
        return ""
    return next((f" (key {repr_of(key)})" for key, value in items if not _plain(value)), "")


def _dumped(values: Any) -> str:
    """The JSON text.

    An error of the user's own classes becomes a ``TypeError``: the next attempt would meet it, too.

    Raises:
        ValueError: NaN, infinity, a list that contains itself, or half of a surrogate pair: such a
            text cannot be written in UTF-8, so other readers would fail on it.
        TypeError: JSON has no form for a value.
    """
    try:
        text = _ENCODER.encode(values)
    except ValueError as error:
        if "float" not in str(error):  # a list that contains itself
            raise
        raise ValueError("JSON has neither NaN nor infinity") from error
    except (TypeError, RecursionError):
        raise
    except Exception as error:  # user code: a dictionary's class may have methods of its own
        raise TypeError(f"{type_name(error)}: {text_of(error)}") from error
    if "\\ud" in text:  # also of whole pairs, which are as rare
        json.dumps(values, ensure_ascii=False).encode()
    return text


def _plain(value: Any) -> bool:
    try:
        text = _dumped(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return not safe_json.is_too_deep(text)
