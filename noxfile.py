"""One word for each thing that a maintainer does: ``nox -s lint``; ``nox -l`` lists them.

Environments are kept between runs. ``nox -s test_fast-3.13`` takes another Python, if there is one.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

import nox

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

UNWRITABLE = "tests/garcon/local/service/test_state_file.py::test_a_full_disk_ends_the_program"
"""A test whose program can write to no file: coverage's own traceback would fail it."""

nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "test_fast-3.11"]


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff and mypy over the whole tree."""
    session.install("-e", ".[test]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session(python=PYTHONS)
def test(session: nox.Session) -> None:
    """Run every test, those with real processes included."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-q", "-n", "3", *session.posargs)


@nox.session(python=PYTHONS)
def test_fast(session: nox.Session) -> None:
    """Run the tests that a change needs at once: no real process, nothing slow."""
    session.install("-e", ".[test]")
    marks = "not processes and not slow"
    session.run("python", "-m", "pytest", "-q", "-n", "auto", "-m", marks, *session.posargs)


@nox.session
def test_processes(session: nox.Session) -> None:
    """Run the tests that start supervisors, workers and servers."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-q", "-n", "3", "-m", "processes", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure branch coverage over all tests, forked and spawned processes included."""
    session.install("-e", ".[test]")
    session.run("coverage", "erase")
    words = ("-q", "-n", "3", f"--deselect={UNWRITABLE}", *session.posargs)
    session.run("coverage", "run", "-m", "pytest", *words)
    session.run("coverage", "combine")
    session.run("coverage", "report", "--skip-covered", "--sort=cover")


