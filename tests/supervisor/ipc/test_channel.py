"""Channels: whole messages, descriptors that travel along, and the end of the peer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from supervisor.ipc import channel, messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.ipc.channel import Channel

Ends = tuple["Channel", "Channel"]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The supervisor's end and the child's."""
    both = channel.pair()
    yield both
    for end in both:
        end.close()


def test_messages_arrive_whole_and_in_order(ends: Ends) -> None:
    """Three messages sent are three messages received; then there is none, without waiting."""
    ours, theirs = ends
    sent: list[messages.ChannelMessage] = [
        messages.Polling(1),
        messages.Polling(2),
        messages.Registered(3),
    ]
    for message in sent:
        theirs.send(message)
    assert [ours.receive(), ours.receive(), ours.receive()] == sent
    assert ours.receive() is None
    assert not ours.closed


def test_last_messages_arrive_after_the_sender_is_gone(ends: Ends) -> None:
    """The messages come first, then the end."""
    ours, theirs = ends
    theirs.send(messages.Polling(7))
    theirs.close()
    assert ours.receive() == messages.Polling(7)
    assert ours.receive() is None
    assert ours.closed


def test_last_messages_of_a_sender_with_unread_packets_arrive(ends: Ends) -> None:
    """The kernel's reset for the unread packet does not hide them."""
    for receiver, sender in (ends, channel.pair()[::-1]):
        sender.send(messages.Polling(7))
        receiver.send(messages.PoolRequested())
        sender.close()
        assert receiver.receive() == messages.Polling(7)
        assert receiver.has_ended()
        assert receiver.receive() is None
        assert receiver.closed
        receiver.close()


def test_a_channel_with_messages_left_has_not_ended(ends: Ends) -> None:
    """The end comes after the last message, reset or not."""
    ours, theirs = ends
    theirs.send(messages.Polling(7))
    ours.send(messages.PoolRequested())
    theirs.close()
    assert not ours.has_ended()
    assert ours.receive() == messages.Polling(7)
    assert ours.has_ended()


@pytest.mark.parametrize("descriptors", [False, True])
def test_a_reset_is_an_end(ends: Ends, *, descriptors: bool) -> None:
    """The receiver sees the end, not an exception, if the peer left a packet unread."""
    ours, theirs = ends
    ours.send(messages.PoolRequested())
    theirs.close()
    assert (ours.receive_with_descriptors()[0] if descriptors else ours.receive()) is None
    assert ours.closed


def test_sending_to_a_dead_peer_raises(ends: Ends) -> None:
    """Sending after the peer's end raises ChannelClosed; it neither signals nor succeeds."""
    ours, theirs = ends
    ours.close()
    with pytest.raises(channel.ChannelClosed):
        theirs.send(messages.Polling(1))


def test_a_peer_that_does_not_read_never_blocks_the_supervisor(ends: Ends) -> None:
    """The supervisor's end raises ChannelFull when the kernel's buffer is full."""
    ours, theirs = ends

    def send_too_much() -> None:
        for worker in range(100_000):
            ours.send(messages.Polling(worker))

    with pytest.raises(channel.ChannelFull):
        send_too_much()
    assert theirs.receive() == messages.Polling(0)


def test_descriptors_travel_with_a_message(ends: Ends) -> None:
    """They arrive in order as new numbers for the same open files, closed on exec."""
    ours, theirs = ends
    pipes = [os.pipe(), os.pipe()]
    ours.send(messages.Polling(1), *(writer for _, writer in pipes))
    message, arrived = theirs.receive_with_descriptors()
    assert message == messages.Polling(1)
    for number, descriptor in enumerate(arrived):
        os.write(descriptor, b"%d" % number)
    assert [os.read(reader, 5) for reader, _ in pipes] == [b"0", b"1"]
    assert not any(os.get_inheritable(each) for each in arrived)
    for each in [*arrived, *pipes[0], *pipes[1]]:
        os.close(each)


def test_an_end_that_blocks_is_asked_without_waiting(ends: Ends) -> None:
    """A zygote takes the requests that have arrived, and no more."""
    ours, theirs = ends
    ours.send(messages.Polling(1))
    assert theirs.receive_with_descriptors(wait=False) == (messages.Polling(1), [])
    assert theirs.receive_with_descriptors(wait=False) == (None, [])
    assert not theirs.closed


def test_after_close_sending_the_peer_can_still_send(ends: Ends) -> None:
    """Only one direction is closed: the peer sees the end, and its messages arrive."""
    ours, theirs = ends
    ours.close_sending()
    assert theirs.receive() is None
    assert theirs.closed
    theirs.send(messages.Polling(9))
    assert ours.receive() == messages.Polling(9)


def test_the_largest_result_fits_one_packet(ends: Ends) -> None:
    """32,768 characters of six JSON bytes each arrive whole."""
    ours, theirs = ends
    big = messages.LoadFailed("\x01" * 32_768, 3)
    theirs.send(big)
    assert ours.receive() == big


def test_a_message_that_is_too_long_is_not_sent(ends: Ends) -> None:
    """The limit is the channel's own, and the kernel accepts a packet of that size."""
    ours, theirs = ends
    frame = len(messages.encode(messages.LoadFailed("", 3)))
    largest = messages.LoadFailed("x" * (channel.PACKET_BYTES - frame), 3)
    ours.send(largest)
    assert theirs.receive() == largest
    with pytest.raises(channel.MessageTooLong, match=r"LoadFailed of .* does not fit a packet"):
        ours.send(messages.LoadFailed(f"{largest.why}x", 3))
    theirs.send(messages.Polling(1))
    assert ours.receive() == messages.Polling(1)


def test_an_inherited_end_is_closed_on_exec(ends: Ends) -> None:
    """A program that the flow starts cannot send in the worker's name."""
    descriptor = os.dup(ends[1].fileno())
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - the standard library's signature
    inherited = channel.Channel.inherited(descriptor)
    assert not os.get_inheritable(descriptor)
    inherited.close()
