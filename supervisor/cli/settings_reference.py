"""The configuration reference, ``docs/configuration.md``: every setting, generated from the code.

``python -m supervisor --help-settings > docs/configuration.md`` writes it anew; a test compares.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, get_args, get_origin

import msgspec

from supervisor.cli import help_text
from supervisor.cli.options import OPTIONS, plain_type
from supervisor.config.advanced import MOST
from supervisor.config.setting_types import (
    BuildId,
    HistorySource,
    HttpAddress,
    MemorySize,
    PollBounds,
    PoolBounds,
    Surge,
)
from supervisor.core.deploy.settings_reload import RENEWABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.cli.options import Option

WIDTH = 100

INTRODUCTION = """\
# Configuration

All settings of `python -m supervisor`, as `python -m supervisor --help-settings` prints them.

The name of a setting is its key in the file of `--config FILE.toml` (or `GARCON_CONFIG`). Below it
stand its flag, its environment variable, its type and its default. A flag wins over the
environment, the environment over the file. ↻ marks what a restart (HUP, `restart`) takes up from
the file; other settings need a new supervisor.

In the environment a switch is `true` or `false`, and several values are separated by commas
(`GARCON_START` takes one input). In the file a setting with a value per task list is a table:

```toml
flow = "examples.coffee"
workers = 4
max-memory = "512MiB"
sticky = false

[pools]
serve = 1

[scale]
prepare_item = "1..8"
```
"""

WITHOUT_FLAGS = """\
# Settings without a flag

Few hosts need them. They are set in the environment or in the file.
"""

_TYPES: dict[Any, str] = {
    BuildId: "text",
    HistorySource: "`open:N`, `last:N`, a folder, or `off`",
    HttpAddress: "port, address with port, or `unix:PATH`",
    MemorySize: "size, as in `512MiB`",
    PollBounds: "bounds, as in `1..8`, or `all`",
    PoolBounds: "bounds, as in `1..8`",
    Surge: "number, or percent as in `25%`",
    bool: "switch",
    float: "number",
    int: "whole number",
    str: "text",
}


def reference() -> str:
    """The whole page, in Markdown."""
    with_flag = [option for option in OPTIONS if not option.is_advanced]
    advanced = [option for option in OPTIONS if option.is_advanced]
    parts = [INTRODUCTION, *_entries(with_flag), WITHOUT_FLAGS, *_entries(advanced)]
    return "\n".join(parts)


def _entries(options: list[Option]) -> Iterator[str]:
    for option in options:
        if title := help_text.HEADINGS.get(option.name):
            yield f"## {title[:1].upper()}{title[1:]}\n"
        yield _entry(option)


def _entry(option: Option) -> str:
    meaning = f"{option.help[:1].upper()}{option.help[1:]}. {option.why}"
    return f"### {option.key}\n\n{_wrapped(_facts(option))}\n\n{_wrapped(meaning)}\n"


def _facts(option: Option) -> str:
    flag = [] if option.is_advanced else [f"`{option.flags}`"]
    default = option.shown_default or ("off" if option.default is False else "none")
    if option.unit and option.default is not None:
        default = (
            f"{default} {option.unit.removesuffix('s') if option.default == 1 else option.unit}"
        )
    kind = _in_words(option)
    restart = ["↻"] if option.name in RENEWABLE else []
    return " · ".join([*flag, f"`{option.variables[0]}`", kind, f"default: {default}", *restart])


def _in_words(option: Option) -> str:
    """The type for people, with its limits and unit."""
    if option.choices:
        return " or ".join(f"`{each}`" for each in option.choices)
    kind = plain_type(option.kind)
    if get_origin(kind) is dict:
        kind = get_args(kind)[1]
        return f"per task list: {_TYPES[plain_type(kind)]}{_limits(kind)}"
    if get_origin(kind) is tuple:
        return "JSON objects" if option.metavar == "JSON" else "texts"
    unit = f" of {option.unit}" if option.unit else ""
    return f"{_TYPES[kind]}{unit}{_limits(option.kind)}"


def _limits(kind: Any) -> str:
    """The bounds that a type has somewhere within, as in ``≥ 1``."""
    limits = ""
    while hasattr(kind, "__metadata__") or get_args(kind):
        for meta in getattr(kind, "__metadata__", ()):
            if isinstance(meta, msgspec.Meta):
                most = None if meta.le == MOST else meta.le  # it only refuses typing errors
                signs = (("≥", meta.ge), (">", meta.gt), ("≤", most))
                limits += "".join(
                    f" {sign} {bound:g}" for sign, bound in signs if bound is not None
                )
        kind = kind.__origin__ if hasattr(kind, "__metadata__") else get_args(kind)[0]
    return limits


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
