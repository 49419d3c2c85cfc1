"""What web ACLs, authorizers and user pools did, as tables of the summary."""

from typing import Final

from apisim.results.result import Result
from apisim.results.section import Section, section
from apisim.results.wording import count_text, rate_text

__all__ = ["access_sections"]


def access_sections(result: Result) -> list[Section | None]:
    """Sections about who may call, in order; None where there is nothing to say."""
    return [
        _web_acls(result),
        _authorizers(result),
        _credentials(result),
        _sign_ins(result),
    ]


def _web_acls(result: Result) -> Section | None:
    rows = [
        (
            name,
            count_text(stats.inspected),
            count_text(stats.blocked_by_rate),
            count_text(stats.blocked_by_rules),
        )
        for name, stats in result.web_acls.items()
    ]
    return section("Web ACLs, whole run", "API|>Looked at|>Blocked by rate|>Blocked by rules", rows)


def _authorizers(result: Result) -> Section | None:
    rows = [
        (
            name,
            count_text(stats.hits),
            count_text(stats.invocations),
            count_text(stats.denied),
            count_text(stats.no_identity),
            count_text(stats.failed),
        )
        for name, stats in result.authorizers.items()
    ]
    return section(
        "Authorizers", "Authorizer|>From cache|>Called|>Denied|>No identity|>Failed", rows
    )


#: Why tokens and signatures are refused; a column is left out where nothing of the kind happened.
_CAUSES: Final = {
    "unauthorized": ">Unauthorized",
    "invalid": ">Invalid",
    "expired": ">Expired",
    "scope_missing": ">No scope",
    "key_set_fetches": ">Key fetches",
}


def _credentials(result: Result) -> Section | None:
    stats = result.authorizers
    causes = [key for key in _CAUSES if any(getattr(one, key) for one in stats.values())]
    rows = [
        (name, *(count_text(getattr(one, key)) for key in causes))
        for name, one in stats.items()
        if any(getattr(one, key) for key in causes)
    ]
    columns = "|".join(["Authorizer", *(_CAUSES[key] for key in causes)])
    return section("Tokens and signatures", columns, rows)


def _sign_ins(result: Result) -> Section | None:
    rows = [
        (
            name,
            rate_text(one.quota_rps),
            count_text(one.sign_ins),
            count_text(one.refreshes),
            count_text(one.refused),
        )
        for name, one in result.sign_ins.items()
    ]
    return section("Sign-ins, whole run", "Population|>Quota|>Sign-ins|>Refreshes|>Refused", rows)
