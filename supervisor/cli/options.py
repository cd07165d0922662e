"""Options: each setting with its flag, environment variables, TOML key and documentation.

All of it is derived from ``Settings``; the parser, ``--help``, the sources, ``--check`` and the
configuration reference use this one table.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from supervisor.config.advanced import AdvancedSettings
from supervisor.config.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "GARCON_"
"""Prefix of the environment variables, as in ``GARCON_WORKERS=8``."""

DEFAULT = "default"
"""The origin of a setting that no source gives."""

_SINGULAR = {"pools": "--pool"}
"""The flags that do not have their setting's name: each gives one value of several."""

REPEATABLE = ("pools", "scale", "polls", "served_list", "start")
"""The settings with several values: flags given again, in the environment separated by commas."""


@dataclass(frozen=True)
class Option:
    """One setting, as users see it.

    Attributes:
        name: The setting's name in ``Settings``.
        flag: Its flag, as in ``--max-tasks``; advanced settings have none on the command line.
        kind: Its type, with msgspec's constraints.
        default: The default value.
        help: The meaning, in a few words.
        why: The reason for the default or for the setting.
        unit: The unit of a number; empty for other values.
        metavar: The placeholder of the value.
        default_text: The default in words, where the value does not show it.
        is_advanced: Whether the setting has no flag.
    """

    name: str
    flag: str
    kind: Any
    default: Any
    help: str
    why: str
    unit: str
    metavar: str
    default_text: str
    is_advanced: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the environment and the file: those of the setting and of the flag."""
        return tuple(dict.fromkeys((self.name, self.flag.removeprefix("--").replace("-", "_"))))

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables."""
        return tuple(PREFIX + each.upper() for each in self.names)

    @property
    def key(self) -> str:
        """The key in the TOML file."""
        return self.name.replace("_", "-")

    @property
    def flags(self) -> str:
        """The flag with its value, as ``--help`` shows it."""
        if self.default is True:
            return f"{self.flag}, {self.flag.replace('--', '--no-', 1)}"
        return self.flag if self.default is False else f"{self.flag} {self.placeholder}"

    @property
    def placeholder(self) -> str:
        """The value's placeholder: a name, or the choices."""
        return self.metavar or "|".join(self.choices) or self.name.upper()

    @property
    def choices(self) -> tuple[str, ...]:
        """The valid values, where there are few."""
        return (
            get_args(plain_type(self.kind)) if get_origin(plain_type(self.kind)) is Literal else ()
        )

    @property
    def shown_default(self) -> str:
        """The default for people; empty for a switch that is off, and for no text."""
        is_empty = self.default is False or self.default in ("", ())
        return self.default_text or ("" if is_empty else shown(self.default))


def shown(value: object) -> str:
    """A setting's value as it can be written; ``-`` for none."""
    if isinstance(value, dict):
        return ", ".join(f"{name}={size}" for name, size in value.items()) or "-"
    if isinstance(value, tuple):
        return " ".join(str(each) for each in value) or "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    return "-" if value is None else str(value)


def _options() -> Iterator[Option]:
    hints = get_type_hints(Settings, include_extras=True)
    for field in msgspec.structs.fields(Settings):
        kind = hints[field.name]
        (about,) = (each for each in kind.__metadata__ if each.description)
        made = field.default is msgspec.NODEFAULT
        yield Option(
            name=field.name,
            flag=_SINGULAR.get(field.name, "--" + field.name.replace("_", "-")),
            kind=kind,
            default=field.default_factory() if made else field.default,
            help=about.description,
            why=about.extra["why"],
            unit=about.extra["unit"],
            metavar=about.extra["metavar"],
            default_text=about.extra["default"],
            is_advanced=field.name in AdvancedSettings.__struct_fields__,
        )


def plain_type(kind: Any) -> Any:
    """A type without msgspec's constraints and without ``None``."""
    while hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (each for each in get_args(kind) if each is not type(None))
        return plain_type(kind)
    return kind


OPTIONS = tuple(sorted(_options(), key=lambda option: option.is_advanced))
"""All settings in the order of their files, those with a flag first."""

BY_NAME = {option.name: option for option in OPTIONS}

NAMES = {name: option.name for option in OPTIONS for name in option.names}
"""Each name that the environment and the file may use, and its setting's."""
