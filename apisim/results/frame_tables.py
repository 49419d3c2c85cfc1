"""Every column of every frame of a run: its kind, its unit, what it means.

One line a column: name, kind, unit, meaning. Kinds are those of
:mod:`apisim.results.frame_columns`. ``...`` and a name stand for the columns of a family, or for
the statistics of a latency; ``*`` for columns whose names depend on the scenario.
"""

from typing import Final

__all__ = ["FRAMES"]
#: The first line says what a row is.
FRAMES: Final = {
    "requests": """
= an attempt: the rows of --requests FILE, read by apisim.read_requests(FILE)
request_id | text | | source/user/ordinal/attempt
replication | whole | | from 0
arrival_ns | whole | ns | when the client sent it, simulated time
api | name | | API
route | name | | route; empty where none matched
client | name | | client of a log's row, source/user for closed users, else the source
phase | name | | phase
attempt | whole | | of its call, from 0
status | whole | | HTTP status, the gateway's
outcome | name | | served, cache_hit, throttled, ...
refused_by | name | | who refused it; empty where it was served
cache | name | | hit, miss, or empty
latency_ns | whole | ns | at the client
integration_latency_ns | whole or none | ns | of the integration, where one was called
request_bytes | whole | bytes | payload sent
response_bytes | whole | bytes | payload received
billed_units | whole | | units that the bill counts
gateway_latency_ns | whole | ns | CloudWatch's Latency
authorizer_latency_ns | whole or none | ns | of the authorizer's function, where it was called
cold_start | whole | | 1 where it waited for a new environment
source | name | | source of the traffic
customer | name | | customer; empty where nobody is known
remarks | text | | what else is true, in words: stale, wrong, ...
variant | name | | stable or canary; empty without a canary
""",
    "series": """
= an API and a period, by time of arrival, warm-up included
api | name | | API
... period
requests | whole | requests | that arrived, summed over replications
rps | real | 1/s | the same a second, mean of a replication
... answers
cache_misses | whole | requests | looked for in the response cache in vain
cold_starts | whole | requests | that waited for a new environment of a function
authorizer_calls | whole | requests | for which an authorizer's function was called
mean_open | real, maybe | connections | open, mean over the period; only with a WebSocket API
peak_open | whole, maybe | connections | most at one time; only with a WebSocket API
connects | whole, maybe | connections | that were opened; only with a WebSocket API
closes | whole, maybe | connections | that were closed; only with a WebSocket API
""",
    "routes": """
= a route, after the warm-up
api | name | | API
route | name | | route; empty where none matched
... group
""",
    "variants": """
= a route and a deployment of a stage with a canary, after the warm-up
api | name | | API
route | name | | route
variant | name | | stable or canary
... group
""",
    "traffic": """
= a phase of a source, after the warm-up; the last row is all of them
traffic | name | | source; Aggregated for all
phase | name | | phase; empty for all
... group
""",
    "phases": """
= a phase of any source, after the warm-up
phase | name | | phase
... group
""",
    "outcomes": """
= an outcome of one phase of one source on one route, after the warm-up
traffic | name | | source
phase | name | | phase
api | name | | API
route | name | | route; empty where none matched
outcome | name | | as in the request file
refused_by | name | | who refused it; empty where it was served
status | whole | | HTTP status, the gateway's
requests | whole | requests | how many, summed over replications
""",
    "caches": """
= an API with a response cache
api | name | | API
hits | whole | requests | answered by the cache, after the warm-up
misses | whole | requests | looked for in vain, after the warm-up
hit_ratio | real | share | hits among lookups
evictions | whole | entries | that had to make room, whole run
expirations | whole | entries | that became too old, whole run
entries | real | entries | at the end, mean over replications
bytes | real | bytes | of those, with their overhead
wrong_answers | whole | requests | hits made for another request (depends_on)
stale_answers | whole | requests | hits whose answer had changed behind the cache (updates)
invalidations | whole | requests | with max-age=0 that replaced an entry
ignored_invalidations | whole | requests | that were told by a warning that they may not
refused_invalidations | whole | requests | that were answered 403 for it
flushes | whole | | times that the timeline emptied it
max_wait_ms | real | ms | longest wait for the cache's instance
""",
    "authorizers": """
= an authorizer, over all APIs that use it, after the warm-up
authorizer | name | | authorizer
hits | whole | requests | decided by a result kept from before
invocations | whole | requests | for which the function was called
denied | whole | requests | refused by its decision
no_identity | whole | requests | refused for want of an identity
failed | whole | requests | refused because the call failed
unauthorized | whole | requests | for which the function raised Unauthorized
invalid | whole | requests | with a token or signature that is wrong
expired | whole | requests | with one that is too old
scope_missing | whole | requests | with one that is not good for the route
key_set_fetches | whole | | fetches of an issuer's keys, whole run
key_set_failures | whole | | those that took too long
""",
    "sign_ins": """
= a population whose user pool has a quota, whole run
population | name | | population
quota_rps | real | 1/s | sign-ins and refreshes that are granted
sign_ins | whole | tokens | issued to users without one
refreshes | whole | tokens | issued in the place of an older one
refused | whole | | requests for a token above the quota
""",
    "web_acls": """
= a web ACL, whole run
api | name | | API
inspected | whole | requests | it looked at, which AWS WAF bills
blocked_by_rate | whole | requests | that a rate-based rule blocked
blocked_by_rules | whole | requests | that another rule blocked
""",
    "functions": """
= a Lambda function, whole run
function | name | | function, with its version where it has several
invocations | whole | | summed over replications
cold_starts | whole | | invocations that waited for a new environment
throttles | whole | calls | that found no concurrency, or came too fast; no invocations
rate_throttles | whole | calls | those above the quota of requests a second
scaling_throttles | whole | calls | those for growing too fast
errors | whole | | invocations that failed
timeouts | whole | | invocations that reached the function's time-out; no errors
provisioned | whole | | invocations on provisioned concurrency
billed_ms | whole | ms | billed time, summed
max_concurrency | whole | executions | most at one time, in any replication
mean_concurrency | real | executions | at a time, mean over time
pool_size | real | environments | busy or idle, mean over time
utilization | real | share | of the environments' lives in which they were busy
events | whole | events | accepted for it
event_retries | whole | | runs that followed a failed one of the same event
events_dropped | whole | events | that were too old or failed too often
""",
    "endpoints": """
= an HTTP endpoint, whole run
endpoint | name | | endpoint
served | whole | requests | summed over replications
refused | whole | requests | that found the queue full
errors | whole | requests | that failed
abandoned | whole | calls | whose function was ended by its own time limit
max_waiting | whole | requests | longest queue, in any replication
mean_concurrency | real | servers | busy, mean over time
utilization | real | share | of the servers that was busy
""",
    "services": """
= an AWS service, whole run
service | name | | service
type | name | | of which kind: dynamodb, sqs, ...
requests | whole | requests | that it took, summed over replications
throttled | whole | requests | that it did not take
errors | whole | requests | that failed
read_units | real | | read units of a DynamoDB table
units | real | | write units; of the others what the service meters
""",
    "cors": """
= a reason for which browsers kept answers from their pages, after the warm-up
api | name | | API
message | text | | what the browser's console says
calls | whole | calls | whose answer the page did not get
""",
    "websockets": """
= a WebSocket API
api | name | | API, with the stage where it has several
attempts | whole | | upgrades that were asked for
opened | whole | connections | that were opened
refused | whole | | upgrades that came to nothing
closed_left | whole | connections | closed by their clients
closed_idle | whole | connections | closed for idleness
closed_age | whole | connections | closed at the age at which AWS closes all
closed_too_large | whole | connections | closed for a message that was too large
closed_binary | whole | connections | closed for a binary message
closed_cut | whole | connections | cut by the timeline
lost_disconnects | whole | connections | for which $disconnect was not called
mean_open | real | connections | at a time, mean over time
peak_open | whole | connections | most at one time, in any replication
peak_open_at_s | real | s | when there first were so many
peak_connects | whole | connections | most opened in one second
peak_connects_at_s | real | s | which second that was
duration_s_mean | real | s | how long connections lasted that were closed: mean
duration_s_p50 | real | s | their median
duration_s_p99 | real | s | their 99th percentile
duration_s_max | real | s | the longest
received | whole | messages | from clients
replies | whole | messages | route responses sent
undelivered_replies | whole | messages | those whose connection was gone
pushed | whole | messages | pushed
connection_minutes | real | minutes | on the bill, mean over replications
cost_per_1000_users_hour | real | currency | messages and minutes of 1,000 users an hour
run_cost_per_1000_users_hour | real | currency | the same of the whole bill, with one API only
""",
    "pushes": """
= a source of pushes, after the warm-up
push | name | | source and push
arose | whole | events | to be told
audience | whole | connections | on their lists
coalesced | whole | events | that a newer one replaced before they were sent
calls | whole | calls | of POST @connections, each try counted
sent | whole | calls | answered 200
gone | whole | calls | answered 410
throttled | whole | calls | answered 429
failed | whole | calls | that came to anything else
delivered | whole | messages | that clients got
... delivery | from the event to the client
""",
    "throttles": """
= a token bucket, whole run
level | name | | method, stage or account
limits | text | | what it limits: a route, a stage or the account
rate_rps | real | 1/s | tokens a second, at the end
burst | whole | tokens | it holds
refused | whole | requests | summed over replications
first_refused_s | real | s | first refusal in any replication
worst_second_s | real | s | start of the second with most refusals
worst_second_refused | whole | requests | refused in that second
""",
    "customers": """
= a customer, after the warm-up
customer | name | | customer
key | name | | its API key; empty without one of its own
plan | name | | usage plans of the key; empty for none
offered | whole | requests | summed over replications
served | whole | requests | from integration or cache
throttled | whole | requests | refused by a bucket
quota_refused | whole | requests | refused by a quota
worst_minute_throttled | whole | requests | most that buckets refused in one minute
quota_exhausted_at_s | real | s | when its quota was used up first; NaN for never
""",
    "usage_plans": """
= a usage plan, after the warm-up
plan | name | | usage plan
keys | whole | keys | in it
active_keys | whole | keys | that called
offered | whole | requests | summed over replications
served | whole | requests | from integration or cache
throttled | whole | requests | refused by a bucket
quota_refused | whole | requests | refused by a quota
otherwise | whole | requests | refused by another gate, or failed
exhausted_keys | whole | keys | whose quota was used up
price | real | currency | of a key a month
""",
    "usage": """
= a key and a day on which it was used, of the first replication
plan | name | | usage plan
key | name | | API key
date | text | | day in UTC, as YYYY-MM-DD
used | whole | requests | of that day
remaining | real | requests | left of the quota at its end; NaN without one
""",
    "bill": """
= a tier of a line of a bill
bill | name | | run or month
meter | name | | what is counted
tier | whole | | from 1; 0 for what the book has no price for
free_tier | real | | units that were free
quantity | real | unit | units in the tier
unit | name | | of the quantity
price_per_unit | real | currency | of the tier
amount | real | currency | of the tier; exact decimals in bill.csv
""",
    "costs": """
= a share of a bill
bill | name | | run or month
by | name | | what the row is about: api, route, client, plan, customer, refused
api | name | | API; this and the next are empty where they do not apply
route | name | | route
client | name | | client
plan | name | | usage plan
customer | name | | customer
refused_by | name | | who refused
requests | real | requests | mean of a replication, or of a month
cost | real | currency | its share; exact decimals in costs.csv
revenue | real | currency | what keys bring in
margin | real | currency | revenue less cost
""",
    "thresholds": """
= a threshold
metric | text | | metric with its tags
expression | text | | condition
value | real | | measured, in its unit; NaN where nothing was
unit | name | | ms, share, per_second, bytes, count or money
ok | yes or no | | whether it holds, by the point estimate
conclusive | yes, no or unknown | | whether its interval lies on one side; unknown without one
reason | text | | why it is inconclusive or not measured
""",
    "alarms": """
= an alarm in one replication
alarm | name | | alarm
condition | text | | what it looks for
replication | whole | | from 0
state | name | | OK, ALARM or INSUFFICIENT_DATA, at the end
first_alarm_s | real | s | when it first went to ALARM; NaN for never
alarms | whole | | how often it went to ALARM
alarm_s | real | s | how long it was in ALARM
refused_before_alarm | whole | requests | answered 429 before it went to ALARM
failed_before_alarm | whole | requests | answered 400 and above before it went to ALARM
""",
    "intervals": """
= a figure with an interval; none with one replication
metric | text | | metric with its tags, and its statistic
mean | real | the metric's | what is reported
low | real | the metric's | lower end
high | real | the metric's | upper end
confidence | real | share | of such intervals that hold the expected value
method | name | | t, ratio, sections, events, jackknife or batch means
events | real | events | that it is about, where they are fewer than ten; NaN otherwise
""",
    "replications": """
= a replication
replication | whole | | from 0
requests | whole | requests | rows, warm-up included
end_s | real | s | end of its traffic or of its last request
completed | yes or no | | no if it was interrupted
digest | text | | sum of the hashes of its rows, hexadecimal
* | real | the metric's | further columns: latency, refusals, cost, and what thresholds ask for
""",
    "latency_series": """
= an API and a period, by time of arrival, warm-up included
api | name | | API
... period
requests | whole | requests | that arrived, summed over replications
latency_ms_p50 | real | ms | median at the client, refusals included
latency_ms_p90 | real | ms | 90th percentile
latency_ms_p99 | real | ms | 99th percentile
latency_ms_max | real | ms | the longest
""",
    "bucket_series": """
= a token bucket and a period, warm-up included; usage plans have none
level | name | | method, stage or account
bucket | name | | what it limits
... period
tokens_min | whole | tokens | least whole tokens in the period, in any replication
burst | whole | tokens | it holds, at the end of the period
rate_rps | real | 1/s | tokens a second, at the end of the period
admitted | whole | requests | summed over replications
refused | whole | requests | summed over replications
""",
    "function_series": """
= a Lambda function and a period, warm-up included
function | name | | function
... period
concurrency_mean | real | executions | at a time, mean over the period
concurrency_peak | whole | executions | most at one time, in any replication
limit | whole | executions | allowed, shared with other functions unless it is reserved
invocations | whole | | summed over replications
cold_starts | whole | | summed over replications
throttles | whole | calls | summed over replications
""",
    "endpoint_series": """
= an HTTP endpoint and a period, warm-up included
endpoint | name | | endpoint
... period
utilization | real | share | of the servers that was busy
queue_mean | real | requests | waiting, mean over the period
queue_peak | whole | requests | longest queue, in any replication
served | whole | requests | summed over replications
refused | whole | requests | that found the queue full
""",
    "cache_series": """
= an API with a response cache and a period, warm-up included
api | name | | API
... period
hits | whole | requests | answered by the cache
misses | whole | requests | looked for in vain
hit_ratio | real | share | hits among lookups
entries | real | entries | at the end of the period, mean of replications
bytes | real | bytes | of those, with their overhead
evictions | whole | entries | that had to make room
""",
    "latency_distribution": """
= an occupied bin of a route's histogram, after the warm-up
api | name | | API
route | name | | route
latency_ms | real | ms | largest latency of the bin
share_above | real | share | of the route's requests that took longer
""",
}
