# %% [markdown]
# # How much traffic until the first 429?
#
# A shop opens in Milan, where AWS grants an account 2,500 requests a second and 1,250 at once. Its
# Lambda functions may run 400 times at the same time, and orders have a limit of their own.
# **At which rate is the first caller refused, which of these limits is it, and what do we ask AWS
# for before the launch?**

# %%
import matplotlib.pyplot as plt
import pandas as pd

import apisim

RATE = "traffic.web.phases.0.rate"
shop = apisim.load("../docs/limits/launch.yaml").with_(
    "traffic.web.phases=[{name: busy, duration: 30s, rate: 1200}]",
    "pricing.book=aws-us-east-1",  # N. Virginia's prices stand in for those of Milan
)
shop

# %% [markdown]
# ## More and more of it
#
# Half a minute at one rate, then at a higher one: a sweep. All points share their random numbers,
# so two of them differ by the rate and not by luck.

# %%
rates = [1200, 1600, 2000, 2500, 2600, 3200]
swept = apisim.sweep(shop, {RATE: rates}, replications=2)
refused = swept.frame().groupby(RATE)[["throttled rate", "errors_5xx rate"]].mean()
(100 * refused).rename(columns=lambda name: name.replace(" rate", " [%]")).round(2)

# %%
apisim.plot_sweep(swept, "throttled rate")
plt.show()

# %% [markdown]
# Two things to see. The 429s (`throttled`) begin at the account's 2,500 a second. And well before
# them there are **500s**, which nobody had asked about.
#
# ## The first 429, to within 25 requests a second
#
# `search` looks for the highest rate at which fewer than one request in a thousand is throttled.
# It simulates a rate again where the answer is not clear, and confirms what it has found with
# random numbers of its own. For how long the rush lasts matters: a bucket that holds 1,250 tokens
# pays for what is above 2,500 a second until it is empty.

# %%
found = {
    seconds: apisim.search(
        shop,
        [f"{RATE}=2400..2800"],
        subject_to=["throttled rate<0.1%"],
        maximize=RATE,
        delta="25",
        duration=f"{seconds}s",
        replications=3,
        most_replications=12,
    )
    for seconds in (10, 30)
}
found[30]

# %%
pd.DataFrame(
    {
        seconds: {
            "highest rate without 429s [1/s]": int(one.answer.settings[0][1]),
            "lowest rate with 429s [1/s]": int(one.infeasible.settings[0][1]),
            "by hand, 2,500 + 1,250 / seconds": 2500 + 1250 / seconds,
        }
        for seconds, one in found.items()
    }
).rename_axis(columns="seconds").round(1)

# %% [markdown]
# The arithmetic lies inside both brackets. In a rush of an hour the bucket's 1,250 are nothing:
# **plan with 2,500 a second**, and take the burst for what it is, a reserve of some seconds.
#
# ## Which limit is it?
#
# At 3,000 a second, each limit with what it refused, and the rate with the limit drawn in:

# %%
rush = apisim.run(shop.with_(f"{RATE}=3000"), workers=2)
rush.frame("throttles")[
    ["level", "limits", "rate_rps", "burst", "refused", "first_refused_s"]
].round(2)

# %%
apisim.plot_requests(rush)
apisim.plot_tokens(rush)
plt.show()

# %% [markdown]
# The **account's** bucket is empty after the first seconds, and from then on every request above
# 2,500 a second is one too many. The limit of `POST /orders` refused nothing.
#
# And the 500s? They are Lambda's: while the cache is cold every request needs a function, and each
# of those has to start first; that is more at once than the account may run.

# %%
rush.frame("outcomes").query("refused_by != ''").pivot_table(
    index="route", columns=["status", "refused_by"], values="requests", aggfunc="sum"
)

# %%
apisim.plot_concurrency(rush)
plt.show()

# %% [markdown]
# ## What to ask for
#
# Say the launch may bring 2.5 times today's 1,200 a second. `limits` lifts the quotas, sees what
# the traffic would need, and finds the multiple at which each refuses for the first time.

# %%
sheet = apisim.limits(shop, multiple=2.5, precision=0.1)
sheet

# %% [markdown]
# The account's burst is in the list, but nobody takes a request for it: AWS sets it with the rate.
# What can be asked for, as the account would then have it:

# %%
to_ask = sheet.frame("limits").query("request.notna()").set_index("quota")["request"].astype(int)
granted = shop.with_(
    f"account.throttle.rate_limit={to_ask['Throttle rate']}",
    f"account.lambda_concurrency={to_ask['Concurrent executions']}",
    f"{RATE}=3000",
)
after = apisim.run(granted, workers=2)
pd.DataFrame(
    {"as it is": rush.requests.by_status, "as asked for": after.requests.by_status}
).fillna(0).astype(int).rename_axis("status")

# %% [markdown]
# Nobody is refused at 3,000 a second any more. Which limit is next? At 3,500:

# %%
beyond = apisim.run(granted.with_(f"{RATE}=3500"), workers=2)
beyond.frame("throttles")[["level", "limits", "rate_rps", "refused", "first_refused_s"]].round(2)

# %% [markdown]
# The next limit is our own, and it is near: `POST /orders` may have 150 a second, and one request
# in twenty is an order. It has only been covered by the account's limit so far.
#
# ## Decision
#
# Ask Service Quotas for both values of the sheet, throttle rate and concurrent executions, well
# before the launch, and raise the limit of `POST /orders` in a deployment of our own, or it is the
# next to refuse. Until the quotas are granted, 2,500 a second is the end, and a cold cache brings
# 500s far below it: let traffic grow into it instead of opening the doors at once.
#
# What may be wrong: durations are assumptions, arrivals are Poisson, and AWS applies its limits on
# a best-effort basis while here they are exact. Requests of other APIs in the account and Region
# take from the same 2,500.
