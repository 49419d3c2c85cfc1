"""What the scenario of preflights says it answers, as runs print it and by arithmetic."""

from tests.support.shipped import STORM, dollars, result, says


def test_the_answer_of_cors_preflight_storm() -> None:
    day = "apis.feeds.cors.max_age=24h"
    unsaid, kept = result(STORM), result(STORM, day)
    safari = result(STORM, day, "traffic.app.browser.max_age_cap=safari").cors["feeds"]
    told = result(STORM, "apis.feeds.cors.error_headers=true").cors["feeds"]
    wildcard = result(STORM, 'apis.feeds.cors.allow_headers=["*"]').cors["feeds"]
    stats, refused = unsaid.cors["feeds"], unsaid.requests.by_outcome["throttled"]
    says(
        STORM,
        f"{stats.preflights:,} preflights beside {unsaid.requests.total - stats.preflights:,} "
        "requests",
        f"= {6_000 / 30 / (1 + 5 / 30):.0f}/s",
        f"so {refused:,} are refused",
        f"all {stats.blocked:,} look to the page",
        f"leaves {kept.cors['feeds'].preflights} preflights of {kept.requests.total:,} requests",
        f"costs {dollars(kept)} in place of {dollars(unsaid)}",
        f"after 10 minutes: {safari.preflights:,}.",
        f"{told.blocked:,} calls stay blocked",
        f"blocks all {wildcard.blocked:,} calls",
    )
    assert stats.blocked == refused
    assert kept.cors["feeds"].blocked == 0
    assert list(wildcard.messages) == [
        "Request header is not allowed by 'Access-Control-Allow-Headers'"
    ]
