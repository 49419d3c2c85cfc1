"""How a result looks: figures, drawn with matplotlib, and a page to send on (``page``).

    axes = apisim.plot_requests(result)
    apisim.plot_latency_by_route(result, ax=other_axes)

A figure is a function ``plot_x(result, ax=None)`` that draws one frame of a result and returns the
matplotlib Axes. It computes nothing: what it shows is in ``result.frame(...)``, under the name its
docstring gives. Inside of ``with theme("dark"):`` it is light on dark. Importing this package does
not import matplotlib; drawing does.
"""

from apisim.report.advice import plot_advice
from apisim.report.authorizers import plot_authorizers
from apisim.report.buckets import plot_tokens
from apisim.report.caches import plot_cache
from apisim.report.cold_starts import plot_cold_starts
from apisim.report.connections import plot_connections
from apisim.report.endpoints import plot_queues
from apisim.report.functions import plot_concurrency
from apisim.report.heat import plot_sweep_heat
from apisim.report.latency import plot_latency_by_route
from apisim.report.latency_over_time import plot_latency_over_time
from apisim.report.latency_tail import plot_latency_ccdf
from apisim.report.limits import plot_launch_envelope, plot_limits
from apisim.report.money import plot_cost_over_volume, plot_cost_waterfall
from apisim.report.page import report_html, write_report
from apisim.report.requests import plot_requests
from apisim.report.studies import plot_comparison, plot_sweep
from apisim.report.style import theme
from apisim.report.tornado import plot_tornado

__all__ = [
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
    "report_html",
    "theme",
    "write_report",
]
