"""Completion in a shell, and hints for typing errors, of all three programs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import supervisor.__main__
from garcon.command_line import completion
from garcon.executions.commands import main
from garcon.local import __main__ as local

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROGRAMS: dict[str, tuple[Callable[[Sequence[str]], int], list[str], list[str]]] = {
    "garcon": (main, ["completion"], ["start", "doctor", "--endpoint-url"]),
    "garcon-supervisor": (
        supervisor.__main__.main,
        ["completion"],
        ["restart", "--max-tasks", "--no-sticky"],
    ),
    "garcon-local": (
        lambda words: local.main(list(words)),
        ["--completion"],
        ["--virtual-time", "--state"],
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_bash_completes_commands_and_options(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script is for the installed program's name, and bash reads it."""
    run, words, completed = PROGRAMS[program]
    assert run([*words, "bash"]) == 0
    script = capsys.readouterr().out
    assert script.rstrip().endswith(f" {program}")
    for each in completed:
        assert each in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=30)


@pytest.mark.parametrize("program", PROGRAMS)
def test_zsh_is_served_too(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The script begins as zsh's completions do."""
    run, words, _ = PROGRAMS[program]
    assert run([*words, "zsh"]) == 0
    assert capsys.readouterr().out.startswith(f"#compdef {program}")


@pytest.mark.parametrize("program", PROGRAMS)
def test_without_the_extra_a_sentence_names_it(
    program: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shtab is of an extra."""
    monkeypatch.setitem(sys.modules, "shtab", None)
    run, words, _ = PROGRAMS[program]
    assert run([*words, "bash"]) in (1, 2)
    assert "pip install 'garcon[completion]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "words", "hint"),
    [
        ("garcon", ["strat"], "did you mean start"),
        ("garcon", ["start", "--flwo", "x"], "did you mean --flow"),
        ("garcon", ["completion", "bahs"], "did you mean bash"),
        ("garcon-supervisor", ["status", "--jsn"], "did you mean --json"),
        ("garcon-local", ["--prot", "5"], "did you mean --port"),
    ],
)
def test_a_typing_error_is_answered_with_a_hint(
    program: str, words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The nearest command or option is named; the exit code is 2."""
    with pytest.raises(SystemExit) as ended:
        PROGRAMS[program][0](words)
    assert ended.value.code == 2
    assert hint in capsys.readouterr().err


def test_the_supervisor_answers_a_mistyped_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A word that is neither a command nor an option is compared with both."""
    with pytest.raises(SystemExit):
        supervisor.__main__._run(["statsu"], None)
    assert "did you mean status?" in capsys.readouterr().err


def test_both_packages_complete_for_the_same_shells() -> None:
    """Neither may import the other's."""
    from supervisor.cli import shell_completion  # noqa: PLC0415 - the supervisor starts without it

    assert shell_completion.SHELLS == completion.SHELLS
