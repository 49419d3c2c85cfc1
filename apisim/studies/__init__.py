"""Studies: questions that take one run or many.

``run`` answers for one scenario; each of its replications is independent of the others.
"""

from apisim.studies.progress import Progress
from apisim.studies.run import run

__all__ = ["Progress", "run"]
