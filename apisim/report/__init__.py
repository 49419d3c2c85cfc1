"""How a result looks: figures, drawn with matplotlib, and a page to send on (``page``).

    axes = apisim.plot_requests(result)
    apisim.plot_latency_by_route(result, ax=other_axes)

A figure is a function ``plot_x(result, ax=None)`` that draws one frame of a result and returns the
matplotlib Axes. It computes nothing: what it shows is in ``result.frame(...)``, under the name its
docstring gives. Importing this package does not import matplotlib; drawing does.
"""

from apisim.report.latency import plot_latency_by_route
from apisim.report.money import plot_cost_over_volume, plot_cost_waterfall
from apisim.report.page import report_html, write_report
from apisim.report.requests import plot_requests
from apisim.report.studies import plot_comparison, plot_sweep

__all__ = [
    "plot_comparison",
    "plot_cost_over_volume",
    "plot_cost_waterfall",
    "plot_latency_by_route",
    "plot_requests",
    "plot_sweep",
    "report_html",
    "write_report",
]
