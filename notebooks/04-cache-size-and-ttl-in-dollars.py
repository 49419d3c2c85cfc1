# %% [markdown]
# # Cache size and TTL, in dollars
#
# A library's REST API reads documents, 20 a second, of a million that are not equally popular. API
# Gateway offers caches of eight sizes, paid by the hour whether they help or not. **Which size,
# which time to live, or no cache at all?**

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.optimize import brentq

import apisim

CACHE = "apis.library.routes.GET /documents/{id}.cache"
SIZE = "apis.library.stage.cache_cluster_size"
library = apisim.load("../scenarios/cache-sizes.yaml").with_(replications=3)
library

# %% [markdown]
# The first hour fills the cache and is not counted; the second is, and stands for every hour of a
# month.
#
# ## How much does a cache of that size find?

# %%
sizes_gb = ["0.5", "1.6", "6.1", "13.5", "28.4", "58.2"]
swept = apisim.sweep(library, {SIZE: sizes_gb})
by_size = swept.frame().astype({SIZE: float}).groupby(SIZE)
found = by_size[["cache_hits rate", "latency mean"]].mean()
found.rename_axis("size [GB]").round(3)

# %% [markdown]
# Can that be right? Two formulas know nothing of this simulator. Che's approximation takes the
# cache for one that forgets what was not asked for in a characteristic time $t_C$, such that its
# expected content $\sum_i (1 - e^{-\lambda_i t_C})$ is what it holds; a document is then found
# with probability $1 - e^{-\lambda_i t_C}$. It knows no TTL. And without a limit of size, an entry
# that lives for $T$ from its storing is found with $\lambda_i T / (1 + \lambda_i T)$.

# %%
RATE, DOCUMENTS, ZIPF, TTL_S = 20.0, 1_000_000, 0.9, 3600.0
ENTRY_BYTES = 900 * 1024 + 200  # a document, and what its entry takes besides

popularity = np.arange(1, DOCUMENTS + 1) ** -ZIPF
popularity /= popularity.sum()
asked = RATE * popularity  # of each document, 1/s


def by_che(size_gb: float) -> float:
    holds = size_gb * 2**30 / ENTRY_BYTES
    t_c = brentq(lambda t: (1 - np.exp(-asked * t)).sum() - holds, 1, 1e6, xtol=0.01)
    return float(popularity @ (1 - np.exp(-asked * t_c)))


def by_ttl(ttl_s: float) -> float:
    return float(popularity @ (asked * ttl_s / (1 + asked * ttl_s)))


theory = pd.DataFrame(
    {
        "simulated": found["cache_hits rate"],
        "Che": [by_che(size) for size in found.index],
        "TTL": by_ttl(TTL_S),
    }
)
below = theory["simulated"] - theory[["Che", "TTL"]].min(axis="columns")
assert below.between(-0.012, 0.002).all()
(100 * theory.assign(difference=below)).rename_axis("size [GB]").round(2)

# %%
_, axes = plt.subplots(figsize=(8, 4), layout="constrained")
curve = np.geomspace(0.3, 80, 8)
axes.plot(curve, [100 * by_che(size) for size in curve], "--", label="Che's approximation, no TTL")
axes.axhline(
    100 * by_ttl(TTL_S), linestyle=":", color="black", label="TTL of an hour, no limit of size"
)
axes.plot(found.index, 100 * found["cache_hits rate"], "o", label="simulated")
axes.set(xscale="log", xlabel="size of the cache [GB]", ylabel="hits [%]", ylim=(0, 70))
axes.legend(loc="upper left")
plt.show()

# %% [markdown]
# Percent. Whatever limits first is what counts: the size up to some gigabytes, the hour after that,
# and near the bend both. The simulation stays a little below the lower of the two, as it must where
# both limits act, and because documents that are still being fetched are not found either.
#
# ## What does it save?
#
# Every hit saves a call of a function with 1,024 MB for 300 ms. Compared with no cache, request by
# request the same readers:

