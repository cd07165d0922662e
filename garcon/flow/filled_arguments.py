"""Arguments of a filled task's function.

A filled argument comes from its param, ``activity`` is the execution; any other has its default,
or is ``None``.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from garcon import param
from garcon.user_code.signatures import signature_of

Context = Mapping[str, Any]


def fill(
    fn: Callable[..., Any],
    params: Mapping[str, param.BaseParam],
    activity: Any,
    context: Context,
    *,
    gets_context: bool,
) -> dict[str, Any]:
    """The arguments, by name.

    Args:
        fn: The function.
        params: The sources of arguments, by name.
        activity: The value of the argument ``activity``, if the function has it.
        context: The context.
        gets_context: Whether an argument ``context`` gets it, as documented for ``contextify``.

    Raises:
        ValueError: The function has an argument ``context``, and does not get it.
    """
    given = {"activity": activity, **({"context": context} if gets_context else {})}
    filled: dict[str, Any] = {}
    takes_others = False
    for name, one in signature_of(fn).parameters.items():
        match one.kind:
            case one.VAR_POSITIONAL:
                pass
            case one.VAR_KEYWORD:
                takes_others = True
            case _:
                filled[name] = _argument(one, params, given, context)
    if takes_others:
        filled |= {key: params[key].get_data(context) for key in params.keys() - filled.keys()}
    return filled


def _argument(
    parameter: inspect.Parameter,
    params: Mapping[str, param.BaseParam],
    given: Mapping[str, Any],
    context: Context,
) -> Any:
    name = parameter.name
    if name in given:
        return given[name]
    if name in params:
        return params[name].get_data(context)
    if name == "context":
        raise ValueError(
            "A filled task cannot have an argument context: only the keys named in fill() are sent "
            "to its activity. Fill each value it needs, or use the task without fill()."
        )
    return None if parameter.default is parameter.empty else parameter.default
