"""Releases in folders: which one serves, which are kept, and whose interpreter runs them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config import releases
from supervisor.config.releases import Releases, find, order, python_of
from supervisor.config.setting_types import HistorySource
from supervisor.config.settings import Settings, SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def folders(top: Path, *names: str) -> Path:
    """A folder with these releases."""
    for name in names:
        (top / name).mkdir()
    return top


def names_of(found: Releases) -> list[str]:
    """The serving release, then the older ones."""
    return [each.name for each in (found.serving, *found.older)]


def test_the_newest_serves_and_the_ones_before_it_may_be_kept(tmp_path: Path) -> None:
    """Numbers in names count as numbers; files and hidden folders are not releases."""
    folders(tmp_path, "v9", "v10", "v2", ".v11")
    (tmp_path / "v12").write_text("")
    assert names_of(find(str(tmp_path))) == ["v10", "v9", "v2"]


@pytest.mark.parametrize("link", ["current", "../current"])
def test_the_release_that_the_link_leads_to_serves(tmp_path: Path, link: str) -> None:
    """The link may lie beside the folder, too; releases that are newer are not among them."""
    top = tmp_path / "releases"
    top.mkdir()
    folders(top, "a", "b", "c")
    (top / link).symlink_to(top / "b")
    assert names_of(find(str(top))) == ["b", "a"]


def test_a_link_beside_the_folder_may_be_that_of_something_else(tmp_path: Path) -> None:
    """It counts if it leads to one of the releases."""
    top = tmp_path / "releases"
    top.mkdir()
    folders(top, "a", "b")
    (tmp_path / "current").symlink_to(tmp_path)
    assert names_of(find(str(top))) == ["b", "a"]


def test_the_link_may_lead_elsewhere(tmp_path: Path) -> None:
    """The place of the serving release is free; its name orders it among the others."""
    top, elsewhere = tmp_path / "releases", tmp_path / "b"
    top.mkdir()
    elsewhere.mkdir()
    folders(top, "a", "c")
    (top / "current").symlink_to(elsewhere)
    assert find(str(top)) == Releases(elsewhere, (top / "a",), ("a", "c"))


def test_what_cannot_be_served_is_a_sentence(tmp_path: Path) -> None:
    """A folder that is missing or holds no release, and a link that leads nowhere."""
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        find(str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="holds no release: put each into a folder"):
        find(str(tmp_path))
    (tmp_path / "current").symlink_to(tmp_path / "gone")
    with pytest.raises(SettingsError, match=r"leads to .*gone, which is not a folder"):
        find(str(tmp_path))


@given(st.lists(st.text("ab1902-. ", max_size=8), max_size=8, unique=True))
def test_any_names_have_one_order(names: list[str]) -> None:
    """No two names are equal in it, and any two can be compared."""
    keys = sorted(map(order, names))
    assert len(keys) == len(set(map(str, keys))) == len(names)
    assert [key[-1] for key in keys] == sorted(names, key=order)


def test_dates_and_versions_are_in_order_of_time() -> None:
    """With and without leading zeros."""
    for sequence in (
        ["2026-9-30", "2026-10-01", "2026-10-2"],
        ["20261127", "20261127-2", "20261127-10"],
        ["1.9", "1.10", "1.10.1"],
    ):
        assert sorted(sorted(sequence), key=order) == sequence


def test_a_release_may_have_its_own_interpreter(tmp_path: Path) -> None:
    """That of its environment, also if it is broken; without one it is this process's."""
    assert python_of(tmp_path) == python_of(None) == sys.executable
    own = tmp_path / ".venv/bin/python"
    own.parent.mkdir(parents=True)
    own.symlink_to(tmp_path / "removed")
    assert python_of(tmp_path) == str(own)


def test_paths_hold_in_the_release_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made absolute, since the flow's process has another working folder."""
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        flow="shop", folder="new", spool="spool", gate_replay=HistorySource("histories")
    )
    found = releases.with_absolute_paths(settings)
    assert (found.folder, found.spool) == (str(tmp_path / "new"), str(tmp_path / "spool"))
    assert found.gate_replay.folder == str(tmp_path / "histories")
    alone = Settings(flow="shop", spool="spool")
    assert releases.with_absolute_paths(alone) == alone
    assert releases.with_absolute_paths(Settings(flow="shop", folder="x")).gate_replay.open == 20


def test_a_working_folder_that_is_gone_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deploy may remove it; a restart is then refused, and does not end the supervisor."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    absolute = Settings(flow="shop", folder="/new", spool="/spool")
    assert releases.with_absolute_paths(absolute) == absolute
    with pytest.raises(SettingsError, match="The working folder is gone"):
        releases.with_absolute_paths(Settings(flow="shop", folder="/new", spool="spool"))
