"""From usage to a bill: price books (data, with source and date) and rating by tiers.

``load_book`` finds a book (a packaged one, a user's own, or an overlay on another),
``Usage.quantities`` turns counts into its units, ``rate`` puts quantities through its tiers;
``bill_of_run`` and ``bill_of_month`` do so for a scenario. Quantities and amounts are exact, no
price is written in code, and a meter without a price is reported as unpriced rather than left out
or charged at another region's price.
"""

from apisim.pricing.bill import (
    Bill,
    BillRow,
    Line,
    TierRow,
    Unpriced,
    bill_section,
    dollars,
    mean_bill,
)
from apisim.pricing.billing import bill_of_month, bill_of_run, leave_one_out
from apisim.pricing.book import PriceBook
from apisim.pricing.charges import (
    billable_units,
    charge_table,
    metering_increment,
    stream_increment,
)
from apisim.pricing.document import BookError
from apisim.pricing.errors import SettingError
from apisim.pricing.library import available_books, load_book
from apisim.pricing.logs import LogUsage, TraceUsage
from apisim.pricing.neighbours import (
    BalancerUsage,
    RouteMetricsUsage,
    ServiceUsage,
    UserPoolUsage,
    VpcEndpointUsage,
)
from apisim.pricing.quantities import Quantities, QuantityError
from apisim.pricing.rating import rate
from apisim.pricing.usage import ApiUsage, CacheUsage, FunctionUsage, Usage, WafUsage
from apisim.pricing.windows import Window

__all__ = [
    "ApiUsage",
    "BalancerUsage",
    "Bill",
    "BillRow",
    "BookError",
    "CacheUsage",
    "FunctionUsage",
    "Line",
    "LogUsage",
    "PriceBook",
    "Quantities",
    "QuantityError",
    "RouteMetricsUsage",
    "ServiceUsage",
    "SettingError",
    "TierRow",
    "TraceUsage",
    "Unpriced",
    "Usage",
    "UserPoolUsage",
    "VpcEndpointUsage",
    "WafUsage",
    "Window",
    "available_books",
    "bill_of_month",
    "bill_of_run",
    "bill_section",
    "billable_units",
    "charge_table",
    "dollars",
    "leave_one_out",
    "load_book",
    "mean_bill",
    "metering_increment",
    "rate",
    "stream_increment",
]
