"""Settings have four sources with one precedence, and each mistake is explained."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from supervisor.cli import sources
from supervisor.cli.options import OPTIONS
from supervisor.config.settings import Settings, SettingsError
from supervisor.core.pools.pool_settings import ANY_POLLS, poll_bounds, pool_sizes
from supervisor.ipc.messages import Role, TaskList

ROOT = Path(__file__).parent.parent.parent.parent

LISTS = (
    TaskList("shop", Role.DECIDER, "decider"),
    TaskList("shop_make", Role.ACTIVITY, "make"),
    TaskList("shop_serve", Role.ACTIVITY, "serve"),
)


def read(*argv: str, **environ: str) -> sources.ParsedOptions:
    """Read a command line for the flow ``shop``."""
    return sources.read(["--flow", "shop", *argv], environ)


def test_the_command_line_wins_over_environment_file_and_default(tmp_path: Path) -> None:
    """Each source wins over those behind it, setting by setting, and is named as the origin."""
    file = tmp_path / "garcon.toml"
    file.write_text("workers = 2\ndeciders = 2\nregion = 'eu-west-1'\n")
    parsed = read("--config", str(file), "--workers", "8", GARCON_WORKERS="4", GARCON_DECIDERS="4")
    settings = parsed.settings
    assert (settings.workers, settings.deciders, settings.region) == (8, 4, "eu-west-1")
    assert parsed.origins["workers"] == "--workers"
    assert parsed.origins["deciders"] == "GARCON_DECIDERS"
    assert parsed.origins["region"] == str(file)
    assert parsed.origins["profile"] == "default"


def test_a_switch_that_is_on_by_default_has_a_flag_to_turn_it_off() -> None:
    """``--no-sticky`` and ``GARCON_STICKY=false`` both turn stickiness off, and are its origin."""
    assert read().settings.sticky
    off = read("--no-sticky")
    assert (off.settings.sticky, off.origins["sticky"]) == (False, "--no-sticky")
    assert not read(GARCON_STICKY="false").settings.sticky
    assert read("--sticky", GARCON_STICKY="false").settings.sticky


def test_pools_can_be_given_in_all_three_sources(tmp_path: Path) -> None:
    """A pool is LIST=N on the command line and in the environment, a table in the file."""
    file = tmp_path / "garcon.toml"
    file.write_text("[pools]\nmake = 3\n")
    assert read("--config", str(file)).settings.pools == {"make": 3}
    assert read(GARCON_POOLS="make=4,serve=0").settings.pools == {"make": 4, "serve": 0}
    assert read("--pool", "make=5", "--pool", "serve=1").settings.pools == {"make": 5, "serve": 1}


def test_polls_are_bounds_of_a_list_or_all_in_all_three_sources(tmp_path: Path) -> None:
    """``all`` alone is for every list; a list may have it for itself."""
    file = tmp_path / "garcon.toml"
    file.write_text("polls = 'all'\n")
    assert read("--config", str(file)).settings.polls == {"all": "all"}
    file.write_text("[polls]\nmake = '2..4'\n")
    assert read("--config", str(file)).settings.polls == {"make": "2..4"}
    assert read(GARCON_POLLS="all,make=1..1").settings.polls == {"all": "all", "make": "1..1"}
    given = read("--polls", "all", "--polls", "make=2..4").settings.polls
    assert poll_bounds(Settings(flow="shop", polls=given), LISTS) == {LISTS[1]: "2..4"}
    given = read("--polls", "make=all").settings.polls
    assert poll_bounds(Settings(flow="shop", polls=given), LISTS) == {LISTS[2]: ANY_POLLS}


def test_polls_of_an_unknown_list_are_refused() -> None:
    """The sentence lists the known ones."""
    settings = read("--polls", "cook=1..2").settings
    with pytest.raises(SettingsError, match="--polls cook: the flow has no such task list"):
        poll_bounds(settings, LISTS)


def test_a_size_has_units_or_is_bytes(tmp_path: Path) -> None:
    """All three sources accept 512MiB; a bare number is bytes."""
    file = tmp_path / "garcon.toml"
    file.write_text("max-memory = '1.5GiB'\nmax-memory-hard = 2147483648\n")
    settings = read("--config", str(file)).settings
    assert (settings.max_memory, settings.max_memory_hard) == (3 << 29, 2 << 30)
    assert str(settings.max_memory_hard) == "2GiB"
    assert read("--max-memory", "512MiB").settings.max_memory == 512 << 20
    assert read(GARCON_MAX_MEMORY="1048576").settings.max_memory == 1 << 20


def test_the_name_of_a_flag_is_valid_everywhere(tmp_path: Path) -> None:
    """``--pool`` may be called so in the environment and the file too."""
    file = tmp_path / "garcon.toml"
    file.write_text("pool = ['make=3']\n")
    assert read("--config", str(file)).settings.pools == {"make": 3}
    assert read(GARCON_POOL="make=4").settings.pools == {"make": 4}


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("GARCON_WORKER", "Did you mean GARCON_WORKERS?"),
        ("GARCON_MAX_MEMORY_HRD", "Did you mean GARCON_MAX_MEMORY_HARD?"),
        ("GARCON_CLAIM", "Did you mean GARCON_CLAIMS?"),
        ("GARCON_BEVERAGE", "--help-settings lists all variables."),
    ],
)
def test_a_misspelt_variable_is_reported_with_the_nearest_name(variable: str, hint: str) -> None:
    """A variable with the prefix that is not a setting gets a warning, not an error."""
    parsed = read(GARCON_CLAIMS="file:/claims", **{variable: "4"})
    assert parsed.warnings == (f"{variable} is not a setting and has no effect. {hint}",)


def test_variables_of_garcon_get_no_warning() -> None:
    """Each ``GARCON_`` variable that the code of garcon and its tests name is known here."""
    known = {variable for option in OPTIONS for variable in option.variables}
    known.update(sources.OTHER_VARIABLES)
    folders = ("garcon", "tests/processes", "tests/benchmarks", "examples", "docs")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
    texts = [path.read_text() for path in files if path.suffix in {".py", ".md", ".env", ".yaml"}]
    named = {name for text in texts for name in re.findall(r"\bGARCON_[A-Z_]*[A-Z]\b", text)}
    assert texts
    assert named - known == {"GARCON_WORKER"}  # test_command.py misspells it on purpose


def test_settings_without_a_flag_come_from_environment_and_file(tmp_path: Path) -> None:
    """An advanced setting can be given there, but not on the command line."""
    assert read(GARCON_POLL_TIMEOUT="12.5").settings.poll_timeout == 12.5
    file = tmp_path / "garcon.toml"
    file.write_text("poll-timeout = 7")
    assert read("--config", str(file)).settings.poll_timeout == 7.0
    with pytest.raises(SystemExit):
        read("--poll-timeout", "3")


@pytest.mark.parametrize(
    ("argv", "environ", "sentence"),
    [
        (["--workers", "-1"], {}, "--workers: expected a whole number >= 0, not '-1'."),
        (["--workers", "many"], {}, "--workers: expected a whole number, not 'many'."),
        ([], {"GARCON_WORKERS": "x"}, "GARCON_WORKERS: expected a whole number, not 'x'."),
        (
            ["--max-memory", "512MB"],
            {},
            "--max-memory: expected a size such as 512MiB or",
        ),
        ([], {"GARCON_MAX_MEMORY_HARD": "0"}, "GARCON_MAX_MEMORY_HARD: expected a size such as"),
        (["--max-memory", "2G", "--max-memory-hard", "2G"], {}, "--max-memory-hard 2GiB must be"),
        (["--max-tasks", "0"], {}, "--max-tasks: expected a whole number >= 1"),
        (["--surge", "0"], {}, "--surge: expected a number of processes such as 4, or a share"),
        (["--gate-replay", "last:x"], {}, "--gate-replay: expected open:N or last:N"),
        ([], {"GARCON_ON_LATE_TASK": "x"}, "GARCON_ON_LATE_TASK: "),
        (["--probation", "-1"], {}, "--probation: expected a number >= 0"),
        (["--drain-timeout", "0"], {}, "--drain-timeout: expected a number > 0"),
        (["--pool", "make"], {}, "--pool make: expected LIST=N"),
        (["--pool", "make=1", "--pool", "make=2"], {}, "--pool: make is given twice."),
        (["--start", "{"], {}, "--start {: invalid JSON"),
        (["--start", "[1]"], {}, "the input of an execution is a JSON object"),
        (["--retired"], {}, "the default control socket is for the code that serves"),
        (["--served-list", "x"], {}, "--served-list is for --retired, which is not given."),
        (["--folder", "/nonexistent"], {}, "--folder: there is no folder /nonexistent."),
        (["--keep-builds", "2"], {}, "--keep-builds needs --releases DIR"),
        ([], {"GARCON_KEEP_BUILDS": "1"}, "GARCON_KEEP_BUILDS needs --releases DIR"),
        (["--releases", "/", "--build", "x"], {}, "--build does not go with --releases"),
        (["--releases", "/", "--folder", "/"], {}, "--folder does not go with --releases"),
        (["--releases", "/nonexistent"], {}, "--releases /nonexistent cannot be read: No such"),
        (["--once"], {}, "--once waits for the executions of --start, and none is given."),
        (
            ["--local", "--endpoint-url", "http://x"],
            {},
            "endpoint of its own: leave --endpoint-url out",
        ),
        (["--local"], {"GARCON_ENDPOINT_URL": "http://x"}, "leave GARCON_ENDPOINT_URL out"),
        (["--probation", "inf"], {}, "--probation: expected a number <= "),
        (["--probation", "nan"], {}, "--probation: expected a"),
        ([], {"GARCON_STICKY_CHECK_RATIO": "nan"}, "GARCON_STICKY_CHECK_RATIO: expected a"),
        (["--max-tasks", "9" * 30], {}, "--max-tasks: expected a whole number"),
        (["--max-memory", "9" * 400], {}, "--max-memory: expected a size such as"),
        (["--surge", "9" * 5000], {}, "--surge: expected a number of processes"),
        (["--gate-replay", f"last:{'9' * 5000}"], {}, "--gate-replay: expected open:N"),
        (["--workers", "1001"], {}, "--workers: a task list can have 0 to 1000 workers, not 1001."),
        (["--pool", "make=1001"], {}, "--pool: make can have 0 to 1000 workers, not 1001."),
        (["--polls", "make=0..4"], {}, "--polls: expected bounds from 1, such as 1..8, or all"),
        (["--polls", "make"], {}, "--polls make: expected all, or LIST=MIN..MAX"),
        (["--scale", "make=1..1001"], {}, "--scale: make can have 0 to 1000 workers, not 1001."),
        ([], {"GARCON_MAX_WORKERS_PER_LIST": "1000000"}, "expected a whole number <= 10000"),
        (["--spool", __file__], {}, "--spool: " + __file__ + " is not a folder."),
        (["--gate-replay", "/nonexistent"], {}, "--gate-replay: there is no folder /nonexistent."),
        (["--http-actions"], {}, "--http-actions needs --http at a loopback address or unix:PATH"),
        (["--http-actions", "--http", "0.0.0.0:9102"], {}, "--http-actions needs --http at a loop"),
        (["--endpoint-url", "http://[::1"], {}, "--endpoint-url: Invalid IPv6 URL: expected a URL"),
        (["--endpoint-url", "http://h:99999"], {}, "--endpoint-url: Port out of range 0-65535"),
        (["--endpoint-url", "http://u:secret@"], {}, "https://swf.example:8000, not 'http://'"),
        (["--endpoint-url", "localhost:80"], {}, "--endpoint-url: expected a URL such as"),
        ([], {"GARCON_LOCAL": "maybe"}, "GARCON_LOCAL: expected true or false, not 'maybe'."),
        ([], {"GARCON_CONFIG": "/nowhere.toml"}, "--config /nowhere.toml cannot be read"),
        (["--config", "/\udcff.toml"], {}, "toml' is not UTF-8 text."),
        (["--retired", "--served-list", "\udcff"], {}, "' is not UTF-8 text."),
        (
            [],
            {"GARCON_POOL": "make=1", "GARCON_POOLS": "make=2"},
            "GARCON_POOLS and GARCON_POOL are the same setting: leave one out.",
        ),
    ],
)
def test_an_error_names_its_source(argv: list[str], environ: dict[str, str], sentence: str) -> None:
    """Invalid input raises SettingsError with the source and what it expects."""
    with pytest.raises(SettingsError) as refused:
        read(*argv, **environ)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("workers = ", "is not valid TOML"),
        ("wrokers = 3", "there is no setting 'wrokers'; did you mean 'workers'?"),
        ("max-taks = 3", "there is no setting 'max-taks'; did you mean 'max-tasks'?"),
        ("colour = 3", "there is no setting 'colour'."),
        ("domain = 5", "domain: expected text, not 5"),
        (f"workers = {'[' * 5000}{']' * 5000}", "is nested too deeply"),
        ("workers = 'three'", "workers: expected a whole number"),
        ("pools = 3", "pools: expected a table"),
        ("pools = [3]", "pools 3: expected LIST=N"),
        ("max-tasks = 1\nmax_tasks = 2", "'max-tasks' and 'max_tasks' are the same setting"),
    ],
)
def test_an_error_in_the_file_names_the_file(tmp_path: Path, text: str, sentence: str) -> None:
    """The message has the file's path and the nearest valid key."""
    file = tmp_path / "garcon.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        read("--config", str(file))
    assert sentence in str(refused.value)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize("flag", ["--spool", "--folder", "--gate-replay"])
