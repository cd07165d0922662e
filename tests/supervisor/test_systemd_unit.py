"""The unit that is printed: it fits the settings, systemd understands it, and it confines."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor import options
from supervisor.settings import Settings, SettingsError
from supervisor.systemd import unit

HOST = unit.Host("/opt/myflow/.venv/bin/python", "/opt/myflow")

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None or not Path("/bin/kill").exists(),
    reason="systemd-analyze and the /bin/kill that units call are not installed",
)


def printed(*argv: str, host: unit.Host = HOST, **environ: str) -> str:
    """The unit for these options."""
    return unit.unit(options.read(argv, environ), argv, environ, host)


def parsed(text: str) -> configparser.SectionProxy:
    """Its service section; of a key that is said twice the last value."""
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return parser["Service"]


def test_it_runs_what_was_typed() -> None:
    """Options go into the command as they are; the spool is where the unit may write."""
    service = parsed(printed("--flow", "myflow", "--workers", "8", "--pool", "resize=2"))
    assert service["ExecStart"] == (
        "/opt/myflow/.venv/bin/python -m supervisor --flow myflow --workers 8 --pool resize=2"
        " --spool %S/%N --control %t/%N/control.sock"
    )
    assert service["WorkingDirectory"] == "/opt/myflow"
    assert service["StateDirectory"] == "%N"


def test_a_spool_of_ones_own_is_left_and_made_writable() -> None:
    """Who names a folder gets that one, and no other."""
    argv = ("--flow", "myflow", "--spool", "/srv/my spool", "--control", "none")
    service = parsed(printed(*argv))
    assert service["ExecStart"].endswith('--spool "/srv/my spool" --control none')
    assert service["ReadWritePaths"] == '"/srv/my spool"'


def test_settings_from_the_environment_go_along_and_credentials_do_not() -> None:
    """A unit is no place for secrets: it can be read by everybody."""
    text = printed(
        *("--flow", "myflow", "--deciders", "2"),
        GARCON_WORKERS="8",
        GARCON_DECIDERS="1",
        GARCON_ALLOW_ROOT="true",
        AWS_REGION="eu-west-1",
        AWS_SECRET_ACCESS_KEY="geheim",  # noqa: S106 - it is not even one
        GARCON_CLAIMS="s3://b/c",
    )
    told = [line for line in text.splitlines() if line.startswith("Environment=")]
    names = ["AWS_REGION=eu-west-1", "GARCON_CLAIMS=s3://b/c", "GARCON_WORKERS=8"]
    assert told == [f"Environment={each}" for each in names]
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
def test_words_mean_themselves(word: str, quoted: str) -> None:
    """Whatever systemd makes of quotes, dollar and percent signs."""
    assert unit.argument(word) == quoted


@pytest.mark.parametrize(
    ("chosen", "seconds"),
    [({}, 220), ({"drain_timeout": 600.0}, 720), ({"poll_patience": 20.0}, 150)],
)
def test_a_stop_may_take_what_a_drain_takes(chosen: dict[str, float], seconds: int) -> None:
    """The drain's limit, or an open poll's, and then what is left to report."""
    assert unit.stop_seconds(Settings(flow="f", **chosen)) == seconds  # type: ignore[arg-type]


@pytest.mark.parametrize("argv", [("--local",), ("--start", "{}"), ("--once", "--start", "{}")])
def test_trials_are_no_service(argv: tuple[str, ...]) -> None:
    """A unit that starts an execution at each boot is nobody's wish."""
    with pytest.raises(SettingsError, match="for trials"):
        printed("--flow", "myflow", *argv)


def test_homes_stay_visible_where_the_code_is_in_one() -> None:
    """Else they are hidden."""
    assert parsed(printed("--flow", "f"))["ProtectHome"] == "yes"
    host = unit.Host("/home/ann/venv/bin/python", "/srv")
    assert parsed(printed("--flow", "f", host=host))["ProtectHome"] == "read-only"


def test_the_supervisor_restarts_by_exit_code() -> None:
    """Who was told to leave stays away; what would end the same way again is not tried again."""
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
def test_systemd_understands_it_and_finds_it_confined(
    tmp_path: Path, argv: tuple[str, ...]
) -> None:
    """``systemd-analyze verify`` has nothing to say; ``security`` finds little exposed."""
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


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    """``unit`` prints to standard output; what is wrong goes to standard error, with code 2."""
    assert unit.main(["--flow", "myflow"]) == 0
    assert "Type=notify" in capsys.readouterr().out
    assert unit.main(["--flow", "myflow", "--local"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "for trials" in err
