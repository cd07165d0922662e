"""Flows that are classes."""

from __future__ import annotations

from typing import Any

import pytest

from garcon.flow.class_flow import CannotBuild, build


class Plain:
    """A flow that asks for nothing."""


class ByDomain:
    """A flow that asks for two values by their documented names."""

    def __init__(self, domain: str, name: str) -> None:
        self.got = domain, name


class Versioned:
    """A flow with a name of its own."""

    name = "orders"

    def __init__(self, domain: str, version: str) -> None:
        self.got = domain, version


class OwnWords:
    """A flow of the released form, with words of its own."""

    def __init__(self, connection: Any, place: str, title: str) -> None:
        self.got = connection, place, title


class ClientOnly:
    """A flow that asks for a client alone."""

    domain, name = "d", "n"

    def __init__(self, client: Any) -> None:
        self.got = client


class ByKeyword:
    """A flow with keyword-only and defaulted parameters."""

    def __init__(self, *, client: Any, domain: str, name: str = "own", debug: bool = False) -> None:
        self.got = client, domain, name, debug


class Forwarding:
    """A flow that passes its arguments on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.got = args, kwargs


class Defaulted:
    """A flow whose parameters all have defaults."""

    def __init__(self, domain: str = "d", name: str = "n", version: str = "3") -> None:
        self.got = domain, name, version


class Odd:
    """A flow that asks for more than there is."""

    def __init__(self, client: Any, queue: Any, domain: str, bucket: str) -> None: ...


@pytest.mark.parametrize(
    ("flow_class", "domain", "name", "got"),
    [
        (ByDomain, "d", "n", ("d", "n")),
        (Versioned, "d", None, ("d", "1.0")),
        (OwnWords, "d", "n", ("swf", "d", "n")),
        (ClientOnly, None, None, "swf"),
        (ByKeyword, "d", None, ("swf", "d", "own", False)),
        (ByKeyword, "d", "n", ("swf", "d", "n", False)),
        (Forwarding, "d", "n", (("swf", "d", "n"), {})),
        (Defaulted, None, None, ("d", "n", "3")),
        (Defaulted, "other", None, ("other", "n", "3")),
    ],
)
def test_a_class_gets_what_its_constructor_asks_for(
    flow_class: Any, domain: str | None, name: str | None, got: Any
) -> None:
    """Values come from the command line, the class's attributes and the defaults, in this order."""
    assert build(flow_class, domain, name, lambda: "swf").got == got


def test_no_client_is_made_for_a_class_that_asks_for_none() -> None:
    """Making one may need a region or credentials that the flow does without."""
    assert isinstance(build(Plain, "d", "n", pytest.fail), Plain)


@pytest.mark.parametrize(
    ("flow_class", "sentence"),
    [
        (ByDomain, "is a class: it needs a domain and a name; give --domain and --name"),
        (Versioned, "is a class: it needs a domain; give --domain"),
        (OwnWords, "is a class: it needs a domain and a name; give --domain and --name"),
        (Odd, "is a class that asks for queue, bucket; it can get a client, a domain"),
    ],
)
def test_parameters_without_a_value_are_named(flow_class: Any, sentence: str) -> None:
    """The sentence names all of them, and what to do."""
    with pytest.raises(CannotBuild, match=sentence):
        build(flow_class, None, None, lambda: "swf")


def test_a_class_may_give_its_version() -> None:
    """A class attribute is the value of the parameter of its name."""

    class Second(Versioned):
        version = "2.0"

    assert build(Second, "d", None, lambda: "swf").got == ("d", "2.0")
