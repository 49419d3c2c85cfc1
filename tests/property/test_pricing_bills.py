"""Identities that every bill obeys, whatever the prices (P12 and what follows from it)."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from apisim.pricing import (
    ApiUsage,
    CacheUsage,
    FunctionUsage,
    Usage,
    available_books,
    load_book,
    mean_bill,
    rate,
)
from apisim.pricing.book import Conventions, FreeAllowance, Meter, PriceBook, Tier
from apisim.pricing.library import read_book_text

METER = "apigateway.rest.requests"
US_EAST_1 = load_book("aws-us-east-1")

prices = st.decimals("0", "10", places=10)
quantities = st.one_of(
    st.integers(0, 10**11),
    st.fractions(0, 10**6, max_denominator=3_600_000),
    st.decimals("0", "1000000", places=6),
)


@st.composite
def books(draw: st.DrawFn) -> PriceBook:
    """A book of one meter with any tiers and, sometimes, two free-tier plans."""
    ends = sorted(draw(st.sets(st.integers(1, 10**9), max_size=4)))
    tiers = tuple(
        Tier(up_to=None if end is None else Decimal(end), price_per_unit=draw(prices))
        for end in (*ends, None)
    )
    free = tuple(
        FreeAllowance(plan=plan, quantity=Decimal(draw(st.integers(1, 10**9))))
        for plan in draw(st.sampled_from([(), ("trial",), ("trial", "always")]))
    )
    meter = Meter(
        name=METER, unit="Requests", tiers=tiers, free=free, tiers_after_free=draw(st.booleans())
    )
    cent, step = Decimal("0.01"), Decimal("0.0000000001")
    return PriceBook(
        name="drawn",
        version="1",
        region="anywhere",
        currency="USD",
        conventions=Conventions(
            gigabyte_bytes=1 << 30, line_step=step, invoice_step=cent, invoice_mode="half_up"
        ),
        sources={},
        meters={METER: meter},
    )


def cumulative_cost(meter: Meter, quantity: Fraction, *, granted: Fraction) -> Fraction:
    """Cost of a month's first ``quantity`` units, by price steps instead of by tiers.

    Every charged unit above a tier's beginning pays the difference to the price before it.
    """
    if meter.tiers_after_free:
        quantity, granted = max(Fraction(0), quantity - granted), Fraction(0)
    cost, below, before = Fraction(0), Fraction(0), Fraction(0)
    for tier in meter.tiers:
        price = Fraction(tier.price_per_unit)
        cost += (price - before) * max(Fraction(0), quantity - max(below, granted))
        before = price
        below = Fraction(tier.up_to or 0)
    return cost


@given(books(), quantities, quantities, st.booleans())
def test_tiers_and_free_tier_are_one_cumulative_cost(
    book: PriceBook, before: Fraction, quantity: Fraction, is_free: bool
) -> None:
    meter = book.meters[METER]
    plans = tuple(allowance.plan for allowance in meter.free) if is_free else ("none",)
    granted = sum((Fraction(a.quantity) for a in meter.free if a.plan in plans), Fraction(0))
    bill = rate(book, {METER: quantity}, month_to_date={METER: before}, free_tier=plans)
    expected = cumulative_cost(
        meter, Fraction(before) + Fraction(quantity), granted=granted
    ) - cumulative_cost(meter, Fraction(before), granted=granted)
    assert bill.exact_total == expected


@given(books(), st.lists(quantities, min_size=2, max_size=5), st.booleans())
def test_splitting_a_month_changes_nothing(
    book: PriceBook, parts: list[Fraction], is_free: bool
) -> None:
    plans = tuple(a.plan for a in book.meters[METER].free) if is_free else ("none",)
    used, total = Fraction(0), Fraction(0)
    for part in parts:
        bill = rate(book, {METER: part}, month_to_date={METER: used}, free_tier=plans)
        total += bill.exact_total
        used += Fraction(part)
    assert rate(book, {METER: used}, free_tier=plans).exact_total == total


@given(books(), quantities, quantities)
def test_a_bill_never_falls_when_usage_grows(
    book: PriceBook, quantity: Fraction, more: Fraction
) -> None:
    larger = rate(book, {METER: Fraction(quantity) + Fraction(more)})
    assert larger.exact_total >= rate(book, {METER: quantity}).exact_total


@given(books(), quantities)
def test_a_free_tier_never_costs(book: PriceBook, quantity: Fraction) -> None:
    plans = tuple(allowance.plan for allowance in book.meters[METER].free)
    charged = rate(book, {METER: quantity})
    granted = rate(book, {METER: quantity}, free_tier=plans)
    for bill in (charged, granted):
        line = bill.line(METER)
        assert (line.quantity if line else 0) == quantity
    if not book.meters[METER].tiers_after_free:
        assert granted.exact_total <= charged.exact_total


@given(books())
def test_nothing_used_costs_nothing(book: PriceBook) -> None:
    bill = rate(book, {METER: 0})
    assert bill.lines == ()
    assert bill.total == 0


apis = st.builds(
    ApiUsage,
    name=st.sampled_from("ab"),
    type=st.just("rest"),
    endpoint=st.just("regional"),
    requests_charged=st.integers(0, 10**12),
    bytes_out=st.integers(0, 10**18),
)
functions = st.builds(
    FunctionUsage,
    name=st.sampled_from("fg"),
    memory_mb=st.just(512),
    architecture=st.just("x86"),
    invocations=st.integers(0, 10**12),
    billed_ms=st.integers(0, 10**15),
)
caches = st.builds(
    CacheUsage,
    api=st.sampled_from("ab"),
    stage=st.just("prod"),
    size=st.sampled_from(["0.5", "237"]),
    provisioned_ns=st.integers(0, 10**16),
)


def distinct(elements: st.SearchStrategy[object], *keys: str) -> st.SearchStrategy[tuple]:
    def identity(one: object) -> tuple[object, ...]:
        return tuple(getattr(one, key) for key in keys)

    return st.lists(elements, max_size=3, unique_by=identity).map(tuple)


usages = st.builds(
    Usage,
    apis=distinct(apis, "name"),
    functions=distinct(functions, "name"),
    caches=distinct(caches, "api", "size"),
)


@given(usages, usages)
def test_the_bill_of_merged_usage_is_the_bill_of_summed_quantities(one: Usage, two: Usage) -> None:
    merged = (one + two).quantities(US_EAST_1)
    first, second = one.quantities(US_EAST_1), two.quantities(US_EAST_1)
    summed = {meter: first.get(meter, 0) + second.get(meter, 0) for meter in {*first, *second}}
    assert merged == summed
    bill = rate(US_EAST_1, merged)
    assert bill == rate(US_EAST_1, summed)
    # Prices fall from tier to tier in this book, so together never costs more than apart.
    apart = rate(US_EAST_1, first).exact_total + rate(US_EAST_1, second).exact_total
    assert bill.exact_total <= apart


@given(usages, usages, usages)
def test_usage_merges_in_any_order(one: Usage, two: Usage, three: Usage) -> None:
    def counts(usage: Usage) -> tuple[frozenset[object], ...]:
        return frozenset(usage.apis), frozenset(usage.functions), frozenset(usage.caches)

    assert one + (two + three) == (one + two) + three
    assert counts(one + two) == counts(two + one)
    assert counts(one + Usage()) == counts(one)


@given(st.lists(st.dictionaries(st.sampled_from(list(US_EAST_1.meters)), quantities), min_size=1))
def test_the_mean_bill_has_the_mean_total(runs: list[dict[str, Fraction]]) -> None:
    bills = [rate(US_EAST_1, run) for run in runs]
    mean = mean_bill(bills)
    assert mean.exact_total == sum(bill.exact_total for bill in bills) / len(bills)
    for line in mean.lines:
        share = sum(Fraction(run.get(line.meter.name, 0)) for run in runs) / len(runs)
        assert line.quantity == share
    assert [line.meter.name for line in mean.lines] == [
        name for name in US_EAST_1.meters if any(run.get(name) for run in runs)
    ]


@given(st.dictionaries(st.sampled_from(list(US_EAST_1.meters)), st.decimals("0", "1e9", places=6)))
def test_amounts_of_finite_quantities_are_exact(run: dict[str, Decimal]) -> None:
    bill = rate(US_EAST_1, run)
    shown = bill.to_dict()
    assert Fraction(shown["total"]) == bill.exact_total
    assert sum(Fraction(line["amount"]) for line in shown["lines"]) == bill.exact_total
    for line in shown["lines"]:
        assert Fraction(line["quantity"]) == run[line["meter"]]
        assert sum(Fraction(tier["amount"]) for tier in line["tiers"]) == Fraction(line["amount"])
        assert not any("e" in tier["amount"].lower() for tier in line["tiers"])


# real books, and what a user lays over them

PACKAGED = st.sampled_from(available_books()).map(load_book)
#: Quantities of a few meters of the largest book.
several = st.dictionaries(st.sampled_from(list(US_EAST_1.meters)), quantities, max_size=6)


@given(PACKAGED, several, st.sampled_from(list(US_EAST_1.meters)), quantities)
def test_a_bill_never_falls_when_one_quantity_grows(
    book: PriceBook, used: dict[str, Fraction], meter: str, more: Fraction
) -> None:
    grown = {**used, meter: Fraction(used.get(meter, 0)) + Fraction(more)}
    small, large = rate(book, used), rate(book, grown)
    assert large.exact_total >= small.exact_total
    for line in small.lines:
        if line.meter.name != meter:
            assert large.line(line.meter.name) == line


@given(PACKAGED, several)
def test_a_bill_is_the_sum_of_its_meters_bills(book: PriceBook, used: dict[str, Fraction]) -> None:
    alone = sum((rate(book, {meter: one}).exact_total for meter, one in used.items()), Fraction(0))
    assert rate(book, used).exact_total == alone


@given(st.lists(several, min_size=1, max_size=5), st.sampled_from(["none", "always-free"]), several)
def test_a_month_split_in_any_way_is_one_month(
    parts: list[dict[str, Fraction]], plan: str, before: dict[str, Fraction]
) -> None:
    """Split over days and over meters: each part is rated after what came before it."""
    used = {meter: Fraction(one) for meter, one in before.items()}
    total = Fraction(0)
    for part in parts:
        total += rate(US_EAST_1, part, month_to_date=used, free_tier=plan).exact_total
        used = {m: used.get(m, 0) + Fraction(part.get(m, 0)) for m in {*used, *part}}
    whole = {meter: one - Fraction(before.get(meter, 0)) for meter, one in used.items()}
    bill = rate(US_EAST_1, whole, month_to_date=before, free_tier=plan)
    assert bill.exact_total == total


@given(usages)
def test_without_requests_a_bill_is_what_stands_there(usage: Usage) -> None:
    """Caches (and web ACLs) cost their hours; nothing that is counted by calls or bytes is left."""
    idle = Usage(
        apis=tuple(replace(api, requests_charged=0, bytes_out=0) for api in usage.apis),
        functions=tuple(replace(one, invocations=0, billed_ms=0) for one in usage.functions),
        caches=usage.caches,
    )
    bill = rate(US_EAST_1, idle.quantities(US_EAST_1))
    assert bill.exact_total == sum(
        Fraction(cache.provisioned_ns, 3_600_000_000_000) * price
        for cache in usage.caches
        for price in [
            Fraction(US_EAST_1.meters[f"apigateway.cache.{cache.size}"].tiers[0].price_per_unit)
        ]
    )


@given(several, st.decimals("0.0000000001", "100", places=10))
def test_so_much_off_every_meter_is_so_much_off_the_bill(
    used: dict[str, Fraction], percent: Decimal
) -> None:
    overlay = f"""\
schema: apisim/pricebook/v1
id: drawn
version: "1"
base: aws-us-east-1
sources: {{S: {{title: t, locator: l}}}}
every_meter: {{off: "{percent:f}%", sources: [S]}}
"""
    reduced = rate(read_book_text("drawn.yaml", overlay), used).exact_total
    assert reduced == rate(US_EAST_1, used).exact_total * (1 - Fraction(percent) / 100)
