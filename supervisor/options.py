"""From the command line, the environment and a file to ``Settings``, and back to who said what.

Rules of this file:

1. Precedence, once: command line, then environment (``GARCON_*``), then ``--config FILE.toml``,
   then the default. ``Settings`` is the list; this file names no setting of its own but the three
   that are no settings: ``--config``, ``--check``, ``--version``.
2. Every value is checked where it comes from, so that the sentence can name the place.
3. Reading the environment and the file happens in ``read``; everything else is pure.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from supervisor import __version__, histories, sizes, spans, surges, usage
from supervisor.settings import Settings, SettingsError
from supervisor.tuning import Tuning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ENVIRONMENT = "GARCON_"
"""Prefix of the environment's variables: ``GARCON_WORKERS=8``."""

_OF_OTHERS = {ENVIRONMENT + "CONFIG", ENVIRONMENT + "CLAIMS"}
"""Variables with our prefix that are no settings: ``--config``, and garcon's claim store."""

_REPEATABLE = {
    "pools": "--pool",
    "scale": "--scale",
    "start": "--start",
}  # said once for each, so named in the singular

_EXAMPLES = {"pools": "LIST=N, as in resize=4", "scale": "LIST=MIN..MAX, as in resize=1..8"}
"""What a setting takes that is a value for each list."""


@dataclass(frozen=True)
class Option:
    """One setting, as the outside sees it."""

    name: str
    flag: str
    kind: Any
    default: Any
    help: str
    metavar: str | None
    hidden: bool

    @property
    def words(self) -> tuple[str, ...]:
        """Its names in environment and file: the setting's, and the flag's if that differs."""
        return tuple(dict.fromkeys((self.name, self.flag.removeprefix("--").replace("-", "_"))))

    @property
    def variables(self) -> tuple[str, ...]:
        """Its names in the environment."""
        return tuple(ENVIRONMENT + each.upper() for each in self.words)


@dataclass(frozen=True)
class Said:
    """What was asked for: the settings, who said each, and what to do with them."""

    settings: Settings
    origins: dict[
        str, str
    ]  # setting -> "--workers", "GARCON_WORKERS", the file's name or "default"
    check: bool
    unknown: tuple[str, ...] = ()  # variables that look like settings and are none


def read(argv: Sequence[str], environ: Mapping[str, str]) -> Said:
    """Everything that was said, checked; raises ``SettingsError`` with one sentence."""
    said = _parser().parse_args(argv)
    flags = {name: value for name, value in vars(said).items() if value is not None}
    check, path = (
        flags.pop("check"),
        flags.pop("config", None) or environ.get(ENVIRONMENT + "CONFIG"),
    )
    layers = [
        _from_flags(flags),
        _from_environment(environ),
        _from_file(Path(path)) if path else {},
    ]
    values: dict[str, Any] = {}
    origins = {each.name: "default" for each in OPTIONS}
    for layer in reversed(layers):
        for name, (value, origin) in layer.items():
            values[name], origins[name] = value, origin
    settings = Settings(**values)
    _check_together(settings, origins)
    return Said(settings, origins, check, _unknown(environ))


def for_terminal(said: Said, *, live: bool) -> Settings:
    """The settings, with a live view's terminal left to it where nobody asked for log lines."""
    if live and said.settings.once and said.origins["log_level"] == "default":
        return msgspec.structs.replace(said.settings, log_level="warning")
    return said.settings


def refuse_root(settings: Settings, user: int) -> None:
    """Raise ``SettingsError`` where root would run somebody's tasks without being told to.

    A trial on an SWF of our own is let be: it is what people do first, often in a container.
    """
    if user == 0 and not settings.allow_root and not settings.local:
        raise SettingsError(
            f"All workers of {settings.flow} would run as root. Start it as another user (under"
            " systemd: User=, in a container: USER), or say --allow-root if root it must be."
        )


def _options() -> tuple[Option, ...]:
    hints = get_type_hints(Settings, include_extras=True)
    found = [_option(each, hints[each.name]) for each in msgspec.structs.fields(Settings)]
    return tuple(sorted(found, key=lambda each: each.hidden))


def _option(field: msgspec.structs.FieldInfo, kind: Any) -> Option:
    about = next(
        each for each in kind.__metadata__ if isinstance(each, msgspec.Meta) and each.description
    )
    extra = about.extra or {}
    default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return Option(
        name=field.name,
        flag=_REPEATABLE.get(field.name, "--" + field.name.replace("_", "-")),
        kind=kind,
        default=default,
        help=about.description or "",
        metavar=extra.get("metavar") or None,
        hidden=field.name in Tuning.__struct_fields__,
    )


OPTIONS = _options()
"""All settings in the order of their files, those that have a flag first."""

_BY_NAME = {each.name: each for each in OPTIONS}
_BY_WORD = {word: each.name for each in OPTIONS for word in each.words}


