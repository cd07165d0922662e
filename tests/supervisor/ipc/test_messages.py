"""Messages over a channel: encoding, decoding, and packets that are not messages."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.ipc import messages
from supervisor.ipc.messages import Fork, Report, Role, Serve, Slot, Task, TaskList, Working

texts = st.text(max_size=40)
task_lists = st.builds(TaskList, texts, st.sampled_from(Role), texts)
tasks = st.builds(Task, texts, texts, texts, texts, st.none() | st.floats(0, 1e9, allow_nan=False))
answers = (
    st.builds(messages.Complete, st.none() | texts)
    | st.builds(messages.Fail, texts, st.none() | texts)
    | st.builds(messages.Cancel, st.none() | texts)
    | st.just(messages.ReturnTask())
)
jobs = (
    st.builds(Serve, st.builds(Slot, task_lists, st.integers(0, 1000)))
    | st.builds(messages.Register, st.booleans())
    | st.builds(Report, tasks, st.sampled_from(Role), answers, texts, st.none() | st.floats(0, 9.0))
)
messages_of_each_kind = (
    st.builds(Fork, st.integers(0), st.integers(1), jobs)
    | st.builds(Working, st.integers(0), tasks)
    | st.builds(messages.Done, st.integers(0), st.sampled_from(messages.Result))
    | st.builds(messages.Stale, st.integers(0), st.sampled_from(messages.Staleness))
    | st.builds(messages.WantsReplacement, st.integers(0), texts)
    | st.builds(messages.FlowRefused, st.integers(0), texts, st.integers(0, 255))
    | st.builds(messages.LoadFailed, texts, st.integers(0, 255))
    | st.builds(messages.Loaded, texts, texts, texts, st.lists(task_lists).map(tuple))
)


@given(messages_of_each_kind)
def test_decoding_undoes_encoding(
    message: messages.ChannelMessage,
) -> None:
    """Nested values and enumerations included."""
    assert messages.decode(messages.encode(message)) == message


def test_a_text_that_utf8_cannot_carry_arrives_with_question_marks() -> None:
    """An error that names a file in another encoding is reported like any other."""
    packet = messages.encode(messages.LoadFailed("no caf\udce9.txt", 3))
    assert messages.decode(packet) == messages.LoadFailed("no caf?.txt", 3)


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
def test_an_invalid_packet_is_refused_with_its_length(packet: bytes) -> None:
    """It raises InvalidMessage, whatever user code has written to the channel."""
    with pytest.raises(messages.InvalidMessage, match=f"in a packet of {len(packet)} bytes"):
        messages.decode(packet)


def test_the_content_of_a_packet_stays_out_of_the_error() -> None:
    """The error is logged, and a packet may hold a token or a result."""
    with pytest.raises(messages.InvalidMessage) as refused:
        messages.decode(b'{"type":"Working","worker":1,"task":{"token":"geheim"}}')
    assert "geheim" not in str(refused.value)


def test_members_of_a_newer_version_are_ignored() -> None:
    """A message with an unknown member is decoded without it."""
    assert messages.decode(b'{"type":"Polling","worker":3,"mood":"good"}') == messages.Polling(3)


def test_messages_are_frozen() -> None:
    """A message cannot be changed after it was made."""
    polling = messages.Polling(3)
    with pytest.raises(AttributeError):
        polling.worker = 4  # type: ignore[misc]  # that is the point
    assert msgspec.structs.replace(polling, worker=4) == messages.Polling(4)
