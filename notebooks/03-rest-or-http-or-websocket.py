# %% [markdown]
# # REST, HTTP or WebSocket?
#
# The scores of a match go to everybody who watches. They may ask a REST API every five seconds, or
# an HTTP API, or hold a connection to a WebSocket API that tells them. **Which of the three is it,
# by what it costs, by who knows of a goal first, and by what else is needed?**

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import apisim

PEOPLE, MINUTES, ASK_EVERY_S = 500, 10, 5
NEWS = "traffic.listeners.pushes.goals.rate"
scores = apisim.load("../scenarios/rest-polling-vs-websocket.yaml").with_(
    f"traffic.pollers.phases=[{{name: match, duration: {MINUTES}m, users: {PEOPLE}, "
    f"think_time: {ASK_EVERY_S}s}}]",
    f"traffic.listeners.sessions.population={PEOPLE}",
    f"traffic.listeners.sessions.until={MINUTES}m",
    "traffic.listeners.pushes.goals.arrivals=uniform",
    replications=2,
)
scores

# %% [markdown]
# ## Are the prices right?
#
# Before any comparison: three bills that AWS prints on its
# [pricing page](https://aws.amazon.com/api-gateway/pricing/) (read in November 2025), one of each
# kind, made again from their quantities.

# %%
published = {
    "REST, 5 million calls that answer 3 KB": (
        {"apigateway.rest.requests": 5_000_000, "datatransfer.out.internet": "14.30511474609375"},
        "18.79",
    ),
    "HTTP, 10,000 page loads a minute": (
        {"apigateway.http.requests": 10_000 * 60 * 24 * 30},
        "418.80",
    ),
    "WebSocket, 1,000 people chat 12 h a day": (
        {
            "apigateway.websocket.messages": 600 * 1000 * 30,
            "apigateway.websocket.connection_minutes": 12 * 60 * 1000 * 30,
        },
        "23.40",
    ),
}
bills = {name: apisim.price(quantities) for name, (quantities, _) in published.items()}
checked = pd.DataFrame(
    {
        "AWS prints [$]": {name: printed for name, (_, printed) in published.items()},
        "apisim [$]": {name: str(bill.invoice_total) for name, bill in bills.items()},
    }
)
assert (checked["AWS prints [$]"] == checked["apisim [$]"]).all()
checked

# %%
bills["HTTP, 10,000 page loads a minute"]

# %% [markdown]
# The second tier of the HTTP API begins after 300 million requests; there will be more of that.
#
# ## The same evening, three times
#
# Each kind of API by itself, with its functions and what is sent out; a goal every half minute.

# %%
only_polled = scores.with_("traffic.listeners=null")
results = {
    "REST": apisim.run(only_polled, workers=2),
    "HTTP": apisim.run(only_polled.with_("apis.polled.type=http"), workers=2),
    "WebSocket": apisim.run(scores.with_("traffic.pollers=null"), workers=2),
}
PERSON_HOURS = PEOPLE * MINUTES / 60


def in_short(result: apisim.Result) -> dict[str, float]:
    pushes = result.frame("pushes")
    asked_s = result.latency_ms.mean / 1000
    # A goal falls anywhere between two polls; the next one asks, and then waits for its answer.
    known_s = (ASK_EVERY_S + asked_s) / 2 + asked_s
    if len(pushes):
        known_s = pushes["delivery_ms_mean"].iloc[0] / 1000
    return {
        "$ per 1,000 person-hours": 1000 * float(result.bill.run.total) / PERSON_HOURS,
        "goal known after [s]": known_s,
        "requests": result.requests.total,
    }


compared = pd.DataFrame({name: in_short(result) for name, result in results.items()}).T
compared.round(3)

# %% [markdown]
# Half a minute is a long time for an API that is asked every five seconds: most polls bring nothing
# new, and each is paid for. Where does the money go?

# %%
lines = {
    name: result.frame("bill").set_index("meter")["amount"] for name, result in results.items()
}
(1000 * pd.DataFrame(lines) / PERSON_HOURS).fillna(0).round(4)

# %% [markdown]
# ## Where do the lines cross?
#
# Each message to each listener costs, so it is the number of *news* that makes the WebSocket API
# dear, while polling costs the same however much happens.

