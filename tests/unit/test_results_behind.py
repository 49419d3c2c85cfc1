"""What a summary says of what stands behind the API and is not in its tables."""

import apisim
from apisim.scenario import loads

TEXT = """
apisim: 1
name: behind
apis:
  shop:
    type: rest
    routes:
      GET /: {integration: {type: lambda_proxy, function: f}}
      GET /stock: {integration: {type: http_proxy, endpoint: stock}}
functions:
  f: {memory: 128MB, timeout: 1s, duration: 10ms, init: 100ms, calls: [{endpoint: db}]}
endpoints:
  db: {servers: 9, service_time: 2s}
  stock: {behind: alb, targets: 2, servers: 9, service_time: 10ms}
traffic:
  web: {phases: [{duration: 2s, rate: 2}], arrivals: uniform, offset: 0, mix: {GET /: 1}}
"""


def result(*overrides: str) -> apisim.Result:
    return apisim.run(loads(TEXT, overrides=list(overrides)), engine="simpy")


def test_work_for_functions_that_had_been_ended_is_told() -> None:
    found = result()
    assert found.endpoints["db"].abandoned == found.endpoints["db"].served == 4
    words = "For functions that had been ended before: "
    assert f"{words}db 4." in found.summary()
    assert words not in result("functions.f.timeout=3s").summary()


def test_what_of_a_load_balancer_is_not_billed_is_said() -> None:
    words = "new connections of the load balancer before stock are in no capacity unit"
    assert any(words in one for one in result().notes)
    told = "endpoints.stock.requests_per_connection=10"
    assert not any("load balancer" in one for one in result(told).notes)
    public = "endpoints.stock={servers: 9, service_time: 10ms}"
    assert not any("load balancer" in one for one in result(public).notes)
