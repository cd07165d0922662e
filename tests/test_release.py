"""The release: one command, whose steps fail before anything has changed."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import tomllib
from pathlib import Path

import pytest

import noxfile

ROOT = Path(__file__).parents[1]
TODAY = dt.date(2030, 1, 2)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the files that a release changes."""
    for name in (*noxfile.PLACES, "CHANGELOG.md", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_version_is_set_everywhere(tree: Path) -> None:
    """Package, library and supervisor have one version, and the changelog its date."""
    noxfile.set_version(tree, "12.3.4rc1", TODAY)
    assert tomllib.loads((tree / "pyproject.toml").read_text())["project"]["version"] == "12.3.4rc1"
    for name in ("garcon/version.py", "supervisor/__init__.py"):
        assert ' = "12.3.4rc1"\n' in (tree / name).read_text()
    assert "\n## 12.3.4rc1 (2030-01-02)\n" in (tree / "CHANGELOG.md").read_text()


def test_the_three_versions_agree_now() -> None:
    """A release begins with one version."""
    found = {re.search(line, (ROOT / name).read_text()) for name, line in noxfile.PLACES.items()}
    assert len({each[0].rpartition(" = ")[2] for each in found if each}) == 1
    assert None not in found


def test_a_second_release_needs_an_unreleased_heading(tree: Path) -> None:
    """The changelog's newest heading says that it is not released."""
    noxfile.set_version(tree, "12.3.4", TODAY)
    with pytest.raises(ValueError, match=r"CHANGELOG\.md has no line like"):
        noxfile.set_version(tree, "12.3.5", TODAY)


def test_an_index_finds_every_page(tree: Path) -> None:
    """The description on an index has no relative link, and the project has its pages."""
    noxfile.set_address(tree, "https://host.example/owner/name", "v12.3.4")
    text = (tree / "README.md").read_text()
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert [each for each in targets if not re.match("https?://|#", each)] == []
    assert "](https://host.example/owner/name/blob/v12.3.4/docs/tutorial.md)" in text
    assert re.search(
        r"!\[[^\]]+\]\(https://host\.example/owner/name/raw/v12\.3\.4/docs/\S+\.png", text
    )
    urls = tomllib.loads((tree / "pyproject.toml").read_text())["project"]["urls"]
    assert urls["Changelog"] == "https://host.example/owner/name/blob/v12.3.4/CHANGELOG.md"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://host.example/owner/name.git\n", "https://host.example/owner/name"),
        ("git@host.example:owner/name.git", "https://host.example/owner/name"),
        ("ssh://git@host.example/owner/name", "https://host.example/owner/name"),
        ("https://user:word@host.example/owner/name", "https://host.example/owner/name"),
        ("/srv/git/name", ""),
        ("", ""),
    ],
)
def test_the_address_comes_from_the_remote(remote: str, address: str) -> None:
    """A user's name or password in it is left out; a folder has no page."""
    assert noxfile.web_address(remote) == address


def test_what_is_no_release_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence says what a version or an address looks like."""
    for words in (["2.0"], ["2.0.0", "--repository", "here"]):
        with pytest.raises(SystemExit):
            noxfile.release_options(words)
        assert "such as" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("version", "is_one"),
    [("2.0.0", True), ("2.0.0rc1", True), ("2.0", False), ("v2.0.0", False), ("2.0.0.dev0", False)],
)
def test_only_releases_are_versions(version: str, *, is_one: bool) -> None:
    """Development versions are not released."""
    assert bool(noxfile.VERSION.fullmatch(version)) is is_one


def test_the_changelog_has_each_change_once() -> None:
    """A merge that keeps both sides of a conflict repeats lines that one side has moved."""
    text = (ROOT / "CHANGELOG.md").read_text()
    changes = [" ".join(each.split()) for each in re.split(r"\n(?:(?=- )|(?=#)|\n)", text)]
    found = [each for each in changes if each.startswith("- ")]
    assert found
    assert [each for each in found if found.count(each) > 1] == []
