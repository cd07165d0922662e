"""A terminal's screen, for what pinned rows use of it: scrolling regions and cursor positions."""

from __future__ import annotations

import re

_TOKEN = re.compile("\x1b([78])|\x1b\\[([0-9;]*)([A-Za-z])|(\n)|(\r)|([^\x1b])")


class Screen:
    """A screen of so many lines and columns; what scrolls off its top stays in ``history``."""

    def __init__(self, lines: int, columns: int) -> None:
        self.lines, self.columns = lines, columns
        self.rows = [""] * lines
        self.history: list[str] = []
        self.region = (0, lines - 1)
        self._y = self._x = 0
        self._saved = (0, 0)

    def feed(self, text: str) -> None:
        """Obey what a program writes."""
        for save, numbers, final, feed, start, character in _TOKEN.findall(text):
            if save:
                self._save_or_restore(save)
            elif final:
                self._obey(final, [int(each or 0) for each in numbers.split(";")])
            elif feed:
                self._x = 0  # the terminal's driver adds the carriage return
                self._feed_line()
            elif start:
                self._x = 0
            else:
                self._put(character)

    def text(self) -> str:
        """History and screen; a full row goes on in the next one."""
        shown = (row + ("" if len(row) == self.columns else "\n") for row in self._all())
        return "".join(shown)

    def _all(self) -> list[str]:
        return [row.rstrip() for row in [*self.history, *self.rows]]

    def _save_or_restore(self, which: str) -> None:
        if which == "7":
            self._saved = (self._y, self._x)
        else:
            self._y, self._x = self._saved

    def _obey(self, final: str, numbers: list[int]) -> None:
        first = numbers[0]
        match final:
            case "r":
                self.region = (numbers[0] - 1, numbers[1] - 1) if first else (0, self.lines - 1)
                self._y = self._x = 0
            case "H":
                self._y, self._x = max(first - 1, 0), max(numbers[-1] - 1, 0)
            case "A":
                self._y -= first
            case "K":
                self.rows[self._y] = ""
            case "J":
                self.rows[self._y] = self.rows[self._y][: self._x]
                self.rows[self._y + 1 :] = [""] * (self.lines - self._y - 1)
            case "m":
                pass  # colours leave no mark here
            case _:
                raise AssertionError(f"this screen does not know the final letter {final}")

    def _put(self, character: str) -> None:
        if self._x == self.columns:
            self._x = 0
            self._feed_line()
        row = self.rows[self._y].ljust(self._x)
        self.rows[self._y] = row[: self._x] + character + row[self._x + 1 :]
        self._x += 1

    def _feed_line(self) -> None:
        top, bottom = self.region
        if self._y < bottom:
            self._y += 1
            return
        self.history.append(self.rows.pop(top))
        self.rows.insert(bottom, "")