def test_a_path_below_a_folder_that_may_not_be_searched_is_an_error(
    flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ``--user`` a restart reads the settings with fewer rights, and must be refused only."""

    def refuse(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    for name in ("exists", "is_dir"):
        monkeypatch.setattr(Path, name, refuse)
    with pytest.raises(SettingsError, match=f"{tmp_path} cannot be read: Permission denied"):
        read(flag, str(tmp_path))


def test_a_missing_flow_is_an_error() -> None:
    """Without a flow there is nothing to serve; the message names the option."""
    with pytest.raises(SettingsError, match="--flow is missing"):
        sources.read([], {})


def test_pool_sizes_follow_workers_deciders_and_pools() -> None:
    """A pool's own size wins, by short or full name; else --workers and --deciders hold."""
    settings = Settings(flow="shop", workers=4, deciders=2, pools={"make": 7, "shop_serve": 0})
    assert pool_sizes(settings, LISTS) == dict(zip(LISTS, (2, 7, 0), strict=True))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (Settings(pools={"mkae": 1}), "--pool mkae: the flow has no such task list"),
        (Settings(pools={"make": 1, "shop_make": 2}), "given twice"),
        (Settings(workers=0, deciders=0), "every pool has zero slots"),
    ],
)
def test_invalid_pools_are_refused(settings: Settings, sentence: str) -> None:
    """An unknown list, a list named twice and an empty pool raise ``SettingsError``."""
    with pytest.raises(SettingsError, match=sentence):
        pool_sizes(settings, LISTS)


