"""The scenario ``apisim init`` writes: small, commented, and it runs."""

from typing import Final

__all__ = ["TEMPLATE"]

#: Text of a first scenario.
TEMPLATE: Final = """\
# yaml-language-server: $schema=./apisim.schema.json
# How long do callers wait, who is refused, and what does it cost?
#   apisim run FILE
#   apisim run FILE --set traffic.web.phases.2.rate=1200
apisim: 1
name: my first API
seed: 1                          # same seed, same result
replications: 5                  # independent repetitions: what the intervals come from
warm_up: 30s                     # left out of the statistics, never out of the bill

apis:
  shop:
    type: rest                   # rest | http
    stage:
      throttle: {rate_limit: 500, burst_limit: 500}    # for each route
      cache_cluster_size: "0.5"  # GB, billed by the hour
    routes:
      GET /items/{itemId}:
        integration: {type: lambda_proxy, function: get-item}
        cache: {ttl: 5m, keys: [path.itemId]}
        response_size: {p50: 2KB, p99: 20KB}
      POST /orders:
        integration: {type: lambda_proxy, function: create-order}

functions:                       # Lambda; a duration is a distribution: the median and the 99 %
  get-item: {memory: 512MB, duration: {p50: 40ms, p99: 300ms}, init: {p50: 250ms, p99: 900ms}}
  create-order: {memory: 256MB, duration: {p50: 80ms, p99: 600ms}, init: {p50: 250ms, p99: 900ms}}

traffic:
  web:
    phases:                      # requests per second
      - {name: ramp, duration: 1m, rate: 0, ramp_to: 200}
      - {name: steady, duration: 3m, rate: 200}
      - {name: spike, duration: 1m, rate: 800}
    mix:                         # nine reads to one order
      GET /items/{itemId}: 9
      POST /orders: 1
    values:
      path.itemId: {zipf: 1.1, of: 50000}    # few items are very popular
    network: {rtt: {p50: 20ms, p99: 120ms}}

thresholds:                      # exit code 99 when one fails
  latency: ["p(95)<500ms"]
  availability: ["rate>99%"]
"""
