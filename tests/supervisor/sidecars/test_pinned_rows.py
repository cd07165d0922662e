"""Pinned rows stay at the bottom, and whatever else is written scrolls above them, whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.sidecars import pinned_rows
from supervisor.sidecars.pinned_rows import PinnedRows
from tests.supervisor.sidecars.vt100 import Screen

LINES, COLUMNS = 12, 30


class Terminal:
    """A screen to which pinned rows and others write."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.resize(monkeypatch, LINES)
        monkeypatch.setattr(pinned_rows, "_write", self._feed)
        monkeypatch.setenv("COLUMNS", str(COLUMNS))
        self.rows = PinnedRows()

    def _feed(self, text: str) -> None:
        self.screen.feed(text)

    def resize(self, monkeypatch: pytest.MonkeyPatch, lines: int) -> None:
        """Show an empty screen of another size, without a scrolling region."""
        self.screen = Screen(lines, COLUMNS)
        monkeypatch.setenv("LINES", str(lines))


ROWS = st.lists(st.sampled_from(["task list", "make 1/1", ""]), max_size=10)
LOG = st.integers(0, 80).map("x".__mul__)


@given(steps=st.lists(st.tuples(ROWS, st.lists(LOG, max_size=4)), max_size=6))
def test_every_line_stays_whole_above_the_rows(steps: list[tuple[list[str], list[str]]]) -> None:
    """Wherever the cursor is, and however many rows come and go."""
    with pytest.MonkeyPatch.context() as patch:
        terminal = Terminal(patch)
        written: list[str] = []
        for rows, lines in steps:
            terminal.rows.show(rows)
            shown = rows[: LINES // 2]
            bottom = [row for row in terminal.screen.rows[LINES // 2 :] if row in rows and row]
            assert bottom == [row for row in shown if row]
            for line in lines:
                written.append(f"{len(written)}-{line}")
                terminal.screen.feed(f"{written[-1]}\n")
        terminal.rows.free()
        assert terminal.screen.text().replace("\n", "") == "".join(written)
        assert terminal.screen.region == (0, LINES - 1)


def test_another_size_pins_the_rows_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terminals forget their scrolling region when they are resized."""
    terminal = Terminal(monkeypatch)
    terminal.rows.show(["one", "two"])
    terminal.resize(monkeypatch, 20)
    terminal.rows.show(["one", "two"])
    assert terminal.screen.rows[-2:] == ["one", "two"]
    assert terminal.screen.region == (0, 17)
