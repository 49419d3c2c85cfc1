"""Studies: questions that take one run or many.

``run`` answers for one scenario; each of its replications is independent of the others. ``compare``
and ``sweep`` simulate several scenarios under common random numbers, ``search`` as many as it takes
to find the setting that meets conditions, ``advise`` those that say what is worth changing.
``assumptions`` asks which of what is not known matters, ``limits`` how much of each limit a
scenario uses, and at which multiple of its traffic each refuses.
"""

from apisim.studies.advice.advised import Advised
from apisim.studies.advise import advise
from apisim.studies.assumptions import Assumptions, assumptions
from apisim.studies.compare import Comparison, compare
from apisim.studies.found import Found
from apisim.studies.limits import limits
from apisim.studies.live import Figures, Live
from apisim.studies.many import Steps
from apisim.studies.progress import Progress
from apisim.studies.run import run
from apisim.studies.search import search
from apisim.studies.sweep import sweep
from apisim.studies.swept import Sweep

__all__ = [
    "Advised",
    "Assumptions",
    "Comparison",
    "Figures",
    "Found",
    "Live",
    "Progress",
    "Steps",
    "Sweep",
    "advise",
    "assumptions",
    "compare",
    "limits",
    "run",
    "search",
    "sweep",
]
