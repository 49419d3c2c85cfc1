# %% [markdown]
# # How far can it be trusted?
#
# Before a simulator decides about limits and money, it should be right where the right answer is
# known. **Does apisim agree with queueing theory, with itself, with bills that others published,
# and with what was measured on AWS?** Every check here can fail: the notebook stops if one does.

# %%
import csv
import math
import os
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import apisim

# %% [markdown]
# ## Theory
#
# `profile: ideal` is a gateway that takes no time, so that nothing is left but the mechanism. Three
# of them have exact formulas:
#
# - a server with one queue is **M/M/1**: with $\lambda = 8$ and $\mu = 10$ a second, the time in
#   the system is exponential with rate $\mu - \lambda$;
# - a function with 25 reserved executions is a loss system: **Erlang's B** says how many requests
#   find all of them busy;
# - a token bucket under Poisson traffic refuses what a queue with constant service times and room
#   for a burst turns away: **M/D/1/K**.

# %%
SCENARIO = """
apisim: 1
name: {name}
profile: ideal
seed: 5
replications: 20
warm_up: {warm_up}
account: {{throttle: {{rate_limit: 1000000, burst_limit: 1000000}}}}
apis:
  a:
    type: rest
    routes: {{GET /: {route}}}
traffic:
  web: {{phases: [{{name: load, duration: {duration}, rate: {rate}}}], mix: {{GET /: 1}}}}
{behind}
"""


def one_server(rate: float) -> apisim.Scenario:
    return apisim.loads(
        SCENARIO.format(
            name="M/M/1", rate=rate, warm_up="100s", duration="4100s",
            route="{integration: {type: http_proxy, endpoint: server}}",
            behind="endpoints: {server: {servers: 1, service_time: {exponential: 100ms}}}",
        )
    )  # fmt: skip


def reserved(rate: float) -> apisim.Scenario:
    function = "{memory: 128MB, duration: {exponential: 200ms}, init: 0s, reserved_concurrency: 25}"
    return apisim.loads(
        SCENARIO.format(
            name="Erlang B", rate=rate, warm_up="20s", duration="420s",
            route="{integration: {type: lambda_proxy, function: f}}",
            behind=f"functions: {{f: {function}}}",
        )
    )  # fmt: skip


def bucket(rate: float) -> apisim.Scenario:
    throttle = "{rate_limit: 100, burst_limit: 10}"
    return apisim.loads(
        SCENARIO.format(
            name="M/D/1/K", rate=rate, warm_up="20s", duration="420s", behind="",
            route=f"{{integration: {{type: mock}}, throttle: {throttle}}}",
        )
    )  # fmt: skip


# %% [markdown]
# The formulas, from the textbooks (Gross et al., *Fundamentals of Queueing Theory*), in a few lines
# that share nothing with apisim:


# %%
def time_in_system_ms(rate: float, share: float) -> float:
    return 1000 * math.log(1 / (1 - share)) / (10 - rate)


def erlang_b(servers: int, offered: float) -> float:
    blocking = 1.0
    for k in range(1, servers + 1):
        blocking = offered * blocking / (k + offered * blocking)
    return blocking


def m_d_1_k(load: float, room: int) -> float:
    arrivals = [math.exp(-load) * load**k / math.factorial(k) for k in range(room + 1)]
    p = [1.0]
    for j in range(room - 1):
        inside = sum(p[i] * arrivals[j - i + 1] for i in range(1, j + 1))
        p.append((p[j] - p[0] * arrivals[j] - inside) / arrivals[0])
    return 1 - 1 / (p[0] / sum(p) + load)


checks = [
    ("M/M/1, mean [ms]", one_server, 8, "latency mean", lambda rate: 1000 / (10 - rate)),
    ("M/M/1, p95 [ms]", one_server, 8, "latency p(95)", lambda rate: time_in_system_ms(rate, 0.95)),
    ("M/M/1, p99 [ms]", one_server, 8, "latency p(99)", lambda rate: time_in_system_ms(rate, 0.99)),
    ("Erlang B, 25 for 20", reserved, 100, "errors_5xx rate", lambda rate: erlang_b(25, rate / 5)),
    *(
        (f"M/D/1/K, K=10, load {rate / 100}", bucket, rate, "throttled rate",
         lambda rate: m_d_1_k(rate / 100, 10))
        for rate in (90, 100, 120)
    ),
]  # fmt: skip


# %% [markdown]
# Twenty replications each, and 95 % intervals over them. The last column asks whether the check is
# worth anything: would it have noticed if the traffic were 5 % more than it should be?

# %%
runs = {(make, rate): apisim.run(make(rate), workers=2) for _, make, rate, _, _ in checks}
rows = []
for name, make, rate, metric, theory in checks:
    interval = runs[make, rate].intervals[metric]
    rows.append(
        {
            "check": name,
            "theory": theory(rate),
            "low": interval.low,
            "simulated": interval.mean,
            "high": interval.high,
            "inside": interval.low <= theory(rate) <= interval.high,
            "sees 5 %": not interval.low <= theory(1.05 * rate) <= interval.high,
        }
    )
table = pd.DataFrame(rows).set_index("check")
assert table["sees 5 %"].all()
assert (~table["inside"]).sum() <= 1  # one of twenty such intervals misses the truth
table.round(4)

# %% [markdown]
# ## Itself
#
# There are two engines: one in SimPy that is written to be read, and a compiled one that is fast.
# A digest is over every field of every request, so equal digests mean equal runs, to the
# nanosecond.

