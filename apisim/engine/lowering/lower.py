"""The lowering as a whole: one :class:`Program` from one scenario."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from apisim.draws.purposes import Purpose
from apisim.engine.actions import (
    PATCH_DTYPE,
)
from apisim.engine.lowering.apis import lower_apis
from apisim.engine.lowering.backends import lower_backends
from apisim.engine.lowering.bindings import Bindings
from apisim.engine.lowering.bodies import limit_logged
from apisim.engine.lowering.caching import lower_timeline
from apisim.engine.lowering.changes import with_changes
from apisim.engine.lowering.context import Charging, Context
from apisim.engine.lowering.logs import lower_logs
from apisim.engine.lowering.perimeter import lower_wafs
from apisim.engine.lowering.plans import lower_plans
from apisim.engine.lowering.pushes import lower_pushes
from apisim.engine.lowering.sources import LoweredSources, lower_sources
from apisim.engine.lowering.streams import Rekey
from apisim.engine.lowering.targets import lower_calls, lower_targets, states_until
from apisim.engine.program import Names, Program
from apisim.engine.tables import (
    RULES_DTYPE,
    Tables,
)
from apisim.gateway.status import body_table, status_table
from apisim.gateway.throttle import NO_BUCKET
from apisim.scenario import Scenario, ScenarioError

__all__ = ["Charging", "lower"]


def lower(scenario: Scenario, charging: Charging, *, skip_bad_rows: bool = False) -> Program:
    """Make a scenario ready to run.

    Parameters
    ----------
    scenario : Scenario
    charging : Charging
        What the price book says about metering.
    skip_bad_rows : bool
        Leave bad rows of logs out instead of refusing the log.

    Returns
    -------
    Program

    Raises
    ------
    ScenarioError
        With every problem that only shows now: routes that nothing matches, buckets that cannot be
        held exactly, bad rows of logs.
    """

    def lower_state(context: Context) -> Program:
        return _lower(context, skip_bad_rows=skip_bad_rows)

    context = Context(scenario, charging)
    return with_changes(lower_state(context), context, lower_state)


def _lower(context: Context, *, skip_bad_rows: bool) -> Program:
    """One state of a scenario, as if nothing were set in its timeline."""
    scenario = context.scenario
    backends = lower_backends(context)
    apis = lower_apis(context, backends)
    plans = lower_plans(context, apis)
    bindings = Bindings()
    sources = lower_sources(context, apis, plans, bindings, skip_bad_rows=skip_bad_rows)
    lower_pushes(context, apis, bindings, sources)
    limit_logged(apis.routes, sources.joined(sources.trace_bytes, np.int64))
    wafs = lower_wafs(context, apis.apis)
    if context.problems:
        raise ScenarioError(context.problems)
    rules = _rules(context, sources)
    caches = {plan.name: at for at, plan in enumerate(apis.caches)}
    timeline = lower_timeline(context, apis.api_names, caches, sources.horizon_ns)
    dists, dist_values = context.dists.freeze()
    popularities, popularity_cells = context.popularities.freeze()
    settings = scenario.settings
    is_early = settings.throttle_before_auth
    plain_throttle = settings.sloppiness == 1 and settings.throttle_charging == "all_or_none"
    statuses = status_table(
        http_timeout_status=settings.http_timeout_status,
        lambda_throttle_status_http=settings.lambda_throttle_status_http,
        header_limit_status=settings.header_limit_status,
        preflight_status=settings.preflight_status,
        service_throttle_status=settings.service_throttle_status,
    )
    logs = lower_logs(scenario, sources.cells, statuses)
    meters, charged = apis.meters.tables()
    tables = Tables(
        rules=rules,
        sources=sources.sources,
        callers=sources.callers.table(),
        credentials=bindings.credentials.table(),
        keys=plans.keys,
        quotas=plans.quotas,
        plan_routes=plans.routes,
        quota_clock=plans.clock,
        pieces=sources.piece_table(),
        bindings=bindings.table(plain_throttle=plain_throttle),
        parts=bindings.part_table(),
        preflights=sources.browsers.table(),
        cors_messages=sources.browsers.message_table(),
        routes=apis.routes,
        route_levels=np.full_like(apis.levels, NO_BUCKET) if is_early else apis.levels,
        early_levels=apis.levels,
        apis=apis.apis,
        authorizers=apis.authorizers,
        functions=backends.functions,
        endpoints=backends.endpoints,
        status=statuses,
        body=body_table(),
        meters=meters,
        charged=charged,
        draw_keys=np.zeros((len(sources.names), len(Purpose)), np.uint64),
        dists=dists,
        dist_values=dist_values,
        popularities=popularities,
        popularity_cells=popularity_cells,
        think=np.array(sources.think, np.int64),
        jobs=sources.job_table(),
        trace_ns=sources.joined(sources.trace_ns, np.int64),
        trace_client=sources.joined(sources.trace_client, np.int64),
        trace_target=sources.joined(sources.trace_target, np.int64),
        trace_bytes=sources.joined(sources.trace_bytes, np.int64),
        targets=sources.target_table(),
        client_hashes=np.array(sources.client_hashes, np.uint64),
        cell_hashes=np.array(sources.cell_hashes, np.uint64),
        cell_phase=np.array(sources.cell_phase, np.int64),
        log_lines=logs.lines,
        log_texts=logs.texts,
        log_executions=logs.executions,
        caching=bindings.caching.table(),
        timeline=timeline,
        policies=bindings.policies.table(),
        policy_starts=np.array(bindings.policies.starts, np.int64),
        policy_effects=np.array(bindings.policies.effects, np.int64),
        wafs=wafs.wafs,
        rate_rules=wafs.rules,
        waf_blocks=wafs.blocks,
        validations=bindings.validations.table(),
        clients=sources.behaviours.table(),
        verdicts=sources.behaviours.verdicts(statuses),
        patches=np.zeros(0, PATCH_DTYPE),
        words=np.zeros(0, np.int64),
        calls=backends.calls,
        services=backends.services.specs,
        actions=backends.services.costs,
        links=backends.links.table(),
        outages=backends.links.outage_table(),
        sessions=sources.sessions.table(),
        pushes=sources.sessions.push_table(),
        senders=sources.sessions.sender_table(),
    )
    names = Names(
        sources=tuple(sources.names),
        phases=tuple(sources.phases),
        apis=apis.api_names,
        routes=tuple(apis.route_names),
        functions=backends.function_names,
        endpoints=backends.endpoint_names,
        services=backends.services.names,
        authorizers=tuple(apis.authorizer_names),
        buckets=tuple(apis.bucket_names),
        clients=tuple(sources.clients),
        customers=(*sources.callers.customers, *plans.named),
        cells=tuple(sources.cells),
        key_sets=tuple(apis.key_set_names),
        pools=tuple(sources.callers.pools),
        plans=tuple(scenario.usage_plans),
        plan_limits=tuple(plans.limits),
    )
    rekey = Rekey(
        scenario,
        names,
        [part for _, _, part in bindings.parts],
        tables,
        sources.callers.populations,
        bindings.credentials.owners,
        bindings.caching.routes,
        apis.canary_of,
    )
    states = states_until(scenario, sources.horizon_ns)
    return Program(
        scenario=scenario,
        tables=tables,
        names=names,
        cell_meters=apis.meters_of(sources.cells),
        cell_targets=lower_targets(states, sources.cells),
        service_calls=lower_calls(states),
        flows=tuple(sources.flows),
        caches=tuple(
            replace(plan, lookup_ns=apis.lookup_ns.get(at, 0))
            for at, plan in enumerate(apis.caches)
        ),
        lines=tuple(apis.lines),
        pools=backends.pools,
        groups=backends.groups,
        endpoints=backends.queues,
        buckets=apis.buckets,
        service_limits=backends.services.limits,
        key_sets=tuple(apis.key_sets),
        sign_in_quotas=sources.callers.quotas,
        n_signed_in=sources.callers.n_signed_in,
        subscriptions=plans.subscriptions,
        plan_buckets=plans.buckets,
        has_key=plans.has_key,
        retry_tokens=np.array(sources.behaviours.tokens, np.int64),
        n_users=sources.n_users,
        n_connections=context.n_connections,
        n_socket_lists=sources.sessions.n_lists,
        horizon_ns=int(rules["horizon_ns"][0]),
        n_skipped_rows=sources.n_skipped_rows,
        rekey=rekey,
        notes=tuple(context.notes),
    )


def _rules(context: Context, sources: LoweredSources) -> NDArray[np.void]:
    scenario, settings = context.scenario, context.scenario.settings
    rules = np.zeros(1, RULES_DTYPE)
    rules["hit_time"] = context.dists.add(settings.hit_time)
    rules["refusal_time"] = context.dists.add(settings.refusal_time)
    rules["edge_hop"] = context.dists.add(settings.edge_hop)
    rules["cache_max_object"] = settings.cache_max_object
    rules["cache_entry_overhead"] = settings.cache_entry_overhead
    rules["waf_latency"] = context.dists.add(settings.waf_latency)
    rules["mutual_tls_time"] = context.dists.add(settings.mutual_tls_time)
    rules["warm_up_ns"] = scenario.warm_up
    rules["horizon_ns"] = sources.horizon_ns
    rules["n_phases"] = len(sources.phases)
    rules["limit_parts"] = settings.sloppiness
    rules["charges_in_order"] = int(settings.throttle_charging == "in_order")
    rules["credential_check"] = context.dists.add(settings.credential_check_time)
    rules["key_set_time"] = context.dists.add(settings.key_set_time)
    rules["key_set_timeout_ns"] = settings.key_set_timeout
    rules["signature_window_ns"] = settings.signature_window
    rules["tls_time"] = context.dists.add(settings.tls_time)
    rules["sign_in_time"] = context.dists.add(settings.sign_in_time)
    rules["environment_setup"] = context.dists.add(settings.environment_setup)
    rules["vpc_link_time"] = context.dists.add(settings.vpc_link_time)
    rules["socket_idle_ns"] = settings.websocket_idle_timeout
    rules["socket_age_ns"] = settings.websocket_max_age
    rules["disconnect_delivery"] = settings.disconnect_delivery
    rules["cross_zone_time"] = context.dists.add(settings.cross_zone_time)
    return rules
