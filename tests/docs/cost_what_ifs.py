"""``docs/cost-what-ifs.md``: what the chapter says about money, computed.

python -m tests.docs.cost_what_ifs    writes the page, from price books and shipped scenarios
"""

import textwrap
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final

import apisim
from apisim.pricing import PriceBook, dollars, load_book, rate
from apisim.pricing.exact import as_decimal
from tests.support.shipped import SIZES, file_of

__all__ = [
    "PAGE",
    "CacheRow",
    "break_even_gb_s",
    "cache_rows",
    "marginal_savings",
    "net_a_day",
    "page",
]

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "cost-what-ifs.md"

REST, HTTP = "apigateway.rest.requests", "apigateway.http.requests"
CALLS, DURATION = "lambda.requests", "lambda.duration.x86"
#: The chapter's day: a million requests, nine in ten from a cache of 1.6 GB.
A_DAY: Final = 1_000_000
SPARED: Final = 900_000
CACHE: Final = "apigateway.cache.1.6"

MEMORIES_MB: Final = (128, 256, 512, 1024, 2048)
DURATIONS_MS: Final = (10, 50, 98, 200, 500, 1000)
CLUSTERS: Final = ("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237")
#: Overrides that leave the cache of a scenario out.
WITHOUT: Final = (
    "apis.library.stage.cache_cluster_size=null",
    "apis.library.routes.GET /documents/{id}.cache=null",
)
CacheRow = tuple[str, float, Fraction, Fraction, Fraction]


def marginal_savings(book: PriceBook) -> list[tuple[str, Fraction, Fraction, Fraction]]:
    """Up to where, price of one more million on either API, and the share that HTTP saves."""
    rest, http = book.meter(REST).tiers, book.meter(HTTP).tiers
    ends = sorted({tier.up_to for tier in (*rest, *http) if tier.up_to is not None})
    rows = []
    for start, end in zip([0, *ends], [*ends, None], strict=True):
        one, other = (
            rate(book, {meter: 1_000_000}, month_to_date={meter: start}).exact_total
            for meter in (REST, HTTP)
        )
        name = "above" if end is None else f"to {end:,.0f}"
        rows.append((name, one, other, 1 - other / one))
    return rows


def net_a_day(book: PriceBook, memory_mb: int, duration_ms: int, spared: int = SPARED) -> Fraction:
    """What the chapter's cache saves a day, less what it costs: the difference of two bills."""

    def bill(calls: int, cache_hours: int) -> Fraction:
        gb_s = Fraction(calls * memory_mb * duration_ms, 1024 * 1000)
        used = {REST: A_DAY, CALLS: calls, DURATION: gb_s, CACHE: cache_hours}
        return rate(book, used).exact_total

    return bill(A_DAY, 0) - bill(A_DAY - spared, 24)


def break_even_gb_s(book: PriceBook) -> Fraction:
    """GB-seconds of a call at which the chapter's cache costs as much as it saves."""
    cache = rate(book, {CACHE: 24}).exact_total
    a_call = cache / SPARED - rate(book, {CALLS: 1}).exact_total
    return a_call / rate(book, {DURATION: 1}).exact_total


def cache_rows() -> Iterator[CacheRow]:
    """Size, hit ratio, Lambda dollars saved, cache dollars and net of a month, simulated."""
    without = _month()
    for size in CLUSTERS:
        found = _month(f'apis.library.stage.cache_cluster_size="{size}"')
        saved = _cost(without, CALLS, DURATION) - _cost(found, CALLS, DURATION)
        paid = _cost(found, f"apigateway.cache.{size}")
        yield size, found.cache["library"].hit_ratio, saved, paid, saved - paid


def _month(*overrides: str) -> apisim.Result:
    return apisim.run(file_of(SIZES), overrides=overrides or WITHOUT)


