"""Ids of builds: the digest of a flow's own files."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from garcon.flow.build_id import check_build_id, default_build_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Release = Callable[..., str]


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    """Writes files into a new folder, imports ``shop`` from it, and returns its build id."""
    known = set(sys.modules)
    count = 0

    def make(files: dict[str, str], module: str = "shop") -> str:
        nonlocal count
        count += 1
        folder = tmp_path / f"release{count}"
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.syspath_prepend(str(folder))
        importlib.invalidate_caches()
        importlib.import_module(module)
        found = default_build_id(module)
        for name in set(sys.modules) - known:
            del sys.modules[name]
        return found

    return make


def test_the_same_files_are_the_same_build_wherever_they_are(release: Release) -> None:
    """Hosts unpack releases into folders of their own."""
    assert release({"shop.py": "a = 1"}) == release({"shop.py": "a = 1"})


def test_any_change_is_another_build(release: Release) -> None:
    """Also in a module beside the flow, and in one of its package."""
    found = [
        release({"shop.py": "import helper", "helper.py": "a = 1"}),
        release({"shop.py": "import helper", "helper.py": "a = 2"}),
        release({"shop.py": "import helper as h", "helper.py": "a = 2"}),
        *(
            release(
                {
                    "store/__init__.py": "",
                    "store/flow.py": "import store.steps",
                    "store/steps.py": text,
                },
                "store.flow",
            )
            for text in ("a = 1", "a = 2")
        ),
    ]
    assert len(set(found)) == len(found)
    assert all(len(each) == 12 for each in found)


def test_files_that_the_flow_does_not_import_do_not_count(release: Release) -> None:
    """A test or a script in the same folder decides nothing."""
    assert release({"shop.py": "a = 1", "test_shop.py": "b"}) == release({"shop.py": "a = 1"})


def test_a_flow_without_files_has_no_build() -> None:
    """One that was typed in."""
    assert default_build_id("no_such_module") == ""


@pytest.mark.parametrize("text", ["1", "2026-11-29.3", "v1_2+abc", "x" * 64])
def test_an_id_can_be_part_of_a_list_name(text: str) -> None:
    """SWF forbids some characters there."""
    assert check_build_id(text) == text


@pytest.mark.parametrize("text", ["", "a b", "a/b", "a:b", "a@b", "x" * 65, "ä"])
def test_other_ids_are_refused(text: str) -> None:
    """The sentence says what is expected."""
    with pytest.raises(ValueError, match="expected a build id"):
        check_build_id(text)
