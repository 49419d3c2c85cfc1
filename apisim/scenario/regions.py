"""AWS regions and the throttle an account has in each of them.

An account starts with 10,000 requests/s and a burst of 5,000 in each region, and with 2,500 and
1,250 in thirteen regions (API Gateway quotas, "Amazon API Gateway account-level quotas, per
Region", 2025).
"""

from typing import Final

__all__ = ["REGIONS", "SMALL_REGIONS", "account_throttle", "default_book"]

#: Regions with the lower default: Cape Town, Milan, Jakarta, UAE, Hyderabad, Melbourne, Spain,
#: Zurich, Tel Aviv, Calgary, Malaysia, Thailand, Mexico Central.
SMALL_REGIONS: Final = frozenset(
    (
        "af-south-1",
        "ap-south-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-7",
        "ca-west-1",
        "eu-central-2",
        "eu-south-1",
        "eu-south-2",
        "il-central-1",
        "me-central-1",
        "mx-central-1",
    )
)

REGIONS: Final = SMALL_REGIONS | frozenset(
    (
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-6",
        "ca-central-1",
        "cn-north-1",
        "cn-northwest-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "me-south-1",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-gov-east-1",
        "us-gov-west-1",
        "us-west-1",
        "us-west-2",
    )
)


def account_throttle(region: str) -> dict[str, int]:
    """Default throttle of an account in a region, as a scenario would write it.

    Examples
    --------
    >>> account_throttle("eu-south-1")
    {'rate_limit': 2500, 'burst_limit': 1250}
    """
    if region in SMALL_REGIONS:
        return {"rate_limit": 2_500, "burst_limit": 1_250}
    return {"rate_limit": 10_000, "burst_limit": 5_000}


def default_book(profile: str, region: str) -> str:
    """Name of the price book a scenario is billed by when it names none."""
    if profile == "chapter":
        return "seed-chapter"
    return "aws-us-east-1" if region == "us-east-1" else f"aws-apigateway-regions/{region}"
