# %% [markdown]
# # First look: ten times the traffic
#
# A shop opens its doors, and within a second ten times as many requests arrive as before. **Who
# gets a 429, and what would it cost to raise the limit, or to cache the answers instead?** Nothing
# has been deployed; a scenario file says what there will be, and `apisim` runs it.

# %%
import matplotlib.pyplot as plt
import pandas as pd

import apisim

shop = apisim.load("../scenarios/black-friday.yaml", duration="8m")
shop

# %% [markdown]
# `duration` stops the traffic two minutes after the doors have opened: that is when it matters.
# Three replications differ only by chance; their spread is what makes an interval.

# %%
as_is = apisim.run(shop, workers=2)
as_is

# %% [markdown]
# ## Who refuses what
#
# The summary begins with the thresholds that the scenario sets, and has the answer already; a
# picture shows when.

# %%
apisim.plot_requests(as_is)
plt.show()

# %% [markdown]
# The refusals begin with the rush, and API Gateway's own limit is only one of two. Every table is
# a tidy frame, so the routes that are hit are one pivot away:

# %%
outcomes = as_is.frame("outcomes").query("refused_by != ''")
outcomes.pivot_table(
    index="route", columns=["status", "refused_by"], values="requests", aggfunc="sum", fill_value=0
)

# %% [markdown]
# - `GET /search` gets the **429s**, all of them from its method limit of 200 requests a second.
# - `POST /orders` gets something worse, which nobody had asked about: **500s**, because the
#   function `checkout` may run only 50 times at once. These are customers who want to pay.
#
# And those who are answered? Orders take longest, because `checkout` itself does.

# %%
apisim.plot_latency_by_route(as_is)
plt.show()

# %% [markdown]
# ## One change at a time
#
# `with_` takes the same changes as `--set` on the command line. Each variant meets the *same*
# requests at the same times (common random numbers), so what differs is the change and not luck.

# %%
raised = ["apis.shop.routes.GET /search.throttle.rate_limit=300"]
cached = [
    "apis.shop.routes.GET /search.cache={ttl: 30s, keys: [querystring.q]}",
    "traffic.shoppers.values.querystring.q={zipf: 1.0, of: 5000}",
    "traffic.back_office.values.querystring.q={zipf: 1.0, of: 5000}",
]
more_checkouts = ["functions.checkout.reserved_concurrency=120"]

results = {
    "as it is": as_is,
    "search limit 300/s": apisim.run(shop.with_(*raised), workers=2),
    "search cached for 30 s": apisim.run(shop.with_(*cached), workers=2),
    "limit and 120 checkouts": apisim.run(shop.with_(*raised, *more_checkouts), workers=2),
}


# %%
def in_short(result: apisim.Result) -> dict[str, float]:
    routes = result.frame("routes").set_index("route")
    search, orders = routes.loc["GET /search"], routes.loc["POST /orders"]
    return {
        "searches with a 429 [%]": 100 * search["throttled"] / search["requests"],
        "orders with a 5xx [%]": 100 * orders["errors_5xx"] / orders["requests"],
        "search p99 [ms]": search["latency_ms_p99"],
        "searches waiting at most": result.endpoints["search"].max_waiting,
        "cost [$]": float(result.bill.run.total),
    }


pd.DataFrame({name: in_short(result) for name, result in results.items()}).T.round(2)

# %% [markdown]
# - **Raising the limit** ends the 429s. The search servers can take it: their queue holds 200
#   requests and stays well below that, and the slowest searches wait somewhat longer.
# - **Caching** makes searches faster and spares the servers, but it does not save a single caller
#   from a 429: the limit stands *before* the cache, and a hit takes a token like any other
#   request.
# - **More checkouts** is what brings the orders through.
#
# What does it cost? The bill of each variant, line by line:

# %%
bills = pd.DataFrame(
    {name: result.frame("bill").set_index("meter")["amount"] for name, result in results.items()}
)
bills.loc["total [$]"] = bills.sum()
bills.round(4)

# %% [markdown]
# Refused requests are not billed, so whoever serves them pays for them: cents. (The cache adds
# nothing because the cluster is there already, for the products.) The money is no argument.
#
# ## Decision
#
# Raise the limit of `GET /search` to 300/s and reserve 120 executions for `checkout`; leave the
# cache for the day on which the search servers are the bottleneck. The scenario's own thresholds,
# two of which failed at first, agree:

# %%
results["limit and 120 checkouts"].frame("thresholds").round(3)

# %%
_, (before, after) = plt.subplots(2, figsize=(8, 6), sharex=True, layout="constrained")
apisim.plot_requests(as_is, before).set_title("as it is")
apisim.plot_requests(results["limit and 120 checkouts"], after).set_title("as decided")
plt.show()

# %% [markdown]
# How sure is that? The intervals are over the replications: what chance alone does. Durations,
# sizes and popularities in the scenario are assumptions; measure yours, put them into the file and
# run this again. And AWS applies its limits on a best-effort basis, while here they are exact.

# %%
intervals = {
    name: results[name].frame("intervals").set_index("metric")[["low", "mean", "high"]]
    for name in ("as it is", "limit and 120 checkouts")
}
pd.concat(intervals, axis="columns").round(3)