# %%
swept = apisim.sweep(scores.with_("traffic.pollers=null"), {NEWS: [0.05, 0.25, 0.5, 1.0]})
axes = apisim.plot_sweep(swept, "cost_run value")
polled_cost = {name: float(results[name].bill.run.total) for name in ("REST", "HTTP")}
for (name, cost), dashes in zip(polled_cost.items(), ("--", ":"), strict=True):
    axes.axhline(cost, color="black", linestyle=dashes, label=f"polled, {name} API")
axes.set_xlabel("news a second, each to everybody")
axes.set_title("Cost of ten minutes, pushed and polled")
axes.legend()
plt.show()

# %%
pushed_cost = swept.frame().groupby(NEWS)["cost_run value"].mean()
crossing = {
    name: np.interp(cost, pushed_cost, pushed_cost.index.astype(float))
    for name, cost in polled_cost.items()
}
pd.Series(crossing, name="news a second from which polling is cheaper").round(2)

# %% [markdown]
# With fewer news than that, push. With more, ask; and as an HTTP API, which seems to be cheaper
# than a REST API always. Is it? First over the volume of a month:

# %%
tiers = [300_000_000, 333_000_000, 1_000_000_000, 20_000_000_000]
volumes = sorted([*tiers, *(round(10 ** (6 + step / 10)) for step in range(49))])
apisim.plot_cost_over_volume(results["REST"], volumes)
plt.show()

# %% [markdown]
# The lines come nearer to each other, since a REST API's price falls further, but they do not
# cross at any volume. They do where requests are large: an HTTP API counts every 512 KB of one as
# a request, and a REST API does not. Dollars for 100 million requests a month, both kinds beside
# each other:

# %%
orders = apisim.load("../scenarios/chapter/rest-or-http.yaml", profile="aws")
routes = ("apis.full.routes.POST /orders", "apis.small.routes.POST /orders")
sizes = ["100KB", "600KB", "1100KB", "1600KB", "2100KB"]
by_size = {}
for size in sizes:
    result = apisim.run(orders.with_(*(f"{route}.request_size={size}" for route in routes)))
    bill = result.frame("bill").query("bill == 'month'").groupby("meter")["amount"].sum()
    by_size[size] = bill[["apigateway.rest.requests", "apigateway.http.requests"]]
pd.DataFrame(by_size).T.rename_axis("size of a request").round(2)

# %% [markdown]
# Above three units of 512 KB, that is 1.5 MB, the REST API is the cheaper one.
#
# ## What else is needed?
#
# What an API type lacks is refused when the scenario is changed, with the reason:

# %%
wishes = {
    "a response cache": "apis.polled.stage.cache_cluster_size=0.5",
    "API keys": "apis.polled.routes.GET /scores.api_key_required=true",
    "a web ACL (WAF)": "apis.polled.stage.waf={rules: 1}",
    "request validation": "apis.polled.routes.GET /scores.validate={reject: 1%}",
    "an edge endpoint": "apis.polled.endpoint=edge",
    "a private API": "apis.polled.endpoint=private",
}


def answer(wish: str, api_type: str) -> str:
    try:
        only_polled.with_(f"apis.polled.type={api_type}", wish)
    except apisim.ScenarioError as error:
        return error.problems[0].message
    return "yes"


pd.DataFrame(
    {
        api_type.upper(): {name: answer(wish, api_type) for name, wish in wishes.items()}
        for api_type in ("rest", "http")
    }
)

# %% [markdown]
# ## Decision
#
# - **Goals**: a WebSocket API. At a goal every half minute it is the cheapest by far, and a goal is
#   known seconds earlier. Above the rate of news where its line crosses, ask instead.
# - **If asked, an HTTP API**, unless something of the last table is needed, or bodies are larger
#   than 1.5 MB.
# - **A REST API** for what it alone has: caching, keys and plans, a web ACL, validation.
#
# What is assumed: time that the gateway itself takes (it moves the seconds a little, not the order
# of the three), answers of 600 bytes, list prices of N. Virginia without a free tier. What
# connecting to a WebSocket API costs is not documented and taken to be free, which the bill says:

# %%
[doubt.why for doubt in results["WebSocket"].bill.run_ranges]
