"""A mutation: a named replacement in the source, and the unit tests that must notice it."""

from __future__ import annotations

from dataclasses import dataclass

PARENT = ("tests/supervisor/parent", "tests/supervisor/ipc")


@dataclass(frozen=True)
class Mutation:
    """One fault.

    Attributes:
        file: Path from the root of the tree.
        name: The fault in a few words.
        old: Text that occurs exactly once in the file.
        new: Its replacement.
        tests: Files or folders of tests.
    """

    file: str
    name: str
    old: str
    new: str
    tests: tuple[str, ...] = PARENT

    def apply(self, source: str) -> str:
        """The source with the fault. Raises ``ValueError`` if the text is not there once."""
        if source.count(self.old) != 1:
            raise ValueError(
                f"{self.file}: {self.name}: text occurs {source.count(self.old)} times"
            )
        return source.replace(self.old, self.new)
