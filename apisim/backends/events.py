"""Asynchronous invocation: a function's own queue of events, and when they are tried again.

Lambda takes an event, answers 202 and puts it into a queue of its own; the function runs later,
within the same concurrency. An event that is throttled goes back and is tried again "for up to 6
hours", the interval "increases exponentially from 1 second after the first attempt to a maximum of
5 minutes". After an error of the function the event is tried "two more times, with a one-minute
wait between the first two attempts, and two minutes between the second and third attempts". An
event older than its maximum age is dropped (Lambda developer guide, "How Lambda handles errors and
retries with asynchronous invocation"). "The total invocation limit is based only on concurrency
available": the quota of requests a second is about synchronous ones (Lambda quotas).

Not documented: that intervals are exact, since nothing is said of a jitter; that what throttles an
event again after a run begins anew with 1 s; that an event takes no time from Lambda's door to the
function when there is room.
"""

from typing import Final

from apisim.arrays.jit import constant, inline

__all__ = ["EVENT_BYTES", "NO_RETRY", "error_wait_ns", "throttle_wait_ns"]

#: Largest event of an asynchronous invocation [bytes]: 1 MB since October 2025, before it was 256
#: KB (AWS Compute Blog, "More room to build: serverless services now support payloads up to 1 MB").
EVENT_BYTES: Final = 1024 * 1024
#: The event is dropped.
NO_RETRY: Final = constant(-1)

_SECOND_NS: Final = 1_000_000_000
_MINUTE_NS: Final = 60 * _SECOND_NS
_LONGEST_NS: Final = 5 * _MINUTE_NS
#: 2 ** 8 seconds are the last interval below five minutes.
_MOST_DOUBLINGS: Final = 8


@inline
def throttle_wait_ns(n_throttles: int, age_ns: int, max_age_ns: int) -> int:
    """Time until a throttled event is tried again [ns], or ``NO_RETRY``.

    Parameters
    ----------
    n_throttles : int
        How often it has been throttled in a row, 1 or more.
    age_ns : int
        Since it was accepted [ns].
    max_age_ns : int
        Age at which it is dropped [ns]: what is exactly as old is gone.
    """
    wait_ns = _LONGEST_NS
    if n_throttles - 1 <= _MOST_DOUBLINGS:
        wait_ns = _SECOND_NS << (n_throttles - 1)
    return wait_ns if age_ns + wait_ns < max_age_ns else NO_RETRY


@inline
def error_wait_ns(n_runs: int, max_retries: int, age_ns: int, max_age_ns: int) -> int:
    """Time until an event is tried again whose function has failed [ns], or ``NO_RETRY``.

    Parameters
    ----------
    n_runs : int
        How often it has run, 1 or more.
    max_retries : int
        How often it may run again.
    age_ns, max_age_ns : int
        As of :func:`throttle_wait_ns`.
    """
    if n_runs > max_retries:
        return NO_RETRY
    wait_ns = n_runs * _MINUTE_NS
    return wait_ns if age_ns + wait_ns < max_age_ns else NO_RETRY
