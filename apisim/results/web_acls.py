"""What the web ACLs of stages looked at and blocked."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from apisim.engine.program import Program
from apisim.results.collect import FinalState

__all__ = ["WebAclStats", "web_acl_stats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAclStats:
    """One web ACL, whole run, summed over replications.

    Attributes
    ----------
    inspected : int
        Requests it looked at; what AWS WAF bills.
    blocked_by_rate, blocked_by_rules : int
        Requests that a rate-based rule, or one of the others, blocked.
    """

    inspected: int
    blocked_by_rate: int
    blocked_by_rules: int

    def to_dict(self) -> dict[str, Any]:
        """The numbers by name."""
        return asdict(self)


def web_acl_stats(program: Program, states: Sequence[FinalState]) -> dict[str, WebAclStats]:
    """By API; only those with a web ACL."""
    stats = {}
    for at, (name, api) in enumerate(program.scenario.apis.items()):
        if api.stage.waf is None:
            continue
        rows = [state.inspections[:, at] for state in states]
        stats[name] = WebAclStats(
            inspected=sum(int(row["requests"].sum()) for row in rows),
            blocked_by_rate=sum(int(row["by_rate"].sum()) for row in rows),
            blocked_by_rules=sum(int(row["by_rule"].sum()) for row in rows),
        )
    return stats
