"""The hash of a row, whose sum over all rows is a run's digest: it knows no order."""

import numpy as np

from apisim.arrays.bits import mix64
from apisim.arrays.jit import part

__all__ = ["hash_row"]


@part
def hash_row(row: np.void, names: np.uint64, salt: np.uint64, rare: int | None) -> np.uint64:
    """64-bit hash of a row's fixed columns: products of pairs of words, then a finaliser.

    The pairwise form (Black et al. 1999, UMAC's NH) costs one multiplication for two words.
    """
    sizes = (np.uint64(row["request_bytes"]) << np.uint64(32)) ^ np.uint64(row["response_bytes"])
    address = (np.uint64(row["source"]) << np.uint64(44)) ^ np.uint64(row["user"])
    call = (np.uint64(row["ordinal"]) << np.uint64(12)) ^ np.uint64(row["attempt"])
    verdict = (
        (np.uint64(row["status"]) << np.uint64(48))
        ^ (np.uint64(row["units"]) << np.uint64(16))
        ^ (np.uint64(row["answer"]) << np.uint64(8))
        ^ (np.uint64(row["cold"]) << np.uint64(4))
        ^ np.uint64(row["cache"])
    )
    if rare is not None:
        verdict ^= np.uint64(row["flags"]) << np.uint64(40)
        if row["customer"] >= 0:
            names ^= np.uint64(row["customer"] + 1) * np.uint64(0xE7037ED1A0B428DB)
    product = (np.uint64(row["arrival_ns"]) + np.uint64(0x9E3779B97F4A7C15)) * (
        np.uint64(row["latency_ns"]) + np.uint64(0xC2B2AE3D27D4EB4F)
    )
    product += (np.uint64(row["integration_ns"]) + np.uint64(0x165667B19E3779F9)) * (
        address + np.uint64(0x85EBCA77C2B2AE63)
    )
    product += (call + np.uint64(0x27D4EB2F165667C5)) * (sizes + np.uint64(0xFF51AFD7ED558CCD))
    product += (verdict + np.uint64(0xC4CEB9FE1A85EC53)) * (names + salt)
    product += (np.uint64(row["client"]) + np.uint64(0xD6E8FEB86659FD93)) * (
        np.uint64(row["gateway_ns"]) + np.uint64(0xA0761D6478BD642F)
    )
    return mix64(product)
