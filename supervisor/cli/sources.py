"""Sources of settings: the command line, the environment and the configuration file.

Rules of this file:

1. Precedence: command line, then environment (``GARCON_*``), then ``--config FILE.toml``, then the
   default.
2. Every value is checked at its source, so that the error can name the flag, variable or file.
3. ``read`` alone reads the environment and the file.
"""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from supervisor.cli import argument_parser, setting_checks
from supervisor.cli.options import BY_NAME, DEFAULT, NAMES, OPTIONS, PREFIX, REPEATABLE
from supervisor.config.setting_types import ALL
from supervisor.config.settings import Settings, SettingsError
from supervisor.ipc.conventions import SERVING_CHANNEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

OTHER_VARIABLES = (PREFIX + "CONFIG", SERVING_CHANNEL)
"""Variables with the prefix that are not settings: ``--config``, and that of retired code."""

LOCAL_PACKAGES = ("uvicorn", "httptools", "uvloop")
"""Packages of the extra ``local`` that the local SWF cannot do without."""

LOCAL_EXTRA = "install it with pip install 'garcon[local]'."

_EXAMPLES = {
    "pools": "LIST=N, as in resize=4",
    "scale": "LIST=MIN..MAX, as in resize=1..8",
    "polls": "all, or LIST=MIN..MAX, as in resize=1..8, or LIST=all",
}
"""The notation of settings with a value per task list."""

_Layer = dict[str, tuple[Any, str]]
"""The settings of one source: the value of each, and the place."""


@dataclass(frozen=True)
class ParsedOptions:
    """The settings and where they come from.

    Attributes:
        settings: The settings, checked one by one and together.
        origins: Per setting the flag, variable or file that gave it, or ``default``.
        check: Whether ``--check`` was given.
        verbose: Whether ``--verbose`` was given.
        warnings: A sentence for each environment variable that looks like a setting and is not one.
    """

    settings: Settings
    origins: dict[str, str]
    check: bool = False
    verbose: bool = False
    warnings: tuple[str, ...] = ()


def read(argv: Sequence[str], environ: Mapping[str, str]) -> ParsedOptions:
    """Read all sources. Raises ``SettingsError`` with one sentence."""
    given = argument_parser.parse(argv)
    check, verbose = bool(given.pop("check", None)), bool(given.pop("verbose", None))
    path = given.pop("config", None) or environ.get(PREFIX + "CONFIG")
    _ensure_characters(path, "--config")
    layers = (
        _from_file(Path(path)) if path else {},
        _from_environment(environ),
        _from_flags(given),
    )
    values: dict[str, Any] = {}
    origins = dict.fromkeys(BY_NAME, DEFAULT)
    for layer in layers:
        for name, (value, origin) in layer.items():
            values[name], origins[name] = value, origin
    settings = Settings(**values)
    _check_together(settings, origins)
    if verbose and not check:
        raise SettingsError("--verbose goes with --check. For more log lines: --log-level debug.")
    return ParsedOptions(settings, origins, check, verbose, _warnings(environ))


def _check_together(settings: Settings, origins: Mapping[str, str]) -> None:
    try:
        setting_checks.check(settings, origins)
    except OSError as error:  # of a folder that this user may not search, or that is gone
        where = error.filename or "The working folder"
        raise SettingsError(f"{where} cannot be read: {error.strerror}.") from error


def for_terminal(parsed: ParsedOptions, *, live: bool) -> Settings:
    """The settings; a live view of ``--once`` logs warnings only, unless a level was given."""
    if live and parsed.settings.once and parsed.origins["log_level"] == DEFAULT:
        return msgspec.structs.replace(parsed.settings, log_level="warning")
    return parsed.settings


def check_local(settings: Settings) -> None:
    """Raise ``SettingsError`` if ``--local`` lacks its packages."""
    if settings.local:
        missing = next((each for each in LOCAL_PACKAGES if find_spec(each) is None), None)
        if missing:
            raise SettingsError(f"{missing} is missing: {LOCAL_EXTRA}")


# --- sources --------------------------------------------------------------------------------------


def _from_flags(given: Mapping[str, Any]) -> _Layer:
    layer: _Layer = {}
    for name, value in given.items():
        flag = BY_NAME[name].flag
        origin = flag.replace("--", "--no-", 1) if value is False else flag
        layer[name] = (_checked(name, value, origin), origin)
    return layer


def _from_environment(environ: Mapping[str, str]) -> _Layer:
    layer: _Layer = {}
    for option in OPTIONS:
        for variable in option.variables:
            if text := environ.get(variable):
                value = _several(option.name, text) if option.name in REPEATABLE else text
                if option.name in layer:
                    raise SettingsError(_twice(layer[option.name][1], variable))
                layer[option.name] = (_checked(option.name, value, variable), variable)
    return layer


def _several(name: str, text: str) -> list[str]:
    # JSON has commas of its own, and so may the name of a list.
    return [text] if name in ("start", "served_list") else text.split(",")


