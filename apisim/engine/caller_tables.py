"""The arrays that say who calls, and how they show who they are."""

from typing import Final

import numpy as np

__all__ = ["CALLER_DTYPE", "CREDENTIAL_DTYPE"]

#: Who stands behind a source's calls.
CALLER_DTYPE: Final = np.dtype(
    [
        ("activity", "i8"),  # popularity that draws a customer; NONE without a population
        ("first_customer", "i8"),  # numbers over all populations
        ("n_customers", "i8"),
        ("first_person", "i8"),
        ("users_each", "i8"),
        ("first_key", "i8"),  # key of the first customer; NONE: customers have none
        ("fixed_key", "i8"),  # of all calls of the source; NONE: none
        ("fixed_customer", "i8"),  # whose key that is; NONE: nobody's
        ("first_address", "i8"),  # IPv4 as a number; NONE: unknown
        ("addresses_each", "i8"),  # of a customer, or of the source where the block is its own
        ("by_customer", "i8"),  # 1: each customer has its own part of the block
        ("lifetime_ns", "i8"),  # of a token; 0: for ever
        ("token_salt", "u8"),  # 0: no tokens
        ("token_key", "u8"),  # stream of when each person's tokens are issued
        ("never_refresh", "f8"),  # share of users
        ("refresh_key", "u8"),  # stream of who they are
        ("sign_in", "i8"),  # user pool with a quota; NONE: tokens come by themselves
        ("certificate_key", "u8"),  # stream of who has a bad certificate
    ],
    align=True,
)
#: How the callers of a source sign, and the scopes of their tokens.
CREDENTIAL_DTYPE: Final = np.dtype(
    [
        ("missing", "f8"),
        ("bad", "f8"),
        ("skew", "i8"),  # distribution [ns]; NONE: clocks are right
        ("policy", "i8"),  # popularity of allow, silent, deny; NONE: always allow
        ("cross", "i8"),  # 1: of another account
        ("scopes", "i8"),  # popularity of sets of scopes; NONE: all that is asked for
        ("first_person", "i8"),
        ("key", "u8"),
        ("skew_key", "u8"),
        ("policy_key", "u8"),
        ("scope_key", "u8"),
    ],
    align=True,
)
