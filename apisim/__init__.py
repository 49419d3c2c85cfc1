"""Discrete-event performance and cost simulator of Amazon API Gateway.

    import apisim

    result = apisim.run("scenario.yaml", seed=7)
    print(result)
    result.frame("routes")
    apisim.plot_requests(result)

``run`` simulates a scenario, ``compare`` and ``sweep`` several; ``load`` and ``loads`` read one
without running it, ``lint`` says what in it may not be meant, ``limits`` how near each limit is,
``price`` what quantities cost, ``plot_...`` draw a result.
Everything is loaded when it is first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from apisim.cli.bars import progress_bar
    from apisim.pricing.price import price
    from apisim.report import (
        plot_advice,
        plot_authorizers,
        plot_cache,
        plot_cold_starts,
        plot_comparison,
        plot_concurrency,
        plot_connections,
        plot_cost_over_volume,
        plot_cost_waterfall,
        plot_latency_by_route,
        plot_latency_ccdf,
        plot_latency_over_time,
        plot_launch_envelope,
        plot_limits,
        plot_queues,
        plot_requests,
        plot_sweep,
        plot_sweep_heat,
        plot_tokens,
        plot_tornado,
        report_html,
        write_report,
    )
    from apisim.results.request_frame import read_requests
    from apisim.results.result import Result
    from apisim.scenario import Scenario, ScenarioError, load, loads
    from apisim.scenario.lints import lint
    from apisim.studies.advise import advise
    from apisim.studies.assumptions import assumptions
    from apisim.studies.compare import compare
    from apisim.studies.limits import limits
    from apisim.studies.run import run
    from apisim.studies.search import search
    from apisim.studies.sweep import sweep

__all__ = [
    "Result",
    "Scenario",
    "ScenarioError",
    "__version__",
    "advise",
    "assumptions",
    "compare",
    "limits",
    "lint",
    "load",
    "loads",
    "plot_advice",
    "plot_authorizers",
    "plot_cache",
    "plot_cold_starts",
    "plot_comparison",
    "plot_concurrency",
    "plot_connections",
    "plot_cost_over_volume",
    "plot_cost_waterfall",
    "plot_latency_by_route",
    "plot_latency_ccdf",
    "plot_latency_over_time",
    "plot_launch_envelope",
    "plot_limits",
    "plot_queues",
    "plot_requests",
    "plot_sweep",
    "plot_sweep_heat",
    "plot_tokens",
    "plot_tornado",
    "price",
    "progress_bar",
    "read_requests",
    "report_html",
    "run",
    "search",
    "sweep",
    "write_report",
]

__version__ = "0.1.0"

#: Module that each public name lives in.
_HOMES: Final = {
    "Result": "apisim.results.result",
    "Scenario": "apisim.scenario",
    "ScenarioError": "apisim.scenario",
    "advise": "apisim.studies",
    "assumptions": "apisim.studies",
    "compare": "apisim.studies",
    "limits": "apisim.studies",
    "lint": "apisim.scenario.lints",
    "load": "apisim.scenario",
    "loads": "apisim.scenario",
    "plot_advice": "apisim.report",
    "plot_authorizers": "apisim.report",
    "plot_cache": "apisim.report",
    "plot_cold_starts": "apisim.report",
    "plot_comparison": "apisim.report",
    "plot_cost_over_volume": "apisim.report",
    "plot_cost_waterfall": "apisim.report",
    "plot_concurrency": "apisim.report",
    "plot_connections": "apisim.report",
    "plot_latency_by_route": "apisim.report",
    "plot_latency_ccdf": "apisim.report",
    "plot_latency_over_time": "apisim.report",
    "plot_launch_envelope": "apisim.report",
    "plot_limits": "apisim.report",
    "plot_queues": "apisim.report",
    "plot_requests": "apisim.report",
    "plot_sweep": "apisim.report",
    "plot_sweep_heat": "apisim.report",
    "plot_tokens": "apisim.report",
    "plot_tornado": "apisim.report",
    "price": "apisim.pricing.price",
    "progress_bar": "apisim.cli.bars",
    "read_requests": "apisim.results.request_frame",
    "report_html": "apisim.report",
    "run": "apisim.studies",
    "search": "apisim.studies",
    "sweep": "apisim.studies",
    "write_report": "apisim.report",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # found without a detour from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