def _from_file(path: Path) -> _Layer:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--config {path} cannot be read: {error}.") from error
    except RecursionError as error:
        raise SettingsError(f"--config {path} is nested too deeply.") from error
    except ValueError as error:  # also an integer of more digits than Python reads
        raise SettingsError(f"--config {path} is not valid TOML: {error}.") from error
    layer: _Layer = {}
    keys: dict[str, str] = {}  # by setting
    for key, value in table.items():
        name = NAMES.get(key.replace("-", "_"))
        if name is None:
            raise SettingsError(f"--config {path}: there is no setting {key!r}{_nearest_key(key)}")
        if (first := keys.setdefault(name, key)) != key:
            raise SettingsError(f"--config {path}: {_twice(repr(first), repr(key))}")
        layer[name] = (_checked(name, value, f"{path}: {key}"), str(path))
    return layer


def _twice(one: str, other: str) -> str:
    """A setting may be called as itself or as its flag, but each source gives it once."""
    return f"{one} and {other} are the same setting: leave one out."


# --- names that are not settings ------------------------------------------------------------------


def _nearest_key(key: str) -> str:
    near = argument_parser.nearest(key.replace("-", "_"), NAMES)
    return f"; did you mean {BY_NAME[NAMES[near]].key!r}?" if near else "."


def _warnings(environ: Mapping[str, str]) -> tuple[str, ...]:
    known = {variable for option in OPTIONS for variable in option.variables}
    known.update(OTHER_VARIABLES)
    unknown = (each for each in sorted(environ) if each.startswith(PREFIX) and each not in known)
    return tuple(_warning(each, known) for each in unknown)


def _warning(variable: str, known: Iterable[str]) -> str:
    names = [each.removeprefix(PREFIX) for each in known]
    near = argument_parser.nearest(
        variable.removeprefix(PREFIX), names
    )  # the prefix alone does not count
    hint = f"Did you mean {PREFIX}{near}?" if near else "--help-settings lists all variables."
    return f"{variable} is not a setting and has no effect. {hint}"


# --- checks ---------------------------------------------------------------------------------------


def _checked(name: str, value: Any, origin: str) -> Any:
    if name == "polls":
        value = _every_list(value)
    if name in _EXAMPLES and isinstance(value, list):
        value = _pairs(value, origin, _EXAMPLES[name])
    try:
        value = msgspec.convert(value, BY_NAME[name].kind, strict=False, dec_hook=_parsed)
    except msgspec.ValidationError as error:
        shown = repr(value)
        raise SettingsError(f"{origin}: {_in_words(str(error))}, not {shown[:80]}.") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingsError(f"{origin}: expected a finite number, not {value}.")
    _ensure_characters(value, origin)
    if name == "start":
        for text in value:
            _check_input(text, origin)
    return value


def _parsed(kind: Any, value: Any) -> Any:
    """A value of one of ``setting_types``, which msgspec does not know."""
    return kind.parse(str(value))


def _in_words(fault: str) -> str:
    """Msgspec's message without its location, its types replaced by common words."""
    fault = fault.split(" - at ", maxsplit=1)[0].split(", got ", maxsplit=1)[0]
    fault = fault.replace(" | null`", "`")
    for words, theirs in (
        ("a whole number", "`int`"),
        ("a number", "`float`"),
        ("text", "`str`"),
        ("a table", "`object`"),
        ("true or false", "`bool`"),
    ):
        fault = fault.replace(theirs, words)
    return fault[:1].lower() + fault[1:]


def _every_list(value: Any) -> Any:
    """``all`` alone, as the pair that means every list."""
    values = [value] if value == ALL else value
    if not isinstance(values, list):
        return values
    return [f"{ALL}={ALL}" if each == ALL else each for each in values]


def _pairs(pairs: Iterable[str], origin: str, example: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in map(str, pairs):
        name, equals, value = pair.strip().rpartition("=")
        if not equals or not name:
            raise SettingsError(f"{origin} {pair}: expected {example}.")
        if name in values:
            raise SettingsError(f"{origin}: {name} is given twice.")
        values[name] = value
    return values


def _ensure_characters(value: Any, origin: str) -> None:
    """Refuse bytes of an argument that are not UTF-8: no message or reply can carry them."""
    texts = (*value, *value.values()) if isinstance(value, dict) else value
    for text in texts if isinstance(texts, tuple) else (texts,):
        if isinstance(text, str) and not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise SettingsError(f"{origin}: {text[:80]!r} is not UTF-8 text.") from error


def _check_input(text: str, origin: str) -> None:
    _ensure_characters(text, origin)
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = "half of a surrogate pair is not a character"
        raise SettingsError(f"{origin} {text[:80]}: invalid JSON: {half}.") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{origin} {text[:80]}: invalid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise SettingsError(
            f"{origin} {text[:80]}: the input of an execution is a JSON object, as in {{}}."
        )


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:20]} is too large")
    return number
