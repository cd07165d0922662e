"""The vocabulary survives the way over a channel, and nonsense is refused."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor import messages
from supervisor.messages import Fork, Report, Role, Seat, Serve, Task, TaskList, Working

texts = st.text(max_size=40)
task_lists = st.builds(TaskList, texts, st.sampled_from(Role), texts)
tasks = st.builds(Task, texts, texts, texts, texts, st.none() | st.floats(0, 1e9, allow_nan=False))
answers = (
    st.builds(messages.Complete, st.none() | texts)
    | st.builds(messages.Fail, texts, st.none() | texts)
    | st.builds(messages.Cancel, st.none() | texts)
    | st.just(messages.HandBack())
)
jobs = (
    st.builds(Serve, st.builds(Seat, task_lists, st.integers(0, 1000)))
    | st.builds(messages.Register, st.booleans())
    | st.builds(Report, tasks, st.sampled_from(Role), answers, texts, st.none() | st.floats(0, 9.0))
)
said = (
    st.builds(Fork, st.integers(0), st.integers(1), jobs)
    | st.builds(Working, st.integers(0), tasks)
    | st.builds(messages.Done, st.integers(0), st.sampled_from(messages.Result))
    | st.builds(messages.Stale, st.integers(0), st.sampled_from(messages.Staleness))
    | st.builds(messages.Tired, st.integers(0), texts)
    | st.builds(messages.Refused, st.integers(0), texts, st.integers(0, 255))
    | st.builds(messages.CannotLoad, texts, st.integers(0, 255))
    | st.builds(messages.Loaded, texts, texts, texts, st.lists(task_lists).map(tuple))
)


@given(said)
def test_a_message_is_the_same_after_the_way_over_a_channel(message: messages.Said) -> None:
    """What is decoded equals what was encoded, nested values and enumerations included."""
    assert messages.decode(messages.encode(message)) == message


def test_a_text_that_utf8_cannot_carry_arrives_with_question_marks() -> None:
    """An error that names a file of undecodable name is told like any other."""
    packet = messages.encode(messages.CannotLoad("no caf\udce9.txt", 3))
    assert messages.decode(packet) == messages.CannotLoad("no caf?.txt", 3)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"{",
        b"[]",
        b'{"type":"Explode"}',
        b'{"type":"Polling","worker":"one"}',
        b'{"type":"Polling","worker":1,"more":' + b"[" * 100_000,
    ],
    ids=lambda packet: packet[:40].decode(),
)
def test_nonsense_is_refused_with_its_length(packet: bytes) -> None:
    """A packet that is no message raises NotUnderstood, whatever user code sent."""
    with pytest.raises(messages.NotUnderstood, match=f"in a packet of {len(packet)} bytes"):
        messages.decode(packet)


def test_what_a_packet_holds_stays_out_of_the_error() -> None:
    """It is logged, and a packet may hold a token or a result."""
    with pytest.raises(messages.NotUnderstood) as refused:
        messages.decode(b'{"type":"Working","worker":1,"task":{"token":"geheim"}}')
    assert "geheim" not in str(refused.value)


def test_members_of_a_newer_version_are_ignored() -> None:
    """A message with a member that we do not know yet still says what we do know."""
    assert messages.decode(b'{"type":"Polling","worker":3,"mood":"good"}') == messages.Polling(3)


def test_messages_are_frozen() -> None:
    """Nobody can change what was said."""
    polling = messages.Polling(3)
    with pytest.raises(AttributeError):
        polling.worker = 4  # type: ignore[misc]  # that is the point
    assert msgspec.structs.replace(polling, worker=4) == messages.Polling(4)
