"""The arrays a scenario becomes: what does not change during a run.

Every name of the scenario has become an index by the time it stands here. The tables are read by
both engines; ``engine/state.py`` holds what changes, ``engine/lowering.py`` fills these.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "API_DTYPE",
    "AUTHORIZER_DTYPE",
    "BINDING_DTYPE",
    "CACHE_CHANGES",
    "CACHE_DEPENDS",
    "CACHE_EVERYTHING",
    "CACHE_INVALIDATES",
    "CACHE_QUEUES",
    "CACHE_UPDATES",
    "CACHING_DTYPE",
    "CLOSED",
    "GATES_OF_SESSIONS",
    "GATE_AUTH",
    "GATE_CANARY",
    "GATE_CREDENTIALS",
    "GATE_DISCONNECT",
    "GATE_EARLY_THROTTLE",
    "GATE_FULL_THROTTLE",
    "GATE_KEY",
    "GATE_LIMITS",
    "GATE_MESSAGE",
    "GATE_POST",
    "GATE_RESOURCE",
    "GATE_SIGN_IN",
    "GATE_TLS",
    "GATE_TRACE",
    "GATE_UNMAPPED",
    "GATE_UPGRADE",
    "GATE_VALIDATE",
    "GATE_WAF",
    "JOB_DTYPE",
    "METER_DTYPE",
    "NONE",
    "OPEN",
    "PART_CLIENT",
    "PART_CONSTANT",
    "PART_DRAWN",
    "PART_DTYPE",
    "PART_TARGET",
    "PART_TOKEN",
    "PREFLIGHT_DTYPE",
    "PUSHES",
    "ROUTE_DTYPE",
    "RULES_DTYPE",
    "SESSIONS",
    "SOURCE_DTYPE",
    "TARGET_DTYPE",
    "TRACE",
    "Tables",
]

#: An index that points at nothing.
NONE: Final = -1

OPEN: Final = 0
CLOSED: Final = 1
TRACE: Final = 2
SESSIONS: Final = 3  # of a WebSocket API
PUSHES: Final = 4  # what an application sends to them

#: Where one part of a cache key or identity comes from.
PART_CONSTANT: Final = 0  # the caller never sends it
PART_DRAWN: Final = 1  # `values:` of the source
PART_TARGET: Final = 2  # the path and query of a trace row
PART_CLIENT: Final = 3  # the client of a trace row
PART_TOKEN: Final = 4  # the token of a person of a population

#: Gates a binding's calls have to pass (design C4), as bits of its ``gates``, in their order.
GATE_LIMITS: Final = 1  # sizes and URL
GATE_WAF: Final = 2
GATE_RESOURCE: Final = 4  # resource policy, private APIs
GATE_AUTH: Final = 8
GATE_KEY: Final = 16
GATE_VALIDATE: Final = 32
GATE_CREDENTIALS: Final = 512  # an authorizer without a function, in the place of GATE_AUTH
GATE_SIGN_IN: Final = 128  # a token to be had before the call
GATE_EARLY_THROTTLE: Final = 256  # buckets before the resource policy
GATE_TLS: Final = 64  # client certificates; before all others
GATE_FULL_THROTTLE: Final = 1024  # a throttle with keys, or in parts, or charged in order
GATE_CANARY: Final = 2048  # the stage has two deployments; between limits and route
GATE_TRACE: Final = 131072  # X-Ray samples; just before the canary
GATE_UNMAPPED: Final = 4096  # no base path mapping of the domain takes the path
#: What a call of a WebSocket API is, instead of the first gate.
GATE_UPGRADE: Final = 8192
GATE_MESSAGE: Final = 16384
GATE_DISCONNECT: Final = 32768
GATE_POST: Final = 65536
GATES_OF_SESSIONS: Final = GATE_UPGRADE | GATE_MESSAGE | GATE_DISCONNECT | GATE_POST

SOURCE_DTYPE: Final = np.dtype(
    [
        ("kind", "i8"),
        ("mix", "i8"),  # row of the key table that draws a binding; NONE for one binding
        ("first_binding", "i8"),
        ("first_phase", "i8"),
        ("rtt", "i8"),  # distributions [ns]; NONE without `network:`
        ("edge_rtt", "i8"),
        ("trace_start", "i8"),  # rows of the trace arrays
        ("trace_end", "i8"),
        ("first_user", "i8"),  # users of a closed source
        ("first_cell", "i8"),
        ("n_bindings", "i8"),
        ("caller", "i8"),  # row of the caller table; NONE: nobody known
        ("url_size", "i8"),  # distributions [bytes]; NONE: not known
        ("header_size", "i8"),
        ("client", "i8"),  # row of the clients; NONE: they wait for ever and try once
        ("accept_encoding", "f8"),  # share of calls that take compressed answers
        ("way", "i8"),  # 1: connections, bandwidth or a way behind the edge count
        ("origin_rtt", "i8"),  # distribution [ns]; NONE: no time
        ("kbps", "i8"),  # bandwidth; 0: bodies take no time
        ("connects", "i8"),  # of traffic.connections: FREE, KEPT, SHARE or EACH_CALL
        ("keep_alive_ns", "i8"),
        ("reuse", "f8"),
        ("handshake_trips", "i8"),  # round trips of a new connection
        ("first_connection", "i8"),  # rows for each peer and API
        ("first_peer", "i8"),  # number of the first caller that has a connection
        ("n_peers", "i8"),
        ("sessions", "i8"),  # row of the sessions; NONE
        ("push", "i8"),  # row of the pushes; NONE
        ("message_size", "i8"),  # distribution [bytes]; NONE: the route's
        ("last_piece", "i8"),  # one past the source's last
    ],
    align=True,
)

#: A binding joins one source to one route (or to no route) and says how its keys are made.
BINDING_DTYPE: Final = np.dtype(
    [
        ("route", "i8"),
        ("api", "i8"),
        ("gates", "i8"),  # GATE_... bits
        ("first_gate", "i8"),  # the compiled engine's stage at the door, by the gates
        ("after_access", "i8"),  # ... and after the authorizer
        ("cache_line", "i8"),  # NONE: this call is never cached
        ("caching", "i8"),  # row of the caching table; NONE: the plain cache
        ("cache_salt", "u8"),
        ("cache_part", "i8"),  # first of `cache_parts` rows of the part table
        ("cache_parts", "i8"),
        ("identity_salt", "u8"),
        ("identity_part", "i8"),
        ("identity_parts", "i8"),
        ("identity_missing", "i8"),  # 1: an identity source is not sent
        ("sends_token", "i8"),  # 1: the identity is the token of a person of a population
        ("credential", "i8"),  # row of the credentials; NONE: all well
        ("scopes", "i8"),  # bit for each set of scopes that will do; NONE: any will
        ("key_unread", "i8"),  # 1: the key that is sent is not looked at
        ("outside", "i8"),  # 1: a private API that these calls do not reach
        ("policy", "i8"),  # row of the policies; NONE: the API has none
        ("policy_table", "i8"),  # how an authorizer is put together with it
        ("endpoint_policy", "i8"),  # of the VPC endpoint; NONE: it has none
        ("validation", "i8"),  # row of the validations; only where that gate is
        ("preflight", "i8"),  # row of the preflight table; NONE: nothing is asked first
        ("cors", "i8"),  # row of ``cors_messages``; NONE: the caller is no browser
        ("actual", "i8"),  # of a preflight: binding of the request it is asked for; NONE otherwise
        ("canary", "i8"),  # binding of the stage's other deployment; NONE: it has one
        ("stable", "i8"),  # of a canary: binding of the stage's own deployment; NONE otherwise
        ("push", "i8"),  # what is pushed for each of its messages that is served; NONE
    ],
    align=True,
)
#: What a browser asks before a binding's calls, and where it remembers the answer.
PREFLIGHT_DTYPE: Final = np.dtype(
    [
        ("binding", "i8"),  # of the preflight
        ("line", "i8"),  # of the store; NONE: no answer is kept
        ("salt", "u8"),
        ("part", "i8"),  # first of `parts` rows of the part table, which make up the URL
        ("parts", "i8"),
    ],
    align=True,
)
PART_DTYPE: Final = np.dtype([("kind", "i8"), ("popularity", "i8"), ("key", "u8")], align=True)
ROUTE_DTYPE: Final = np.dtype(
    [
        ("api", "i8"),
        ("authorizer", "i8"),
        ("backend", "i8"),
        ("index", "i8"),  # of the function, endpoint, service or link
        ("timeout_ns", "i8"),
        ("transport", "i8"),  # distributions
        ("request_size", "i8"),
        ("response_size", "i8"),
        ("sizes_key", "u8"),  # stream of sizes that belong to a cache key
        ("error_answer", "i8"),  # of a custom integration: what a function's error is; else 0
        ("compressed_ppm", "i8"),  # what is left of an answer that is compressed [1e-6]
        ("action", "i8"),  # of an AWS service: row of the action costs
        ("max_request", "i8"),  # [bytes] a function takes; UNLIMITED: none is larger
        ("max_answer", "i8"),  # [bytes] of the backend's; UNLIMITED: none is larger
        ("request_time", "i8"),  # distributions of a custom integration [ns]; NONE: no time
        ("response_time", "i8"),
        ("request_ppm", "i8"),  # of a body, what its mapping makes of it [1e-6]
        ("response_ppm", "i8"),
        ("event", "i8"),  # 1: the function gets an event, and the caller no result
        ("streams", "i8"),  # 1: answers of any size, sent as they come
        ("replies", "i8"),  # 1: of a WebSocket API, what is answered goes back as a message
        ("meter", "i8"),  # row of the meters
    ],
    align=True,
)
API_DTYPE: Final = np.dtype(
    [
        ("type", "i8"),  # of gateway.status.API_TYPES: 0 REST, 1 HTTP, 2 WebSocket
        ("edge", "i8"),
        ("host", "i8"),  # row of its first stage: stages of an API share its host's connections
        ("overhead", "i8"),
        ("waf", "i8"),  # row of the web ACLs
        ("invalid_certificates", "f8"),
        ("max_url", "i8"),  # [bytes]
        ("max_headers", "i8"),
        ("max_head", "i8"),  # URL and headers together
        ("max_body", "i8"),
        ("canary_percent", "f8"),
        ("compress_from", "i8"),  # [bytes]; NONE: nothing is compressed
        ("reservoir", "i8"),  # requests of each second that X-Ray traces
        ("traced", "f8"),  # share of the others
    ],
    align=True,
)
#: What requests are metered by: those of an API, or of single routes.
METER_DTYPE: Final = np.dtype(
    [
        ("increment_bytes", "i8"),  # size of a billed unit; 0: each request is one
        ("basis", "i8"),  # of gateway.metering.BASES: what is measured
    ],
    align=True,
)
AUTHORIZER_DTYPE: Final = np.dtype(
    [
        ("kind", "i8"),  # AUTH_... of engine/credentials.py
        ("function", "i8"),
        ("line", "i8"),  # NONE: results are not kept
        ("timeout_ns", "i8"),
        ("transport", "i8"),
        ("deny", "f8"),
        ("deny_key", "u8"),
        ("silent", "f8"),
        ("careful", "i8"),  # 1: more can be wrong than a denial
        ("unauthorized", "f8"),
        ("unauthorized_key", "u8"),
        ("invalid", "f8"),  # tokens that no function is called for
        ("invalid_key", "u8"),
        ("key_set", "i8"),  # of a jwt authorizer
    ],
    align=True,
)
TARGET_DTYPE: Final = np.dtype(
    [("binding", "i8"), ("cache_hash", "u8"), ("identity_hash", "u8"), ("depends_hash", "u8")],
    align=True,
)

#: What a binding's calls meet at the response cache beyond the plain one, as bits of ``what``.
CACHE_INVALIDATES: Final = 1  # some calls ask for a fresh answer
CACHE_DEPENDS: Final = 2  # the answer depends on more than the keys
CACHE_UPDATES: Final = 4  # what lies behind a key changes
CACHE_EVERYTHING: Final = 8  # an endpoint's errors are cached too
CACHE_QUEUES: Final = 16  # lookups queue for the instance
CACHE_CHANGES: Final = 32  # the timeline takes the instance away

#: One row for each binding whose cache is not the plain one.
CACHING_DTYPE: Final = np.dtype(
    [
        ("what", "i8"),  # CACHE_... bits
        ("cache", "i8"),
        ("invalidate", "f8"),  # share of the source's calls with max-age=0
        ("authorized", "f8"),  # share of those that may
        ("needs_permission", "i8"),
        ("unauthorized", "i8"),  # of gateway.cache_control.POLICIES
        ("depends_part", "i8"),  # first of `depends_parts` rows of the part table
        ("depends_parts", "i8"),
        ("updates_per_s", "f8"),
        ("updates_key", "u8"),  # stream of the changes behind the route's keys
        ("inflation_ppm", "i8"),  # of encrypted entries [1e-6]
    ],
    align=True,
)

#: A closed user's active time: one row per user and stretch of phases, a user's rows together.
JOB_DTYPE: Final = np.dtype(
    [("source", "i8"), ("user", "i8"), ("start_ns", "i8"), ("end_ns", "i8")], align=True
)
RULES_DTYPE: Final = np.dtype(
    [
        ("hit_time", "i8"),
        ("refusal_time", "i8"),
        ("edge_hop", "i8"),
        ("cache_max_object", "i8"),
        ("cache_entry_overhead", "i8"),
        ("warm_up_ns", "i8"),
        ("horizon_ns", "i8"),
        ("n_phases", "i8"),
        ("waf_latency", "i8"),
        ("mutual_tls_time", "i8"),
        ("limit_parts", "i8"),  # equal parts each throttle limit is divided into
        ("charges_in_order", "i8"),  # 1: a level that admits is charged whatever comes after it
        ("credential_check", "i8"),  # distributions
        ("key_set_time", "i8"),
        ("key_set_timeout_ns", "i8"),
        ("signature_window_ns", "i8"),
        ("sign_in_time", "i8"),
        ("environment_setup", "i8"),
        ("tls_time", "i8"),
        ("vpc_link_time", "i8"),
        ("cross_zone_time", "i8"),
        ("socket_idle_ns", "i8"),  # limits of connections of WebSocket APIs
        ("socket_age_ns", "i8"),
        ("disconnect_delivery", "f8"),
    ],
    align=True,
)


class Tables(NamedTuple):
    """All tables; each array is documented by its dtype or its comment."""

    rules: NDArray[np.void]  # RULES_DTYPE[1]
    sources: NDArray[np.void]
    callers: NDArray[np.void]
    credentials: NDArray[np.void]
    keys: NDArray[np.void]  # KEY_DTYPE
    quotas: NDArray[np.void]  # QUOTA_DTYPE[n_plans]
    plan_routes: NDArray[np.int64]  # [n_plans, n_routes, PLAN_LEVELS], see gateway.usage_plan
    quota_clock: NDArray[np.void]  # CLOCK_DTYPE[1]
    pieces: NDArray[np.void]
    bindings: NDArray[np.void]
    parts: NDArray[np.void]
    preflights: NDArray[np.void]
    cors_messages: NDArray[np.int64]  # [n, answers] what a browser says to each answer
    routes: NDArray[np.void]
    route_levels: NDArray[np.int64]  # [n_routes, MAX_LEVELS] bucket of each level or NO_BUCKET
    early_levels: NDArray[np.int64]  # [n_routes, MAX_LEVELS] buckets before the resource policy
    apis: NDArray[np.void]
    authorizers: NDArray[np.void]
    functions: NDArray[np.void]
    endpoints: NDArray[np.void]
    status: NDArray[np.int64]  # [api type, answer]
    body: NDArray[np.int64]  # [api type, answer]
    meters: NDArray[np.void]  # METER_DTYPE; the first are the APIs', in order
    charged: NDArray[np.uint8]  # [n_meters, n_answers]
    draw_keys: NDArray[np.uint64]  # [n_sources, n_purposes]
    dists: NDArray[np.void]
    dist_values: NDArray[np.float64]
    popularities: NDArray[np.void]
    popularity_cells: NDArray[np.void]
    think: NDArray[np.int64]  # [n_phases] distribution of think time
    jobs: NDArray[np.void]
    trace_ns: NDArray[np.int64]
    trace_client: NDArray[np.int64]
    trace_target: NDArray[np.int64]
    trace_bytes: NDArray[np.int64]
    targets: NDArray[np.void]
    client_hashes: NDArray[np.uint64]
    cell_hashes: NDArray[np.uint64]  # [n_cells] names of phase, route, api and source
    cell_phase: NDArray[np.int64]  # [n_cells]
    log_lines: NDArray[np.void]  # LINE_DTYPE[n_cells]; empty where nothing is logged
    log_texts: NDArray[np.int64]  # [n_cells, n_answers] bytes of a line that are no numbers
    log_executions: NDArray[np.int64]  # [n_cells, n_answers] bytes in execution logs but for bodies
    caching: NDArray[np.void]  # CACHING_DTYPE
    timeline: NDArray[np.void]  # ACTION_DTYPE
    policies: NDArray[np.void]  # POLICY_DTYPE
    policy_starts: NDArray[np.int64]  # intervals of all policies
    policy_effects: NDArray[np.int64]
    wafs: NDArray[np.void]  # WAF_DTYPE
    rate_rules: NDArray[np.void]  # RATE_RULE_DTYPE
    waf_blocks: NDArray[np.void]  # BLOCK_DTYPE
    validations: NDArray[np.void]  # VALIDATION_DTYPE
    clients: NDArray[np.void]  # CLIENT_DTYPE
    verdicts: NDArray[np.uint8]  # [n_clients, api type, answer] what an answer is to a client
    patches: NDArray[np.void]  # PATCH_DTYPE
    words: NDArray[np.int64]  # what the tables that change are views of, see engine/changeable.py
    calls: NDArray[np.void]  # CALL_DTYPE
    services: NDArray[np.void]  # SERVICE_SPEC_DTYPE
    actions: NDArray[np.void]  # ACTION_COST_DTYPE
    links: NDArray[np.void]  # LINK_DTYPE
    outages: NDArray[np.void]  # OUTAGE_DTYPE
    sessions: NDArray[np.void]  # SESSIONS_DTYPE
    pushes: NDArray[np.void]  # PUSH_DTYPE
    senders: NDArray[np.void]  # SENDER_SPEC_DTYPE
