"""Writes the files of the kit: ``python -m tests.boards``."""

from __future__ import annotations

import sys

from tests.boards.alarms import cloudwatch_lines, table_lines
from tests.boards.kit import FILES, KIT

if __name__ == "__main__":
    for name, text in FILES.items():
        (KIT / name).write_text(text(), encoding="utf-8")
    sys.stdout.write("\n".join([*table_lines(), "", *cloudwatch_lines()]) + "\n")
