"""Every setting is documented, once, and ``--help`` is readable on 80 columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.__main__ import main
from supervisor.cli import argument_parser, help_text, settings_reference
from supervisor.cli.options import OPTIONS, REPEATABLE
from supervisor.config.settings import Settings

ROOT = Path(__file__).parent.parent.parent.parent


def help_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The output of ``--help`` on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        argument_parser.parse(["--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out.splitlines()


def test_every_setting_has_a_meaning_and_a_reason() -> None:
    """A setting cannot be added without both; the meaning is short and the reason a sentence."""
    assert {option.name for option in OPTIONS} == set(Settings.__struct_fields__)
    for option in OPTIONS:
        assert 5 < len(option.help) < 120, option.name
        assert not option.help.endswith("."), option.name
        assert len(option.why) > 15, option.name
        assert option.why.endswith("."), option.name


def test_headings_stand_above_settings() -> None:
    """A heading whose setting has another name by now would vanish from help and reference."""
    assert help_text.HEADINGS.keys() <= set(Settings.__struct_fields__)


def test_durations_name_their_unit() -> None:
    """A setting whose value is a time has the unit seconds, in ``--help`` and in the reference."""
    for option in OPTIONS:
        if option.name.endswith(("_timeout", "_interval", "_margin", "_grace", "_lead", "_ttl")):
            assert option.unit == "seconds", option.name
            assert option.placeholder == "SECONDS", option.name


def test_help_fits_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No line is longer than 79 characters, and no name is broken at a hyphen."""
    lines = help_lines(monkeypatch, capsys)
    assert max(map(len, lines)) < 80
    assert not [line for line in lines if line.endswith("-")]


def test_help_texts_are_aligned_and_short(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each text begins in the same column and has at most four lines."""
    column = argument_parser.HELP_COLUMN
    length = 0
    for line in help_lines(monkeypatch, capsys):
        if line.startswith("  -"):
            length = 0
            assert len(line.rstrip()) <= column or line[column - 2 : column] == "  ", line
        if line.startswith(" " * column):
            length += 1
            assert line[column] != " ", line
            assert length <= 4, line


def test_help_shows_the_defaults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each flag with a value names its default; it is the one in ``Settings``."""
    text = " ".join(" ".join(help_lines(monkeypatch, capsys)).split())
    for option in OPTIONS:
        if option.is_advanced or isinstance(option.default, bool) or option.name in REPEATABLE:
            continue
        if option.name != "flow":
            assert option.shown_default, option.name
            assert f"(default: {option.shown_default})" in text, option.name


def test_the_configuration_reference_is_up_to_date() -> None:
    """``docs/configuration.md`` is the output of ``python -m supervisor --help-settings``."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == settings_reference.reference()


def test_the_reference_has_every_setting() -> None:
    """Each setting has a section with its flag, variable, default and reason."""
    sections = settings_reference.reference().split("\n### ")
    by_key = {section.split("\n")[0]: " ".join(section.split()) for section in sections[1:]}
    assert by_key.keys() == {option.key for option in OPTIONS}
    for option in OPTIONS:
        section = by_key[option.key]
        assert f"`{option.variables[0]}`" in section
        assert option.is_advanced or f"`{option.flags}`" in section
        assert option.why in section


def test_the_reference_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help-settings`` prints it without a flow, and exits with 0."""
    with pytest.raises(SystemExit) as ended:
        argument_parser.parse(["--help-settings"])
    assert not ended.value.code
    assert capsys.readouterr().out == settings_reference.reference()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("quiet", "--flow", "shop", ""), "LIST"),
        (("drain", ""), "LIST"),
        (("scale", ""), "LIST=N"),
        (("stop", "--flow", ""), "--flow"),
        (("status", "--control", ""), "--control"),
    ],
)
def test_an_empty_argument_of_a_command_is_refused(
    words: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It comes from a variable that is not set, and would act on all lists, or on another pool."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert f"{name} is empty: give a value" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--config", "--domain"])
def test_an_empty_setting_is_refused(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As that of a command."""
    with pytest.raises(SystemExit) as ended:
        argument_parser.parse(["--flow", "shop", flag, ""])
    assert ended.value.code == 2
    assert f"{flag} is empty: give a value" in capsys.readouterr().err
