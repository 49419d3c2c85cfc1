"""What is written down of pushes, and of what did not reach a client or the backend."""

from apisim.engine.connection_records import (
    new_connection_records,
    record_lost_disconnect,
    record_undelivered_reply,
)
from apisim.engine.push_records import (
    new_push_records,
    record_broadcast,
    record_coalesced,
    record_delivery,
)

_SECOND = 1_000_000_000


def test_a_push_counts_from_when_it_arose() -> None:
    records = new_push_records(2, warm_up_ns=_SECOND)
    record_broadcast(records, 1, _SECOND - 1, 7)
    record_delivery(records, 1, _SECOND - 1, 5 * _SECOND)  # arose in the warm-up
    record_broadcast(records, 1, _SECOND, 3)
    for delivered_ns in (_SECOND, 2 * _SECOND + 1, 4 * _SECOND):
        record_delivery(records, 1, _SECOND, delivered_ns)
    record_coalesced(records, 1, _SECOND - 1)
    record_coalesced(records, 1, _SECOND)
    sums = {name: int(records.sums[1][name]) for name in records.sums.dtype.fields or {}}
    assert sums == {
        "arose": 1, "audience": 3, "coalesced": 1, "delivered": 3,
        "delivery_s": 4, "delivery_rest_ns": 1, "delivery_max_ns": 3 * _SECOND,
    }  # fmt: skip
    assert records.deliveries[1]["count"].sum() == 3
    assert not records.sums[0]["arose"]


def test_rests_of_deliveries_add_up_to_seconds() -> None:
    records = new_push_records(1)
    for _ in range(5):
        record_delivery(records, 0, 0, 600_000_000)
    assert (records.sums[0]["delivery_s"], records.sums[0]["delivery_rest_ns"]) == (3, 0)


def test_what_went_nowhere_is_counted_after_the_warm_up() -> None:
    records = new_connection_records(2, warm_up_ns=10)
    for now_ns in (9, 10, 11):
        record_undelivered_reply(records, 1, now_ns)
    record_lost_disconnect(records, 1, 9)
    record_lost_disconnect(records, 1, 10)
    assert records.apis["undelivered_replies"].tolist() == [0, 2]
    assert records.apis["lost_disconnects"].tolist() == [0, 1]
