"""Who may come near: resource policies, VPC endpoints, the firewall, client certificates.

AWS's words, one level flatter: a statement names its conditions as keys (``source_ip`` is the
condition ``IpAddress`` on ``aws:SourceIp``, ``not_source_ip`` is ``NotIpAddress``), and its
resources as patterns of routes.
"""

import re
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from apisim.scenario.addresses import Ipv4Range
from apisim.scenario.fields import Reader, choice, duration, name, share, whole
from apisim.scenario.formats import format_duration
from apisim.scenario.model import Context, Model, as_written, fail
from apisim.scenario.units import UnitError, shown

__all__ = [
    "MAX_ADDRESS_COUNTERS",
    "WAF_WINDOWS_NS",
    "MutualTls",
    "RateRule",
    "Statement",
    "VpcEndpoint",
    "Waf",
    "pattern_matches",
]

#: Evaluation windows that AWS WAF has [ns]: 1, 2, 5 and 10 minutes.
WAF_WINDOWS_NS: Final = tuple(minutes * 60_000_000_000 for minutes in (1, 2, 5, 10))
#: Counters of all addresses of one rate-based rule; each takes 4 bytes.
MAX_ADDRESS_COUNTERS: Final = 32_000_000
_MAX_INTERVALS: Final = 600
#: Most statements and most blocks in one of them: a policy has 8,192 characters (quotas).
_MAX_ITEMS: Final = 400

_PATTERN: Final = r"(\*|[A-Z*?]+ +(/\S*|\*))"


def _read_pattern(value: Any, context: Context) -> str:
    if isinstance(value, str) and len(value) <= 1024 and re.fullmatch(_PATTERN, value.strip()):
        return re.sub(r" +", " ", value.strip())
    hint = "write a method and a path, with * for anything: GET /admin/*"
    raise UnitError(f"{shown(value)} is not a pattern of routes", hint)


_RoutePattern = Annotated[str, Reader(_read_pattern, {"type": "string", "pattern": _PATTERN})]
_Blocks = Annotated[list[Ipv4Range], Field(min_length=1, max_length=_MAX_ITEMS)]
_Names = Annotated[list[Annotated[str, name()]], Field(min_length=1, max_length=_MAX_ITEMS)]


def pattern_matches(pattern: str, route: str) -> bool:
    """Whether a pattern covers all requests of a route; ``*`` is any text, ``?`` a character.

    Examples
    --------
    >>> pattern_matches("* /users/*", "GET /users/{userId}")
    True
    """
    return fnmatchcase(route, pattern.replace("[", "[[]"))


class Statement(Model):
    """One statement of a policy; it applies where all its conditions hold.

    Attributes
    ----------
    effect : {"allow", "deny"}
        What it says; a denial wins over everything.
    source_ip, not_source_ip : list of AddressRange or None
        IPv4 blocks of which one, or none, must hold the caller's address. On a private API that is
        its address inside the VPC (``aws:VpcSourceIp``). A caller without address is in no block.
    source_vpce, not_source_vpce : list of str or None
        Names under ``vpc_endpoints:`` through which the call must, or must not, come.
    source_vpc, not_source_vpc : list of str or None
        VPCs of those endpoints.
    routes : list of str or None
        Patterns of the routes it is about: ``GET /admin/*``. None: all.
    """

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"current_time", "principal", "referer", "secure_transport", "source_arn", "user_agent"}
    )

    effect: Annotated[Literal["allow", "deny"], choice("allow", "deny")]
    source_ip: _Blocks | None = None
    not_source_ip: _Blocks | None = None
    source_vpce: _Names | None = None
    not_source_vpce: _Names | None = None
    source_vpc: _Names | None = None
    not_source_vpc: _Names | None = None
    routes: Annotated[list[_RoutePattern], Field(min_length=1, max_length=_MAX_ITEMS)] | None = None

    @property
    def asks_for_address(self) -> bool:
        """Whether it depends on the caller's address."""
        return self.source_ip is not None or self.not_source_ip is not None

    def holds_for(self, route: str, vpc_endpoint: str | None, vpc: str | None) -> bool:
        """Whether all conditions but those on the address hold."""
        if self.routes is not None and not any(pattern_matches(p, route) for p in self.routes):
            return False
        return all(
            (wanted is None or seen in wanted) and (unwanted is None or seen not in unwanted)
            for seen, wanted, unwanted in (
                (vpc_endpoint, self.source_vpce, self.not_source_vpce),
                (vpc, self.source_vpc, self.not_source_vpc),
            )
        )