# --- the command line


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m supervisor",
        usage=usage.USAGE,
        description="Keep a pool of Amazon SWF decider and activity workers alive on this host.",
        epilog=usage.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    group = parser.add_argument_group()
    for each in OPTIONS:
        if each.name in usage.HEADINGS:
            group = parser.add_argument_group(usage.HEADINGS[each.name])
        if not each.hidden:
            _add(group, each)
    parser.add_argument("--config", metavar="FILE.toml", help="settings from a file")
    parser.add_argument(
        "--check",
        action="store_true",
        help="load the flow, show the settings with their origins, lists and pools, and exit",
    )
    parser.add_argument("--version", action="version", version=f"garcon supervisor {__version__}")
    return parser


def _add(group: argparse._ArgumentGroup, option: Option) -> None:
    how: dict[str, Any] = {
        "dest": option.name,
        "default": None,
        "help": option.help.replace("%", "%%"),
    }
    if isinstance(option.default, bool):
        how["action"] = "store_true"
    elif choices := _choices(option.kind):
        how["choices"] = choices
    else:
        how["metavar"] = option.metavar or option.name.upper()
    if option.name in _REPEATABLE:
        how["action"] = "append"
    group.add_argument(option.flag, **how)


def _choices(kind: Any) -> tuple[str, ...]:
    return getattr(kind.__origin__, "__args__", ()) if _is_literal(kind) else ()


def _is_literal(kind: Any) -> bool:
    return str(kind.__origin__).startswith("typing.Literal")


_Layer = dict[str, tuple[Any, str]]


def _from_flags(flags: dict[str, Any]) -> _Layer:
    return {
        name: (_checked(name, value, _BY_NAME[name].flag), _BY_NAME[name].flag)
        for name, value in flags.items()
    }


def _from_environment(environ: Mapping[str, str]) -> _Layer:
    layer: _Layer = {}
    for each in OPTIONS:
        for variable in each.variables:
            if text := environ.get(variable):
                value: Any = text
                if each.name in _REPEATABLE:
                    value = [text] if each.name == "start" else text.split(",")
                layer[each.name] = (_checked(each.name, value, variable), variable)
    return layer


def _from_file(path: Path) -> _Layer:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--config {path} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"--config {path} is no TOML: {error}.") from error
    layer: _Layer = {}
    for key, value in table.items():
        name = _BY_WORD.get(key.replace("-", "_"))
        if name is None:
            raise SettingsError(
                f"--config {path}: there is no setting {key!r}. --check lists them."
            )
        layer[name] = (_checked(name, value, f"{path}: {key}"), str(path))
    return layer


# --- checking


def _checked(name: str, value: Any, origin: str) -> Any:
    if name in _EXAMPLES and isinstance(value, list):
        value = _pairs(value, origin, _EXAMPLES[name])
    try:
        value = msgspec.convert(value, _BY_NAME[name].kind, strict=False, dec_hook=_own)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{origin}: {_in_words(str(error))}, not {value!r}.") from error
    if name == "start":
        for text in value:
            _check_input(text, origin)
    return value


_PARSERS: dict[type, Callable[[str], Any]] = {
    sizes.Size: sizes.parse,
    spans.Span: spans.parse,
    surges.Surge: surges.parse,
    histories.Histories: histories.parse,
}


def _own(kind: type, value: Any) -> Any:
    """A value of a type that msgspec does not know."""
    return _PARSERS[kind](str(value))


def _in_words(fault: str) -> str:
    """Msgspec's complaint without its type names for what people know by other names."""
    fault = fault.split(" - at ", maxsplit=1)[0].split(", got ", maxsplit=1)[0]
    for ours, theirs in (
        ("a whole number", "`int`"),
        ("a number", "`float`"),
        ("text", "`str`"),
        ("a table", "`object`"),
        ("true or false", "`bool`"),
    ):
        fault = fault.replace(theirs, ours)
    return fault[:1].lower() + fault[1:]


def _pairs(pairs: Iterable[str], origin: str, example: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.strip().rpartition("=")
        if not equals or not name:
            raise SettingsError(f"{origin} {pair}: it takes {example}.")
        if name in values:
            raise SettingsError(f"{origin}: {name} is given twice.")
        values[name] = value
    return values


def _check_input(text: str, origin: str) -> None:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise SettingsError(f"{origin} {text[:80]}: it is no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise SettingsError(
            f"{origin} {text[:80]}: an execution's input is a JSON object, as in {{}}."
        )


def _unknown(environ: Mapping[str, str]) -> tuple[str, ...]:
    known = {variable for each in OPTIONS for variable in each.variables} | _OF_OTHERS
    return tuple(
        sorted(each for each in environ if each.startswith(ENVIRONMENT) and each not in known)
    )


def _check_together(settings: Settings, origins: Mapping[str, str]) -> None:
    if not settings.flow:
        raise SettingsError("--flow is missing: which flow is to be served? See --help.")
    if settings.once and not settings.start:
        raise SettingsError("--once waits for executions of --start, and none is given.")
    if settings.local and settings.endpoint_url:
        said = origins["endpoint_url"]
        raise SettingsError(f"--local brings its own endpoint: leave {said} out.")
    soft, hard = settings.max_memory, settings.max_memory_hard
    if soft and hard and hard <= soft:
        raise SettingsError(
            f"--max-memory-hard {hard} must be above --max-memory {soft}: a worker that grew in a"
            " task is to be replaced after it, not killed in it."
        )
