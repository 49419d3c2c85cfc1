"""The speed benchmark's model as anybody would write it in plain SimPy: one script, no apisim.

One process per request, the standard library's generator, dictionaries and an ``OrderedDict`` as
the LRU cache. It records what a first look needs (outcome counts and a list of latencies).
"""

import math
import random
from collections import Counter, OrderedDict
from collections.abc import Iterator
from itertools import accumulate

import simpy

ITEMS, TOKENS, TTL, ENTRIES = 100_000, 1_000, 300.0, 20_000


class Bucket:
    """A token bucket in floats."""

    def __init__(self, env: simpy.Environment, rate: float, burst: float) -> None:
        self.env, self.rate, self.burst = env, rate, burst
        self.level, self.last = burst, 0.0

    def refill(self) -> None:
        """Tokens up to now."""
        now = self.env.now
        self.level = min(self.burst, self.level + (now - self.last) * self.rate)
        self.last = now


class Function:
    """A Lambda function with a warm pool: most recently used first, gone after ten minutes."""

    def __init__(self, env: simpy.Environment, mu: float, sigma: float) -> None:
        self.env, self.mu, self.sigma = env, mu, sigma
        self.idle: list[float] = []
        self.busy = 0

    def invoke(self, rng: random.Random) -> Iterator[simpy.Event]:
        """One execution."""
        now = self.env.now
        while self.idle and now - self.idle[0] >= 600.0:
            self.idle.pop(0)
        self.busy += 1
        duration = rng.lognormvariate(self.mu, self.sigma)
        if self.idle:
            self.idle.pop()
        else:
            duration += 0.25
        yield self.env.timeout(duration)
        self.busy -= 1
        self.idle.append(self.env.now)


def lognormal(p50: float, p99: float) -> tuple[float, float]:
    """Parameters of a log-normal distribution through two quantiles."""
    return math.log(p50), math.log(p99 / p50) / 2.3263478740408408


def simulate(duration_s: float, rate: float, seed: int = 1) -> tuple[Counter[str], list[float]]:
    """Run the model; outcome counts and latencies [s]."""
    rng = random.Random(seed)
    env = simpy.Environment()
    buckets = [Bucket(env, 2000, 1000), Bucket(env, 5000, 2500), Bucket(env, 10000, 5000)]
    get_item = Function(env, *lognormal(0.020, 0.100))
    check_token = Function(env, *lognormal(0.010, 0.050))
    overhead = lognormal(0.012, 0.040)
    weights = list(accumulate(1.0 / k for k in range(1, ITEMS + 1)))
    population = range(ITEMS)
    tokens: dict[int, float] = {}
    cache: OrderedDict[int, float] = OrderedDict()
    outcomes: Counter[str] = Counter()
    latencies: list[float] = []

    def request(item: int, token: int) -> Iterator[simpy.Event]:
        start = env.now
        if env.now - tokens.get(token, -math.inf) >= TTL:
            yield from check_token.invoke(rng)
            if env.now - tokens.get(token, -math.inf) >= TTL:
                tokens[token] = env.now
        for bucket in buckets:
            bucket.refill()
            if bucket.level < 1.0:
                outcomes["throttled"] += 1
                latencies.append(env.now - start)
                return
        for bucket in buckets:
            bucket.level -= 1.0
        yield env.timeout(rng.lognormvariate(*overhead))
        stored = cache.get(item)
        if stored is not None and env.now - stored < TTL:
            cache.move_to_end(item)
            outcomes["hit"] += 1
        else:
            yield from get_item.invoke(rng)
            outcomes["served"] += 1
            stored = cache.get(item)
            if stored is None or env.now - stored >= TTL:
                cache[item] = env.now
                cache.move_to_end(item)
                if len(cache) > ENTRIES:
                    cache.popitem(last=False)
        latencies.append(env.now - start)

    def clients() -> Iterator[simpy.Event]:
        while True:
            yield env.timeout(rng.expovariate(rate))
            if env.now >= duration_s:
                return
            item = rng.choices(population, cum_weights=weights)[0]
            env.process(request(item, rng.randrange(TOKENS)))

    env.process(clients())
    env.run()
    return outcomes, latencies
