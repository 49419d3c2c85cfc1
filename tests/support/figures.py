"""Results to draw, and axes to draw them on."""

import functools

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from apisim.results.result import Result
from apisim.scenario import loads
from apisim.studies import run

__all__ = ["SHOP", "new_axes", "result_of"]

mpl.use("Agg")  # needs no screen

#: Two APIs; somebody refuses at every gate. All times are round.
SHOP = """
apisim: 1
profile: ideal
seed: 5
replications: 2
warm_up: 10s
account: {throttle: {rate_limit: 60, burst_limit: 60}}
apis:
  shop:
    type: rest
    stage: {throttle: {rate_limit: 30, burst_limit: 30, scope: shared}, cache_cluster_size: "0.5"}
    routes:
      GET /items/{id}:
        integration: {type: http_proxy, endpoint: stock}
        cache: {ttl: 5s, keys: [path.id]}
      POST /orders:
        integration: {type: http_proxy, endpoint: stock}
        throttle: {rate_limit: 10, burst_limit: 10}
        authorizer: visitor
      GET /never: {integration: {type: mock}}
  other:
    type: http
    routes:
      GET /feed: {integration: {type: http_proxy, endpoint: stock}}
authorizers: {visitor: {type: token, function: check, ttl: 0s, deny_identities: 20%}}
functions: {check: {memory: 128MB, duration: 5ms, init: 0s}}
endpoints: {stock: {servers: 3, queue_limit: 0, service_time: {exponential: 100ms}}}
traffic:
  web:
    phases:
      - {name: calm, duration: 20s, rate: 10}
      - {name: break, pause: 10s}
      - {name: rush, duration: 30s, rate: 80}
    mix: {"shop GET /items/{id}": 5, "shop POST /orders": 3, "other GET /feed": 2}
    values: {path.id: {zipf: 1.0, of: 50}, header.authorization: {uniform: 50}}
  steady:
    phases: [{name: all-day, duration: 60s, rate: 5}]
    mix: {"other GET /feed": 1}
"""


@functools.cache
def result_of(text: str) -> Result:
    """Result of a scenario written in a test."""
    return run(loads(text))


def new_axes() -> Axes:
    """Axes of a figure that pyplot does not know: nothing to close."""
    return Figure(layout="constrained").subplots()
