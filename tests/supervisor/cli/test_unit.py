"""The systemd unit fits the settings, is valid, and confines the supervisor."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.cli import sources, unit
from supervisor.config.settings import Settings, SettingsError

HOST = unit.Host("/opt/myflow/.venv/bin/python", "/opt/myflow")

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None or not Path("/bin/kill").exists(),
    reason="systemd-analyze and the /bin/kill that units call are not installed",
)


def printed(*argv: str, host: unit.Host = HOST, **environ: str) -> str:
    """The unit for these options."""
    return unit.unit(sources.read(argv, environ), argv, environ, host)


def parsed(text: str) -> configparser.SectionProxy:
    """Its service section; a repeated key has its last value."""
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return parser["Service"]


def test_the_unit_runs_the_given_options() -> None:
    """They go into the command as they are; the spool is in the folder where the unit may write."""
    service = parsed(printed("--flow", "myflow", "--workers", "8", "--pool", "resize=2"))
    assert service["ExecStart"] == (
        "/opt/myflow/.venv/bin/python -m supervisor --flow myflow --workers 8 --pool resize=2"
        " --spool %S/%N --control %t/%N/control.sock"
    )
    assert service["WorkingDirectory"] == "/opt/myflow"
    assert service["StateDirectory"] == "%N"


def test_a_given_spool_is_kept_and_made_writable() -> None:
    """A folder that the options name is used, and may be written."""
    argv = ("--flow", "myflow", "--spool", "/srv/my spool", "--control", "none")
    service = parsed(printed(*argv))
    assert service["ExecStart"].endswith('--spool "/srv/my spool" --control none')
    assert service["ReadWritePaths"] == '"/srv/my spool"'


def test_settings_from_the_environment_are_kept_and_credentials_are_not() -> None:
    """All users can read a unit, so it must not have secrets."""
    text = printed(
        *("--flow", "myflow", "--deciders", "2"),
        GARCON_WORKERS="8",
        GARCON_DECIDERS="1",
        AWS_REGION="eu-west-1",
        AWS_SECRET_ACCESS_KEY="geheim",  # noqa: S106 - it is not even one
        GARCON_CLAIMS="s3://b/c",
    )
    assignments = [line for line in text.splitlines() if line.startswith("Environment=")]
    names = ["AWS_REGION=eu-west-1", "GARCON_CLAIMS=s3://b/c", "GARCON_WORKERS=8"]
    assert assignments == [f"Environment={each}" for each in names]
    assert "geheim" not in text


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("two words", '"two words"'),
        ('say "x"', '"say \\"x\\""'),
        ("100%", "100%%"),
        ("$HOME", "$$HOME"),
        ("a\\b", '"a\\\\b"'),
        ("a\nb", '"a\\nb"'),
        ("it's", '"it\'s"'),
        (";", '";"'),
    ],
)
def test_words_are_quoted_for_systemd(word: str, quoted: str) -> None:
    """Quotes, spaces, dollar and percent signs reach the supervisor as they were typed."""
    assert unit.argument(word) == quoted


@pytest.mark.parametrize(
    ("chosen", "seconds"),
    [({}, 220), ({"drain_timeout": 600.0}, 720), ({"poll_timeout": 20.0}, 150)],
)
def test_a_stop_may_take_as_long_as_a_drain(chosen: dict[str, float], seconds: int) -> None:
    """It has the drain timeout, or that of an open poll, and the time to report the rest."""
    assert unit.stop_seconds(Settings(flow="f", **chosen)) == seconds  # type: ignore[arg-type]


@pytest.mark.parametrize("argv", [("--local",), ("--start", "{}"), ("--once", "--start", "{}")])
def test_options_for_trials_are_refused(argv: tuple[str, ...]) -> None:
    """A unit would start a local SWF or an execution at each boot."""
    with pytest.raises(SettingsError, match="for trials"):
        printed("--flow", "myflow", *argv)


def test_homes_are_hidden_unless_the_code_is_in_one() -> None:
    """An interpreter or folder below ``/home`` must be readable."""
    assert parsed(printed("--flow", "f"))["ProtectHome"] == "yes"
    host = unit.Host("/home/ann/venv/bin/python", "/srv")
    assert parsed(printed("--flow", "f", host=host))["ProtectHome"] == "read-only"


def test_the_supervisor_restarts_by_exit_code() -> None:
    """It is restarted after a crash, not after a stop, and not if it would fail alike."""
    service = parsed(printed("--flow", "f"))
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "1 2 3"
    assert service["KillMode"] == "mixed"


@needs_systemd
@pytest.mark.parametrize(
    "argv",
    [
        ("--flow", "examples.coffee", "--workers", "8"),
        ("--flow", "examples.coffee", "--name", 'an "odd" $name at 100%', "--spool", "/srv/a b"),
        ("--flow", "examples.coffee", "--drain-timeout", "600"),
    ],
)
def test_systemd_accepts_the_unit_and_rates_it_as_confined(
    tmp_path: Path, argv: tuple[str, ...]
) -> None:
    """``systemd-analyze verify`` prints nothing, and ``security`` rates the exposure below 2."""
    path = tmp_path / "garcon-test.service"
    path.write_text(printed(*argv, host=unit.Host(sys.executable, os.sep)))
    verified = analyze("verify", str(path))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    security = analyze("security", "--offline=true", "--threshold=20", str(path))
    assert security.returncode == 0, security.stdout


def analyze(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *argv],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_prints_the_unit(capsys: pytest.CaptureFixture[str]) -> None:
    """``unit`` prints to standard output; an error goes to standard error, with exit code 2."""
    assert unit.main(["--flow", "myflow"]) == 0
    assert "Type=notify" in capsys.readouterr().out
    assert unit.main(["--flow", "myflow", "--local"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "for trials" in err
