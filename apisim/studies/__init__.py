"""Studies: questions that take one run or many.

``run`` answers for one scenario; each of its replications is independent of the others. ``limits``
asks how much of each limit a scenario uses, and at which multiple of its traffic each refuses.
"""

from apisim.studies.limits import limits
from apisim.studies.progress import Progress
from apisim.studies.run import run

__all__ = ["Progress", "limits", "run"]