# %%
shipped = {
    "quickstart": {"duration": "1s"},
    "black-friday": {"duration": "70s", "replications": 1},
    "retry-storm": {"duration": "3s"},
}
engines = ("simpy", "compiled")
digests = pd.DataFrame(
    {
        name: {
            engine: apisim.run(f"../scenarios/{name}.yaml", engine=engine, **cut).run_info.digest
            for engine in engines
        }
        for name, cut in shipped.items()
    }
).T
assert (digests["simpy"] == digests["compiled"]).all()
digests

# %% [markdown]
# ## Bills
#
# What AWS and Infracost have published, made again from the quantities. The documentation has
# [26 of them](../docs/pricing-examples.md).

# %%
published = {
    "AWS: HTTP API, 4.5 MB documents": ({"apigateway.http.requests": 9_720_000}, "9.72"),
    "AWS: a cache of 1.6 GB for a day": ({"apigateway.cache.1.6": 24}, "0.91"),
    "Infracost: REST API through all tiers": ({"apigateway.rest.requests": 21 * 10**9}, "49763.10"),
    "Infracost: WebSocket API": (
        {
            "apigateway.websocket.messages": 1_500_000_000,
            "apigateway.websocket.connection_minutes": 10_000_000,
        },
        "1402.50",
    ),
}
bills = pd.DataFrame(
    {
        name: {"published": printed, "apisim": str(apisim.price(quantities).invoice_total)}
        for name, (quantities, printed) in published.items()
    }
).T
assert (bills["published"] == bills["apisim"]).all()
bills

# %% [markdown]
# ## AWS itself
#
# Mahmoudi and Khazaei measured one Lambda function twenty times, 28 hours each, at rates from one
# request in nine minutes to one a second (SimFaaS, 2021). Their table is not part of this project:
# the cells below read it where `APISIM_SHARED` says, and say so where it is missing. Nothing is
# fitted. Rates and mean times are those of the experiments, and an idle environment is given up
# after ten minutes.

# %% tags=["measured"]
shared = Path(os.environ.get("APISIM_SHARED") or "../../shared")
file = shared / "data" / "simfaas_aws_lambda_2020.csv"
experiments = []
if file.exists():
    experiments = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


def pool(rate: float, warm_ms: float, cold_ms: float) -> pd.Series:
    requests = 20_000 if rate < 0.02 else 100_000
    scenario = SCENARIO.format(
        name="pool", rate=f"{rate:.6f}", warm_up="0s", duration=f"{requests / rate:.0f}s",
        route="{integration: {type: lambda_proxy, function: f}}",
        behind=f"functions: {{f: {{memory: 128MB, duration: {warm_ms / 1000:.6f}s, "
        f"init: {(cold_ms - warm_ms) / 1000:.6f}s, timeout: 60s}}}}",
    )  # fmt: skip
    return apisim.run(apisim.loads(scenario), replications=1).frame("functions").iloc[0]


simulated = [
    pool(*(float(row[name]) for name in ("ArrivalRate", "ServiceTimeWarm", "ServiceTimeCold")))
    for row in experiments
]
pools = pd.DataFrame(
    {
        "rate [1/s]": [float(row["ArrivalRate"]) for row in experiments],
        "cold, measured": [float(row["ColdStartProbability"]) for row in experiments],
        "its standard error": [float(row["ColdStartProbabilitySE"]) for row in experiments],
        "cold, simulated": [one["cold_starts"] / one["invocations"] for one in simulated],
        "pool, measured": [float(row["AverageInstanceCount"]) for row in experiments],
        "pool, simulated": [one["pool_size"] for one in simulated],
    }
)
f"{len(pools)} experiments" if experiments else f"skipped: no {file.name} in APISIM_SHARED"

# %% tags=["measured"]
if experiments:
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for axes, what in ((left, "cold"), (right, "pool")):
        measured = pools[f"{what}, measured"]
        error = 2 * pools["its standard error"] if what == "cold" else 0
        axes.errorbar(pools[f"{what}, simulated"], measured, yerr=error, fmt="o")
        axes.plot([measured.min(), measured.max()], [measured.min(), measured.max()], color="black")
        scale = "log" if what == "cold" else "linear"
        axes.set(
            xlabel=f"{what}, simulated", ylabel=f"{what}, measured", xscale=scale, yscale=scale
        )
    left.set_title("share of cold starts, 2 standard errors", loc="left")
    right.set_title("environments, mean", loc="left")
    plt.show()

# %% [markdown]
# On average over the experiments, in percent of what was measured; the noise of the measurements is
# what a perfect model would still be off by:

# %% tags=["measured"]
cold, pooled = (
    100 * (pools[f"{what}, simulated"] / pools[f"{what}, measured"] - 1).abs().mean()
    for what in ("cold", "pool")
)
noise = (
    100 * (pools["its standard error"] / pools["cold, measured"]).mean() * math.sqrt(2 / math.pi)
)
errors = pd.Series(
    {"cold starts": cold, "cold starts, at best": noise, "size of the pool": pooled}
).round(1)
assert not experiments or (noise < cold < 13.5 and pooled < 3.5)
errors if experiments else "skipped"

# %% [markdown]
# ## Decision
#
# Trust it for what follows from rules: who is refused and how many, how full pools, queues and
# caches are, and what it costs. There it agrees with theory within narrow intervals, and with bills
# to the cent. Do **not** trust it for times that AWS does not publish: what the gateway itself
# takes is a setting with an assumed default, and how long your own functions take is yours to
# measure. And AWS calls its throttling best effort; here limits are exact.
#
# Which assumptions matter for a scenario of yours, `apisim.assumptions` tells; how each part of the
# model is held to the truth is in the [README](../README.md).
