"""A channel carries whole messages, descriptors, and the news of its end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from supervisor import channel, messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.channel import Channel

Ends = tuple["Channel", "Channel"]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The supervisor's end and the child's, closed afterwards."""
    both = channel.pair()
    yield both
    for each in both:
        each.close()


def test_messages_arrive_whole_and_in_order(ends: Ends) -> None:
    """Three messages said are three messages heard, then nothing, without waiting."""
    ours, theirs = ends
    said: list[messages.Said] = [messages.Polling(1), messages.Polling(2), messages.Registered(3)]
    for each in said:
        theirs.say(each)
    assert [ours.hear(), ours.hear(), ours.hear()] == said
    assert ours.hear() is None
    assert not ours.closed


def test_last_words_are_heard_after_the_speaker_is_gone(ends: Ends) -> None:
    """What was said before the end is still there, and then the end is seen."""
    ours, theirs = ends
    theirs.say(messages.Polling(7))
    theirs.close()
    assert ours.hear() == messages.Polling(7)
    assert ours.hear() is None
    assert ours.closed


def test_last_words_of_who_left_something_unread_are_heard_too(ends: Ends) -> None:
    """What it was told and did not hear takes nothing from what it said itself."""
    for hearing, leaving in (ends, channel.pair()[::-1]):
        leaving.say(messages.Polling(7))
        hearing.say(messages.PoolAsked())
        leaving.close()
        assert hearing.hear() == messages.Polling(7)
        assert hearing.has_ended()
        assert hearing.hear() is None
        assert hearing.closed
        hearing.close()


def test_who_left_words_and_something_unread_has_not_ended(ends: Ends) -> None:
    """The end comes after the last word, however it is asked for."""
    ours, theirs = ends
    theirs.say(messages.Polling(7))
    ours.say(messages.PoolAsked())
    theirs.close()
    assert not ours.has_ended()
    assert ours.hear() == messages.Polling(7)
    assert ours.has_ended()


@pytest.mark.parametrize("descriptors", [False, True])
def test_an_end_with_something_left_unread_is_an_end(ends: Ends, *, descriptors: bool) -> None:
    """Who hears is told that it is over, not that something was reset."""
    ours, theirs = ends
    ours.say(messages.PoolAsked())
    theirs.close()
    assert (ours.hear_with_descriptors()[0] if descriptors else ours.hear()) is None
    assert ours.closed


def test_speaking_to_a_dead_peer_says_so(ends: Ends) -> None:
    """A say after the peer's end raises ChannelClosed, not a signal and not silence."""
    ours, theirs = ends
    ours.close()
    with pytest.raises(channel.ChannelClosed):
        theirs.say(messages.Polling(1))


def test_a_peer_that_does_not_listen_never_blocks_the_supervisor(ends: Ends) -> None:
    """The supervisor's end raises ChannelFull when the peer's buffer is full."""
    ours, theirs = ends

    def say_too_much() -> None:
        for worker in range(100_000):
            ours.say(messages.Polling(worker))

    with pytest.raises(channel.ChannelFull):
        say_too_much()
    assert theirs.hear() == messages.Polling(0)


def test_descriptors_ride_on_a_message(ends: Ends) -> None:
    """What arrives are other numbers for the same open files, in order, closed on exec."""
    ours, theirs = ends
    pipes = [os.pipe(), os.pipe()]
    ours.say(messages.Polling(1), *(writer for _, writer in pipes))
    message, arrived = theirs.hear_with_descriptors()
    assert message == messages.Polling(1)
    for number, descriptor in enumerate(arrived):
        os.write(descriptor, b"%d" % number)
    assert [os.read(reader, 5) for reader, _ in pipes] == [b"0", b"1"]
    assert not any(os.get_inheritable(each) for each in arrived)
    for each in [*arrived, *pipes[0], *pipes[1]]:
        os.close(each)


def test_after_shut_the_peer_sees_the_end_and_can_still_answer(ends: Ends) -> None:
    """Shut ends our speaking only: the peer's last words still come."""
    ours, theirs = ends
    ours.shut()
    assert theirs.hear() is None
    assert theirs.closed
    theirs.say(messages.Polling(9))
    assert ours.hear() == messages.Polling(9)


def test_the_largest_result_fits_one_packet(ends: Ends) -> None:
    """A message with 32,768 characters of six JSON bytes each arrives whole."""
    ours, theirs = ends
    big = messages.CannotLoad("\x01" * 32_768, 3)
    theirs.say(big)
    assert ours.hear() == big


def test_what_does_not_fit_a_packet_is_not_said(ends: Ends) -> None:
    """Whatever this host's kernel would take; what does fit it takes."""
    ours, theirs = ends
    frame = len(messages.encode(messages.CannotLoad("", 3)))
    largest = messages.CannotLoad("x" * (channel.PACKET_BYTES - frame), 3)
    ours.say(largest)
    assert theirs.hear() == largest
    with pytest.raises(channel.MessageTooLong, match=r"CannotLoad of .* does not fit a packet"):
        ours.say(messages.CannotLoad(f"{largest.why}x", 3))
    theirs.say(messages.Polling(1))
    assert ours.hear() == messages.Polling(1)


def test_an_inherited_end_is_not_inherited_on(ends: Ends) -> None:
    """What the flow starts cannot speak in its starter's name."""
    descriptor = os.dup(ends[1].fileno())
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - the standard library's signature
    inherited = channel.Channel.inherited(descriptor)
    assert not os.get_inheritable(descriptor)
    inherited.close()
