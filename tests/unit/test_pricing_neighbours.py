"""What the neighbours of an API used, in the units they are billed in, and what that costs."""

from fractions import Fraction
from typing import Any

import pytest

from apisim.pricing import (
    ApiUsage,
    BalancerUsage,
    RouteMetricsUsage,
    ServiceUsage,
    Usage,
    UserPoolUsage,
    VpcEndpointUsage,
    load_book,
    rate,
)

BOOK = load_book("aws-us-east-1")
HOUR_NS = 3_600_000_000_000
MB = 1 << 20
GB = 1 << 30


def billed(**parts: Any) -> dict[str, Fraction]:
    """Amount of each line."""
    bill = rate(BOOK, Usage(**parts).quantities(BOOK))
    assert not bill.unpriced
    return {line.meter.name: line.amount for line in bill.lines}


def service(kind: str, **counts: Any) -> dict[str, Fraction]:
    return billed(services=(ServiceUsage(name="s", type=kind, **counts),))


def dollars(text: str) -> Fraction:
    return Fraction(text)


@pytest.mark.parametrize(
    ("kind", "counts", "amounts"),
    [
        # 0.625 a million writes, 0.125 a million reads; an eventual read is half a unit.
        ("dynamodb", {"units": 3_000_000, "half_reads": 16_000_000},
         {"dynamodb.on_demand.writes": "1.875", "dynamodb.on_demand.reads": "1"}),
        # 25 and 100 units for 730 hours.
        ("dynamodb",
         {"units": 9, "is_provisioned": True, "capacity": 25, "read_capacity": 100,
          "provisioned_ns": 730 * HOUR_NS},
         {"dynamodb.provisioned.write_hours": "11.8625",
          "dynamodb.provisioned.read_hours": "9.49"}),
        ("sqs", {"requests": 1_000_000, "units": 2_000_000}, {"sqs.standard.requests": "0.8"}),
        ("sqs", {"units": 2_000_000, "fifo": True}, {"sqs.fifo.requests": "1"}),
        ("sns", {"units": 3_000_000}, {"sns.publishes": "1.5"}),
        ("eventbridge", {"units": 1_500_000}, {"eventbridge.custom_events": "1.5"}),
        ("step_functions", {"requests": 2_500, "transitions": 4},
         {"stepfunctions.standard.transitions": "0.25"}),
        # 101 ms and 65 MB are 200 ms and 128 MB: 25,000 GB-s at 0.00001667.
        ("step_functions",
         {"requests": 1_000_000, "express": True, "execution_ms": 101, "memory_mb": 65},
         {"stepfunctions.express.requests": "1", "stepfunctions.express.duration": "0.41675"}),
        ("kinesis",
         {"units": 10_000_000, "is_provisioned": True, "capacity": 4,
          "provisioned_ns": 730 * HOUR_NS},
         {"kinesis.provisioned.shard_hours": "43.8", "kinesis.provisioned.put_units": "0.14"}),
        # A stream for 730 hours, and 10 GB in records of 1 KB.
        ("kinesis",
         {"requests": 10 << 20, "record_bytes": 0, "is_provisioned": True, "capacity": 1,
          "provisioned_ns": 730 * HOUR_NS},
         {"kinesis.on_demand.stream_hours": "29.2", "kinesis.on_demand.data_in": "0.8"}),
    ],
)  # fmt: skip
def test_a_service_costs_what_its_price_list_says(
    kind: str, counts: dict[str, Any], amounts: dict[str, str]
) -> None:
    found = service(kind, **counts)
    assert found == {meter: dollars(amount) for meter, amount in amounts.items()}


def test_a_fifo_topic_has_no_price_and_says_so() -> None:
    usage = Usage(services=(ServiceUsage(name="t", type="sns", fifo=True, units=7),))
    bill = rate(BOOK, usage.quantities(BOOK))
    assert [(one.meter, one.quantity) for one in bill.unpriced] == [("sns.fifo.publishes", 7)]
    assert bill.total == 0


def test_a_workflow_says_what_is_missing() -> None:
    standard = ServiceUsage(name="w", type="step_functions", requests=3)
    express = ServiceUsage(name="x", type="step_functions", requests=3, express=True)
    usage = Usage(services=(standard, express))
    assert list(usage.quantities(BOOK)) == ["stepfunctions.express.requests"]
    assert [note.partition(":")[0] for note in usage.notes] == ["workflow w", "workflow x"]


def test_steps_of_executions_are_those_of_the_price_book() -> None:
    meter = BOOK.meters["stepfunctions.express.duration"]
    assert "64 MB" in meter.description
    assert "100 ms" in meter.description


# load balancers


def balancer(kind: str, **counts: Any) -> dict[str, Fraction]:
    one = BalancerUsage(name="b", kind=kind, provisioned_ns=730 * HOUR_NS, **counts)
    return billed(balancers=(one,))


def test_the_published_bill_of_a_load_balancer() -> None:
    """Infracost: 730 hours and 1,000 GB of an NLB are 16.425 and 6."""
    found = balancer("nlb", bytes=1_000 * GB)
    assert found == {
        "elb.nlb.hours": dollars("16.425"),
        "elb.nlb.nlcu_hours": dollars("6"),
    }


