"""A run as one HTML file that can be sent on.

``contents`` decides what is said, ``drawings`` makes the figures, ``folder`` repeats a run from its
files; ``page.html.j2`` and ``page.css`` are how it looks. The page needs no network, no script and
no other file; its colours follow the reader's light or dark theme, figures included.
"""

from apisim.report.page.folder import RunFolderError, run_of
from apisim.report.page.render import report_html, write_report

__all__ = ["RunFolderError", "report_html", "run_of", "write_report"]
