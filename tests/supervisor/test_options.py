"""Settings come from four places with one precedence, and every mistake gets a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supervisor import options
from supervisor.messages import Role, TaskList
from supervisor.per_list import pool_sizes
from supervisor.settings import Settings, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

LISTS = (
    TaskList("shop", Role.DECIDER, "decider"),
    TaskList("shop_make", Role.ACTIVITY, "make"),
    TaskList("shop_serve", Role.ACTIVITY, "serve"),
)


def read(*argv: str, **environ: str) -> options.Said:
    """Read a command line for the flow ``shop``."""
    return options.read(["--flow", "shop", *argv], environ)


def test_the_command_line_wins_over_environment_file_and_default(tmp_path: Path) -> None:
    """Each place wins over those behind it, setting by setting, and is named as the origin."""
    file = tmp_path / "garcon.toml"
    file.write_text("workers = 2\ndeciders = 2\nregion = 'eu-west-1'\n")
    said = read("--config", str(file), "--workers", "8", GARCON_WORKERS="4", GARCON_DECIDERS="4")
    settings = said.settings
    assert (settings.workers, settings.deciders, settings.region) == (8, 4, "eu-west-1")
    assert said.origins["workers"] == "--workers"
    assert said.origins["deciders"] == "GARCON_DECIDERS"
    assert said.origins["region"] == str(file)
    assert said.origins["profile"] == "default"


def test_pools_can_be_said_in_all_three_places(tmp_path: Path) -> None:
    """A pool is LIST=N on the command line and in the environment, a table in the file."""
    file = tmp_path / "garcon.toml"
    file.write_text("[pools]\nmake = 3\n")
    assert read("--config", str(file)).settings.pools == {"make": 3}
    assert read(GARCON_POOLS="make=4,serve=0").settings.pools == {"make": 4, "serve": 0}
    assert read("--pool", "make=5", "--pool", "serve=1").settings.pools == {"make": 5, "serve": 1}


def test_a_size_is_said_in_units_or_in_bytes(tmp_path: Path) -> None:
    """All three places take 512MiB; a bare number is bytes."""
    file = tmp_path / "garcon.toml"
    file.write_text("max-memory = '1.5GiB'\nmax-memory-hard = 2147483648\n")
    settings = read("--config", str(file)).settings
    assert (settings.max_memory, settings.max_memory_hard) == (3 << 29, 2 << 30)
    assert str(settings.max_memory_hard) == "2GiB"
    assert read("--max-memory", "512MiB").settings.max_memory == 512 << 20
    assert read(GARCON_MAX_MEMORY="1048576").settings.max_memory == 1 << 20


def test_the_flags_own_name_is_known_everywhere(tmp_path: Path) -> None:
    """What is --pool on the command line may be called so in the environment and the file too."""
    file = tmp_path / "garcon.toml"
    file.write_text("pool = ['make=3']\n")
    assert read("--config", str(file)).settings.pools == {"make": 3}
    assert read(GARCON_POOL="make=4").settings.pools == {"make": 4}


def test_a_misspelt_variable_is_noticed() -> None:
    """A variable with our prefix that is no setting is told, not silently ignored."""
    said = read(GARCON_WORKER="4", GARCON_CLAIMS="file:/claims")
    assert said.unknown == ("GARCON_WORKER",)


def test_settings_without_a_flag_are_heard_in_environment_and_file(tmp_path: Path) -> None:
    """A hidden number can still be set, but not on the command line."""
    assert read(GARCON_POLL_PATIENCE="12.5").settings.poll_patience == 12.5
    file = tmp_path / "garcon.toml"
    file.write_text("poll-patience = 7")
    assert read("--config", str(file)).settings.poll_patience == 7.0
    with pytest.raises(SystemExit):
        read("--poll-patience", "3")


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
        (["--gate-replay", "last:x"], {}, "--gate-replay: expected a folder of histories, or last"),
        ([], {"GARCON_LATE_TASKS": "x"}, "GARCON_LATE_TASKS: "),
        (["--probation", "-1"], {}, "--probation: expected a number >= 0"),
        (["--drain-timeout", "0"], {}, "--drain-timeout: expected a number > 0"),
        (["--pool", "make"], {}, "--pool make: it takes LIST=N"),
        (["--pool", "make=1", "--pool", "make=2"], {}, "--pool: make is given twice."),
        (["--start", "{"], {}, "--start {: it is no JSON"),
        (["--start", "[1]"], {}, "an execution's input is a JSON object"),
        (["--once"], {}, "--once waits for executions of --start, and none is given."),
        (["--local", "--endpoint-url", "http://x"], {}, "own endpoint: leave --endpoint-url out"),
        (["--local"], {"GARCON_ENDPOINT_URL": "http://x"}, "leave GARCON_ENDPOINT_URL out"),
        ([], {"GARCON_LOCAL": "maybe"}, "GARCON_LOCAL: expected true or false, not 'maybe'."),
        ([], {"GARCON_CONFIG": "/nowhere.toml"}, "--config /nowhere.toml cannot be read"),
    ],
)
def test_a_mistake_gets_a_sentence_that_names_its_place(
    argv: list[str], environ: dict[str, str], sentence: str
) -> None:
    """Bad input raises SettingsError, which says where it was said and what was expected."""
    with pytest.raises(SettingsError) as refused:
        read(*argv, **environ)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("workers = ", "is no TOML"),
        ("wrokers = 3", "there is no setting 'wrokers'"),
        ("workers = 'three'", "workers: expected a whole number"),
        ("pools = 3", "pools: expected a table"),
    ],
)
def test_a_mistake_in_the_file_names_the_file(tmp_path: Path, text: str, sentence: str) -> None:
    """What the file has wrong is said with the file's name."""
    file = tmp_path / "garcon.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        read("--config", str(file))
    assert sentence in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_missing_flow_is_told() -> None:
    """Without a flow there is nothing to do, and the sentence says which option is missing."""
    with pytest.raises(SettingsError, match="--flow is missing"):
        options.read([], {})


def test_every_setting_has_a_sentence() -> None:
    """Nobody can add a setting without saying what it means."""
    assert all(len(each.help) > 10 for each in options.OPTIONS)
    assert {each.name for each in options.OPTIONS} == set(Settings.__struct_fields__)


def test_pool_sizes_follow_workers_deciders_and_pools() -> None:
    """A pool's own size wins, by short or full name; else --workers and --deciders hold."""
    settings = Settings(flow="shop", workers=4, deciders=2, pools={"make": 7, "shop_serve": 0})
    assert pool_sizes(settings, LISTS) == dict(zip(LISTS, (2, 7, 0), strict=True))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (Settings(pools={"mkae": 1}), "--pool mkae: the flow has no such task list"),
        (Settings(pools={"make": 1, "shop_make": 2}), "given twice"),
        (Settings(workers=0, deciders=0), "every pool has zero seats"),
    ],
)
def test_pools_that_cannot_be_are_refused(settings: Settings, sentence: str) -> None:
    """An unknown list, a list named twice and an empty pool are refused with a sentence."""
    with pytest.raises(SettingsError, match=sentence):
        pool_sizes(settings, LISTS)
