"""A finding of the doctor."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One difference between garcon 1.x and this version, in one flow.

    Attributes:
        code: Its kind, explained in ``docs/migrating.md``.
        subject: The part of the flow that it is about.
        difference: What 1.x does, and what happens here.
        to_do: What to do about it.
    """

    code: str
    subject: str
    difference: str
    to_do: str

    def __str__(self) -> str:
        return f"{self.subject} [{self.code}]\n  {self.difference}\n  To do: {self.to_do}"
