"""What the shipped scenarios about money say: each number as a run prints it, and by hand."""

from decimal import Decimal
from fractions import Fraction

import apisim
from apisim.pricing import dollars as printed
from tests.docs.cost_what_ifs import cache_rows
from tests.support.shipped import BENEFIT, REST_HTTP, SIZES, percent, result, says

NO_CACHE = (
    "apis.users.stage.cache_cluster_size=null",
    "apis.users.routes.GET /users/{userId}.cache=null",
)
LARGE = ("functions.get-user.memory=1024MB", "functions.get-user.duration=500ms")
SMALL = ("functions.get-user.memory=128MB", "functions.get-user.duration=100ms")
LARGE_ORDERS = "apis.small.routes.POST /orders.request_size=600KB"


def month(found: apisim.Result) -> Decimal:
    assert found.bill.month is not None
    return found.bill.month.total


def line(found: apisim.Result, meter: str) -> Fraction:
    assert found.bill.month is not None
    known = found.bill.month.line(meter)
    return Fraction(0) if known is None else known.amount


def test_a_hundred_million_requests_are_the_chapters_dollars() -> None:
    for profile in ("chapter", "aws"):
        found = result(REST_HTTP, profile=profile)
        assert line(found, "apigateway.rest.requests") == 350
        assert line(found, "apigateway.http.requests") == 100
    large = result(REST_HTTP, LARGE_ORDERS, profile="aws")
    assert line(large, "apigateway.http.requests") == 200
    sent = line(result(REST_HTTP, profile="aws"), "datatransfer.out.internet")
    gigabytes = Fraction(200_000_000 * 100 * 1024, 1 << 30)
    by_hand = 10_240 * Fraction("0.09") + (gigabytes - 10_240) * Fraction("0.085")
    assert sent == by_hand
    says(
        REST_HTTP,
        "$350 and $100, and 71 % less",
        "with 600 KB it is $200 and 43 % less",
        f"cost ${float(sent):,.2f} for both",
    )


def test_the_chapters_cache_loses_money() -> None:
    cached, bare = result(BENEFIT), result(BENEFIT, *NO_CACHE)
    assert month(bare) == 30 * Decimal("3.70")
    assert line(cached, "apigateway.cache.1.6") == 30 * Fraction("0.912")
    # Nine in ten is what a cache with a time to live makes of these requests, a little off.
    assert abs(month(cached) - 30 * Decimal("4.432")) < Decimal("0.01")
    spared = line(bare, "lambda.requests") - line(cached, "lambda.requests")
    says(
        BENEFIT,
        f"loses {printed(month(cached) - month(bare))} a month",
        f"spares {printed(Decimal(spared.numerator) / spared.denominator)} of the function",
        f"{printed(month(cached))} with the cache and {printed(month(bare))} without",
    )


def test_duration_decides_whether_a_cache_pays() -> None:
    bills = {
        function: [
            printed(month(result(BENEFIT, *cache, *function, profile="aws")))
            for cache in ((), NO_CACHE)
        ]
        for function in ((), LARGE, SMALL)
    }
    says(
        BENEFIT,
        f"512 MB for 98 ms break even ({bills[()][0]} with the cache, {bills[()][1]} without)",
        f"1024 MB for 500 ms pay ({bills[LARGE][0]} for {bills[LARGE][1]})",
        f"128 MB for 100 ms do not ({bills[SMALL][0]} for {bills[SMALL][1]})",
    )


def test_the_second_smallest_cache_pays_most() -> None:
    rows = {size: (hits, saved, paid, net) for size, hits, saved, paid, net in cache_rows()}
    assert max(rows, key=lambda size: rows[size][3]) == "1.6"
    assert rows["58.2"][:2] == rows["118"][:2] == rows["237"][:2]
    assert rows["28.4"][0] < rows["58.2"][0]

    def of(size: str, column: int) -> str:
        return f"${abs(float(rows[size][column])):,.2f}"

    says(
        SIZES,
        f"With 1.6 GB {percent(rows['1.6'][0])} of the reads are hits, "
        f"which saves {of('1.6', 1)} of Lambda a month for {of('1.6', 2)} of cache",
        f"0.5 GB find {percent(rows['0.5'][0])} and leave {of('0.5', 3)} instead of {of('1.6', 3)}",
        f"6.1 GB find {percent(rows['6.1'][0])} and lose {of('6.1', 3)}: "
        f"they save {of('6.1', 1)} and cost {of('6.1', 2)}",
        f"there ({percent(rows['58.2'][0])})",
    )