# %%
without = library.with_(f"{SIZE}=null", f"{CACHE}=null")
cached = f"{CACHE}={{ttl: 1h, keys: [path.id]}}"
compared = apisim.compare(
    without, variants={f"{size} GB": [f"{SIZE}={size}", cached] for size in sizes_gb[:4]}
)
dollars = compared.frame().query("measure == 'cost_month value'").set_index("variant")
dollars[["difference", "low", "high", "verdict"]].round(2)

# %% [markdown]
# Dollars a month, with their 95 % intervals: below zero, the cache saves. Each further gigabyte
# finds less than the one before, at nearly the same price, so only the small ones pay. The bill
# with the best:

# %%
best = apisim.run(library, workers=2)
best.bill.month

# %% [markdown]
# Seen beside it, the cache is small change: what is *sent* costs more than all the rest, and no
# cache of API Gateway's changes that.
#
# And the waiting? A hit is answered in milliseconds, but most documents are not hits, and the
# median reader waits for the function all the same.

# %%
latency = compared.frame()[lambda rows: rows["measure"].str.startswith("latency")]
latency = latency.pivot_table(
    index="variant", columns="measure", values=["base", "value"], sort=False
)
pd.concat([latency["base"].iloc[[0]].rename({"0.5 GB": "no cache"}), latency["value"]]).round(1)

# %% [markdown]
# ## For how long?
#
# A longer time to live finds more, and what is found may be older. If a document changes once a
# day, at any time, a hit whose age lies anywhere between 0 and $T$ is out of date with probability
# $1 - (1 - e^{-cT}) / cT$, with $c$ changes a second; less where entries do not get so old.

# %%
ttls_s = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600}
by_ttl_run = apisim.sweep(library, {f"{CACHE}.ttl": list(ttls_s)}).frame()
ttls = by_ttl_run.groupby(f"{CACHE}.ttl", sort=False)[
    ["cache_hits rate", "cost_month value"]
].mean()
aged = np.array(list(ttls_s.values())) / 86_400  # changes within a TTL
pd.DataFrame(
    {
        "hits [%]": 100 * ttls["cache_hits rate"],
        "$ a month more than 1h": ttls["cost_month value"] - ttls["cost_month value"].iloc[-1],
        "out of date [%]": 100 * (1 - (1 - np.exp(-aged)) / aged),
    }
).rename_axis("TTL").round(2)

# %% [markdown]
# With 1.6 GB an entry is pushed out by others before long, so that a TTL above five minutes finds
# hardly more, and below that it costs little to be up to date.
#
# ## When not at all?
#
# What a hit saves is a call of the function, so a quick and small one is not worth it. The same
# 1.6 GB before other functions, dollars a month against no cache:

# %%
functions = {
    "functions.get-document.memory": ["128MB", "1024MB"],
    "functions.get-document.duration": ["30ms", "100ms", "300ms"],
}
with_cache, no_cache = (
    apisim.sweep(scenario, functions, replications=1).frame().set_index(list(functions))
    for scenario in (library, without)
)
saved = no_cache["cost_month value"] - with_cache["cost_month value"]
saved.rename("saves").reset_index().pivot_table(
    index="functions.get-document.duration",
    columns="functions.get-document.memory",
    values="saves",
    sort=False,
).round(2)

# %% [markdown]
# ## Decision
#
# **1.6 GB with a TTL of five minutes.** It is the size that saves most, and five minutes find
# nearly all that an hour would, with answers that are hardly ever out of date. Larger caches cost
# more than they save. Before a function that is done in 100 ms, or has little memory: **no cache**,
# unless it is the backend that needs protection.
#
# What is assumed: popularity by Zipf's law with exponent 0.9 is a guess, and it decides; count your
# own keys before you buy. All documents have one size here. What the shorter time costs:

# %%
chosen = apisim.compare(library, variants={"5m": [f"{CACHE}.ttl=5m"]})
apisim.plot_comparison(chosen)
plt.show()