@nox.session
def bench(session: nox.Session) -> None:
    """Run one benchmark: ``nox -s bench -- pool --slots 8``; ``docs/performance.md`` lists them."""
    session.install("-e", ".[test]")
    name, *words = session.posargs or ("decider",)
    session.run("python", "-m", f"tests.benchmarks.{name}", *words)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site of the documentation into ``site/``; warnings are errors."""
    session.install("-e", ".[docs]")
    # Material prints a notice about mkdocs in every build; pyproject.toml has the bound.
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def build(session: nox.Session) -> None:
    """Build the wheel and the source archive, and check what an index would show of them."""
    session.install("build", "twine")
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", "dist/*")


VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")

PLACES = {
    "pyproject.toml": r'(?m)^(version = )"[^"]+"',
    "garcon/version.py": r'(?m)^(VERSION = )"[^"]+"',
    "supervisor/__init__.py": r'(?m)^(__version__ = )"[^"]+"',
}
"""The files that hold the version, and the line in each."""

URLS = {
    "Homepage": "",
    "Documentation": "/blob/{tag}/docs/index.md",
    "Changelog": "/blob/{tag}/CHANGELOG.md",
    "Issues": "/issues",
}
"""The project's pages under the repository's address."""

REMOTE = re.compile(
    r"(?:https?://|ssh://|git@)(?:[^/@]+@)?(?P<host>[\w.-]+)[:/](?P<path>[\w./-]+?)(?:\.git)?/?"
)

PICTURE = re.compile(r"(!\[[^\]]*\]\()(?!https?:|#)([^)]+)")
LINK = re.compile(r"(?<!!)(\[[^\]]*\]\()(?!https?:|#)([^)]+)")
"""Relative ones in Markdown."""


@nox.session
def release(session: nox.Session) -> None:
    """Release: ``nox -s release -- 2.0.0``; with ``--dry-run`` nothing outside a copy changes.

    In a copy of the last commit: version, date in the changelog, commit, tag, the repository's
    address, build, checks, and the wheel in a fresh environment. Only when all of it is green do
    branch and tag get the commit; what remains is to push both, and to upload ``dist``.
    """
    options = release_options(session.posargs)
    address = options.repository or web_address(_origin(session))
    if not address:
        session.error("Give the repository's address, as in: --repository https://host/owner/name")
    session.install("build", "twine")
    copy = Path(session.create_tmp()).resolve() / "copy"
    session.run("rm", "-rf", str(copy), external=True)
    session.run("git", "clone", "-q", ".", str(copy), external=True)
    set_version(copy, options.version, dt.datetime.now(tz=dt.UTC).date())
    root = Path.cwd()
    with session.chdir(copy):
        session.run("git", "commit", "-qam", f"Release {options.version}", external=True)
        session.run("git", "tag", f"v{options.version}", external=True)  # refused if it exists
        set_address(copy, address, f"v{options.version}")
        session.run("python", "-m", "build")
        session.run("twine", "check", "--strict", *map(str, Path("dist").iterdir()))
        (wheel,) = Path("dist").glob("*.whl")
        session.run(".ci/wheel", str(wheel), external=True)
    if options.dry_run:
        session.log(f"A release of {options.version} would work; nothing has changed.")
        return
    session.run("git", "pull", "-q", "--ff-only", "--tags", str(copy), "HEAD", external=True)
    session.run("cp", "-r", str(copy / "dist"), str(root), external=True)
    session.log(f"Next: git push --follow-tags && twine upload dist/*{options.version}*")


def release_options(words: Sequence[str]) -> argparse.Namespace:
    """Version, address of the repository (empty if not given), and whether to change nothing."""
    parser = argparse.ArgumentParser("nox -s release --")
    parser.add_argument("version", type=_version, help="as in 2.0.0 or 2.0.0rc1")
    parser.add_argument("--repository", default="", type=_address, metavar="URL")
    parser.add_argument("--dry-run", action="store_true")
    return parser.parse_args(words)


def web_address(remote: str) -> str:
    """The page of the repository behind a git remote; empty for one without a page.

    ``git@host:owner/name.git`` and ``ssh://git@host/owner/name`` become ``https://host/owner/name``.
    """
    found = REMOTE.fullmatch(remote.strip())
    return f"https://{found['host']}/{found['path']}" if found else ""


def set_version(tree: Path, version: str, today: dt.date) -> None:
    """Write the version into its files, and date the first heading of the changelog.

    Raises:
        ValueError: A file does not have the line, or the changelog has no unreleased heading.
    """
    for name, line in PLACES.items():
        _replace(tree / name, line, rf'\g<1>"{version}"')
    heading = rf"## {version} ({today.isoformat()})"
    _replace(tree / "CHANGELOG.md", r"(?m)^## \S+ \(unreleased\)$", heading)


def set_address(tree: Path, address: str, tag: str) -> None:
    """Make the README's links absolute, and give the project its URLs; the index shows both.

    This is for the archives alone: in the tree, relative links hold in each fork and branch.

    Raises:
        ValueError: A file does not have the line after which the URLs go.
    """
    urls = "".join(f'{name} = "{address}{path.format(tag=tag)}"\n' for name, path in URLS.items())
    table = f"[project.urls]\n{urls}\n[project.scripts]"
    _replace(tree / "pyproject.toml", r"(?m)^\[project\.scripts\]$", table)
    readme = tree / "README.md"
    text = PICTURE.sub(rf"\1{address}/raw/{tag}/\2", readme.read_text())
    readme.write_text(LINK.sub(rf"\1{address}/blob/{tag}/\2", text))


def _version(text: str) -> str:
    if not VERSION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text} is no version of a release, such as 2.0.0")
    return text


def _address(text: str) -> str:
    if not (address := web_address(text)):
        raise argparse.ArgumentTypeError(f"{text} is no address, such as https://host/owner/name")
    return address


def _origin(session: nox.Session) -> str:
    """Where the remote ``origin`` is, or git's sentence that there is none."""
    command = ("git", "remote", "get-url", "origin")
    return str(session.run(*command, external=True, silent=True, success_codes=[0, 2]))


def _replace(path: Path, line: str, new: str) -> None:
    text, number = re.subn(line, new, path.read_text(), count=1)
    if not number:
        raise ValueError(f"{path} has no line like {line}.")
    path.write_text(text)