@pytest.mark.parametrize("flag", ["--flow", "--workers", "--config", "--domain", "--log-level"])
def test_the_second_of_an_option_with_one_value_is_refused(
    flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of the two would be lost without a word."""
    value = "info" if flag == "--log-level" else "1"
    with pytest.raises(SystemExit) as ended:
        sources.read([flag, value, flag, value], {})
    assert ended.value.code == 2
    assert f"{flag} is given twice, and takes one value" in capsys.readouterr().err


def test_local_without_its_packages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the package and the extra; without --local nothing is missing."""
    monkeypatch.setattr(sources, "find_spec", lambda name: None if name == "uvicorn" else name)
    with pytest.raises(SettingsError, match=r"uvicorn is missing.*pip install 'garcon\[local\]'"):
        sources.check_local(Settings(flow="shop", local=True))
    sources.check_local(Settings(flow="shop"))


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ('{"a": NaN}', "NaN is not a number of JSON"),
        ('{"a": [-Infinity]}', "-Infinity is not a number of JSON"),
        ('{"a": 1e999}', "the number 1e999 is too large"),
        ('{"a": "\\ud800"}', "half of a surrogate pair is not a character"),
        ('{"\\udc00": 1}', "half of a surrogate pair is not a character"),
        ('{"a": "\udcff"}', "is not UTF-8 text"),
    ],
)
def test_an_input_that_swf_can_not_carry_is_refused_when_it_is_read(
    value: str, fault: str, tmp_path: Path
) -> None:
    """In the arguments, the environment and the file, with the value and what is wrong with it."""
    with pytest.raises(SettingsError, match=f"--start.*{re.escape(fault)}"):
        read("--start", value)
    with pytest.raises(SettingsError, match=f"GARCON_START.*{re.escape(fault)}"):
        read(GARCON_START=value)
    if value.isascii():
        file = tmp_path / "garcon.toml"
        file.write_text(f"start = ['{value}']\n")
        with pytest.raises(SettingsError, match=re.escape(fault)):
            read("--config", str(file))


@pytest.mark.parametrize("argv", [("--domain", "\udcff"), ("--pool", "\udcff=1")])
def test_bytes_that_are_not_utf_8_are_refused(argv: tuple[str, str]) -> None:
    """Python passes them on as halves of surrogate pairs, which no message can carry."""
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        read(*argv)


def test_a_number_of_more_digits_than_python_reads_is_not_toml(tmp_path: Path) -> None:
    """It is refused in a sentence, like every other mistake in the file."""
    file = tmp_path / "garcon.toml"
    file.write_text("workers = " + "9" * 5000)
    with pytest.raises(SettingsError, match="is not valid TOML: Exceeds the limit"):
        read("--config", str(file))
