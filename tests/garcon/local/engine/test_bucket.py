"""The token bucket, a pure function."""

from hypothesis import given
from hypothesis import strategies as st

from garcon.local.engine.bucket import Bucket, Rate, take


def test_a_new_bucket_is_full() -> None:
    """As many attempts succeed at once as the bucket holds, and no more."""
    bucket, taken = None, []
    for _ in range(5):
        bucket, success = take(bucket, Rate(3, 1), 100.0)
        taken.append(success)
    assert taken == [True, True, True, False, False]


def test_an_empty_bucket_fills_with_time() -> None:
    """After a second there is what the refill gives in a second."""
    bucket, success = take(Bucket(0, 100.0), Rate(10, 2), 101.0)
    assert success
    assert bucket == Bucket(1, 101.0)


@given(st.lists(st.floats(0, 3), max_size=100))
def test_no_span_admits_more_than_size_and_refill(gaps: list[float]) -> None:
    """However the attempts are spread, size + refill x time is the most that succeed."""
    rate, bucket, now, successes = Rate(4, 2), None, 0.0, 0
    for gap in gaps:
        now += gap
        bucket, success = take(bucket, rate, now)
        successes += success
        assert 0 <= bucket.level <= rate.size
    assert successes <= rate.size + rate.refill * now + 1e-6