def _cost(found: apisim.Result, *meters: str) -> Fraction:
    assert found.bill.month is not None
    lines = (found.bill.month.line(meter) for meter in meters)
    return sum((line.amount for line in lines if line is not None), Fraction(0))


def _percent(share: Fraction | float) -> str:
    return f"{100 * float(share):.1f} %"


def _money(amount: Fraction) -> str:
    return dollars(as_decimal(amount, Decimal("1e-10")))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 98, break_on_hyphens=False, break_long_words=False)


def page() -> str:
    """Text of the page."""
    book = load_book("aws-us-east-1")
    even = float(break_even_gb_s(book))
    lines = [
        "# What-ifs about money",
        "",
        *_wrapped(
            "Written by `python -m tests.docs.cost_what_ifs` and compared by "
            "`tests/docs/test_cost_what_ifs.py`: every number is a bill by "
            "`aws-us-east-1`, or the month of a simulated run. What the chapter claims "
            "and does not hold is said where it stands."
        ),
        "",
        "## REST or HTTP API: one more million requests",
        "",
        *_wrapped(
            "The chapter compares 100 million a month, $350 with $100: right, and "
            "[scenarios/chapter/rest-or-http.yaml](../scenarios/chapter/rest-or-http.yaml) "
            'runs it. Its "71% cheaper" is the first tier only.'
        ),
        "",
        "| requests of the month | REST | HTTP | HTTP saves |",
        "|---|---:|---:|---:|",
    ]
    for name, rest, http, share in marginal_savings(book):
        lines.append(f"| {name} | {_money(rest)} | {_money(http)} | {_percent(share)} |")
    lines += [
        "",
        *_wrapped(
            "An HTTP API counts each 512 KB as a request, so larger ones save less. What "
            "is sent out and what stands behind an API cost the same on either."
        ),
        "",
        "## Does a cache pay?",
        "",
        *_wrapped(
            "The chapter's example: a million requests a day, nine in ten from a cache "
            "of 1.6 GB. It claims $203.50 a day without and $24.41 with, $5,370 a month "
            "saved. That takes Lambda's $0.20 per *million* for $0.20 a call, 1,000 "
            "times too much: by its own prices it is $3.70 without and $4.43 with, and "
            "the cache loses $0.73 a day "
            "([scenarios/chapter/cache-benefit.yaml](../scenarios/chapter/cache-benefit.yaml))."
        ),
        "",
        *_wrapped(
            "What decides is the duration of the function, which the chapter leaves out. "
            f"The cache pays for itself where a call takes more than {even:.4f} GB-s: 512 "
            f"MB for {1000 * even / 0.5:.1f} ms. Dollars a day that it saves, less its "
            "$0.912:"
        ),
        "",
        f"| memory | {' | '.join(f'{ms} ms' for ms in DURATIONS_MS)} | breaks even at |",
        f"|---|{'---:|' * (len(DURATIONS_MS) + 1)}",
    ]
    for memory in MEMORIES_MB:
        cells = (_money(net_a_day(book, memory, ms)) for ms in DURATIONS_MS)
        lines.append(f"| {memory} MB | {' | '.join(cells)} | {1024e3 * even / memory:.1f} ms |")
    lines += [
        "",
        *_wrapped(
            "Calls to the API are billed with and without a cache; free tiers and what "
            "is sent are left out."
        ),
        "",
        "## Which size of cache?",
        "",
        *_wrapped(
            "[scenarios/cache-sizes.yaml](../scenarios/cache-sizes.yaml), simulated once "
            "for each size: 20 reads a second of a million documents of 900 KB by Zipf's "
            "law, a time to live of an hour, a function of 1024 MB for 300 ms. Dollars a "
            "month."
        ),
        "",
        "| size, GB | hits | Lambda saved | cache | net |",
        "|---:|---:|---:|---:|---:|",
    ]
    for size, hits, saved, paid, net in cache_rows():
        cells = (size, _percent(hits), _money(saved), _money(paid), _money(net))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