#: A policy: its statements, at least one.
Policy = Annotated[list[Statement], Field(min_length=1, max_length=_MAX_ITEMS)]


class VpcEndpoint(Model):
    """An interface endpoint for private APIs.

    Attributes
    ----------
    vpc : str
        The VPC it is in.
    policy : list of Statement or None
        The endpoint's own policy; None lets everything through, as AWS's default one does.
    zones : int or None
        Availability Zones it has a network interface in, 1 to 6, each billed by the hour. None: its
        hours are not on the bill.
    """

    vpc: Annotated[str, name()]
    zones: Annotated[int, whole(1, 6)] | None = None
    policy: Policy | None = None


class RateRule(Model):
    """A rate-based rule: who calls too often is blocked until it calls less.

    Attributes
    ----------
    limit : int
        Most requests of one address within a window, 10 to 2,000,000,000 (AWS WAF's own range).
    window : int
        Length of the window [ns], default 5m. AWS WAF has 1, 2, 5 and 10 minutes; shorter ones are
        for experiments.
    by : {"ip"}
        What is counted together.
    delay : int
        How often the counts are looked at [ns], default 30s: at each such moment the last whole
        window decides who is blocked until the next. AWS says only that detection takes a while.
        The window is a multiple of it, at most 600 times as long.
    """

    limit: Annotated[int, whole(10, 2_000_000_000, "AWS WAF")]
    window: Annotated[int, duration("1ms", "10m", "AWS WAF")] = as_written("5m")
    by: Annotated[
        Literal["ip"], choice("ip", later=("forwarded_ip", "header", "query_string", "path"))
    ] = "ip"
    delay: Annotated[int, duration("1ms", "10m")] = as_written("30s")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        window, delay = format_duration(self.window), format_duration(self.delay)
        if self.window % self.delay:
            hint = "choose e.g. window: 5m, delay: 30s"
            raise fail(f"the window of {window} is no multiple of {delay}", hint, ("delay",))
        if self.intervals > _MAX_INTERVALS:
            message = f"{delay} is below {_MAX_INTERVALS}th of the window of {window}"
            raise fail(message, "look at the counts less often", ("delay",))
        return self

    @property
    def intervals(self) -> int:
        """How many delays make a window."""
        return self.window // self.delay


class Waf(Model):
    """The web ACL of a REST stage.

    Attributes
    ----------
    rules : int
        Rules and managed rule groups, other than rate-based ones; what is billed, 0 to 1,500.
    block : float
        Share of the requests that those rules block, in [0, 1].
    rate_based : list of RateRule
        Rate-based rules, which come first; the first that blocks ends the evaluation.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"body_limit", "custom_response", "fail_open"})

    rules: Annotated[int, whole(0, 1_500)] = 0
    block: Annotated[float, share()] = as_written(0)
    rate_based: Annotated[list[RateRule], Field(max_length=10)] = Field(default_factory=list)


class MutualTls(Model):
    """Client certificates, which a regional custom domain may ask for.

    Attributes
    ----------
    invalid_certificates : float
        Share of the callers whose certificate is untrusted, expired or missing, in [0, 1]: a user
        of a population has a bad one or not for the whole run; where nobody is known, a call has.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"truststore", "truststore_version"})

    invalid_certificates: Annotated[float, share()] = as_written(0)