@pytest.mark.parametrize(
    ("counts", "lcu_hours"),
    [
        ({"bytes": 5 * GB}, 5),
        ({"active_ns": 12_000 * HOUR_NS}, 4),  # 3,000 connections for an hour
        ({"requests": 3_600_000, "rule_evaluations": 6}, 6),  # 1,000 a second for an hour
        ({"bytes": 5 * GB, "active_ns": 12_000 * HOUR_NS, "requests": 9}, 5),
        ({"bytes": GB, "requests": 3_600_000, "rule_evaluations": 6}, 6),
        ({"bytes": GB, "requests": 3_600_000, "requests_per_connection": 10}, 4),  # 100 a second
        ({}, 0),
    ],
)
def test_the_largest_dimension_of_an_alb_counts(counts: dict[str, int], lcu_hours: int) -> None:
    one = BalancerUsage(name="b", kind="alb", **counts)
    found = Usage(balancers=(one,)).quantities(BOOK)
    assert found.get("elb.alb.lcu_hours", 0) == lcu_hours


@pytest.mark.parametrize(
    ("counts", "nlcu_hours"),
    [
        ({"active_ns": 12_000 * HOUR_NS, "bytes": GB // 2}, Fraction(1, 2)),
        ({"active_ns": 300_000 * HOUR_NS, "bytes": GB // 2}, 3),
        ({"requests": 5_760_000, "requests_per_connection": 1}, 2),  # 1,600 a second for an hour
        ({"requests": 5_760_000}, 0),  # nobody says how many connections that is
        ({"requests": 36_000_000, "rule_evaluations": 9}, 0),
    ],
)
def test_the_largest_dimension_of_an_nlb_counts(counts: dict[str, int], nlcu_hours: Any) -> None:
    one = BalancerUsage(name="b", kind="nlb", **counts)
    found = Usage(balancers=(one,)).quantities(BOOK)
    assert found.get("elb.nlb.nlcu_hours", 0) == nlcu_hours


# interface endpoints and user pools


def test_aws_own_bill_of_a_private_api() -> None:
    """5 million calls of 0.3 KB and 3 KB, one zone, 720 hours: 17.50 + 7.20 + 0.16."""
    api = ApiUsage(
        name="inner", endpoint="private", requests_charged=5_000_000,
        bytes_in=1_536_000_000, bytes_out=15_360_000_000,
    )  # fmt: skip
    inside = VpcEndpointUsage(name="inside", zones=1, provisioned_ns=720 * HOUR_NS)
    usage = Usage(apis=(api,), vpc_endpoints=(inside,))
    bill = rate(BOOK, usage.quantities(BOOK))
    assert bill.exact_total == dollars("24.85735626220703125")
    assert usage.notes == ()


@pytest.mark.parametrize(
    ("provisioned_ns", "hours"), [(1, 3), (HOUR_NS, 3), (HOUR_NS + 1, 6), (0, 0)]
)
def test_a_begun_hour_of_an_endpoint_is_a_whole_one_in_each_zone(
    provisioned_ns: int, hours: int
) -> None:
    one = VpcEndpointUsage(name="inside", zones=3, provisioned_ns=provisioned_ns)
    found = Usage(vpc_endpoints=(one,)).quantities(BOOK)
    assert found.get("privatelink.endpoint_hours", 0) == hours


def test_an_endpoint_without_zones_is_named() -> None:
    (note,) = Usage(vpc_endpoints=(VpcEndpointUsage(name="inside", provisioned_ns=1),)).notes
    assert note.startswith("VPC endpoint inside: hours are not counted (zones:")


@pytest.mark.parametrize(
    ("tier", "users", "plan", "amount"),
    [
        ("essentials", 12_000, "none", "180"),
        ("essentials", 12_000, "always-free", "30"),
        ("lite", 12_000, "always-free", "11"),
        ("plus", 100, "always-free", "2"),
    ],
)
def test_users_cost_by_the_tier_of_their_pool(
    tier: str, users: int, plan: str, amount: str
) -> None:
    pool = UserPoolUsage(name="people", tier=tier, users=users)
    bill = rate(BOOK, Usage(user_pools=(pool,)).quantities(BOOK), free_tier=plan)
    assert bill.exact_total == dollars(amount)


def test_a_hundred_detailed_http_routes_cost_180_dollars_a_month() -> None:
    routes = tuple(
        RouteMetricsUsage(api="a", route=f"GET /{n}", type="http", provisioned_ns=730 * HOUR_NS)
        for n in range(100)
    )
    assert billed(route_metrics=routes) == {"cloudwatch.metrics": dollars("180")}


@pytest.mark.parametrize(
    "make",
    [
        lambda: RouteMetricsUsage(api="a", route="GET /", type="soap"),
        lambda: ServiceUsage(name="s", type="s3"),
        lambda: ServiceUsage(name="s", type="sqs", units=-1),
        lambda: BalancerUsage(name="b", kind="clb"),
        lambda: BalancerUsage(name="b", kind="alb", bytes=1.5),
        lambda: VpcEndpointUsage(name="e", provisioned_ns=True),
        lambda: UserPoolUsage(name="p", tier="gold"),
    ],
)
def test_neighbours_are_counted_in_whole_numbers_of_known_things(make: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        make()


def test_adding_neighbours_adds_entry_by_entry() -> None:
    table = ServiceUsage(name="s", type="dynamodb", units=1, half_reads=2, requests=3)
    larger = ServiceUsage(name="s", type="dynamodb", capacity=9, is_provisioned=True)
    usage = Usage(
        services=(table,),
        balancers=(BalancerUsage(name="b", kind="alb", bytes=1, active_ns=2),),
        vpc_endpoints=(VpcEndpointUsage(name="e", zones=2, provisioned_ns=3),),
    )
    both = usage + usage + Usage(services=(larger,))
    assert both.services == (
        ServiceUsage(name="s", type="dynamodb", units=2, half_reads=4, requests=6),
        larger,
    )
    assert both.balancers[0].bytes == 2
    assert both.balancers[0].active_ns == 4
    assert both.vpc_endpoints[0].provisioned_ns == 6
