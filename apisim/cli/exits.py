"""Exit codes of every command."""

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What a command's exit code says."""

    FINE = 0
    DEFECT = 1  # of ours
    BAD_INPUT = 2  # usage, scenario, trace, or a file that cannot be written
    THRESHOLD_FAILED = 99  # k6's number
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it
