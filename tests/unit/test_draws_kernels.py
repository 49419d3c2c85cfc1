"""Kernels: accurate, and made of nothing but IEEE-754 arithmetic.

The accuracy is measured against decimal arithmetic with 40 digits. That no machine can get other
bits is held in two ways: the machine code holds no fused multiply-add and calls no function of the
C library, and plain Python, which rounds every operation, gets the same bits.
"""

import decimal
import math
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from scipy import special

from apisim.draws import kernels
from apisim.draws.discrete import KeyTable, sample_key
from apisim.draws.distributions import DistributionTable, quantile, sample_int
from apisim.draws.gamma import gamma_constants, gamma_quantile

RNG = np.random.default_rng(20_260_601)


def exact(function: Callable[[Decimal], Decimal], x: float) -> Decimal:
    with decimal.localcontext(decimal.Context(prec=60)):
        return function(Decimal(x))


def error_ulp(got: float, truth: Decimal) -> float:
    """Distance from the truth in units of the last place of the truth."""
    return float(abs(Decimal(got) - truth) / Decimal(math.ulp(float(truth))))


def log1p_over_x(x: Decimal) -> Decimal:
    return (1 + x).ln() / x


def expm1_over_x(x: Decimal) -> Decimal:
    return (x.exp() - 1) / x


@pytest.mark.parametrize(
    ("kernel", "truth", "arguments", "limit_ulp"),
    [
        (kernels.exp, Decimal.exp, RNG.uniform(-700, 700, 1500), 1.0),
        (kernels.exp, Decimal.exp, RNG.uniform(-1, 1, 1500), 1.0),
        (kernels.log, Decimal.ln, RNG.uniform(0.5, 2, 1500), 1.0),
        (kernels.log, Decimal.ln, np.exp(RNG.uniform(-700, 700, 1500)), 1.0),
        (kernels.log, Decimal.ln, RNG.random(1500), 1.0),
        (kernels.log1p, lambda x: (1 + x).ln(), -RNG.random(1000), 3.0),
        (kernels.log1p, lambda x: (1 + x).ln(), np.exp(RNG.uniform(-40, 40, 1000)), 3.0),
        (kernels.log1p, lambda x: (1 + x).ln(), -np.exp(RNG.uniform(-40, -1, 1000)), 3.0),
        (kernels.log1p_over_x, log1p_over_x, RNG.uniform(-1, 2, 1000), 4.0),
        (kernels.log1p_over_x, log1p_over_x, np.exp(RNG.uniform(-30, 3, 1000)), 4.0),
        (kernels.expm1_over_x, expm1_over_x, RNG.uniform(-30, 30, 1000), 3.0),
        (kernels.expm1_over_x, expm1_over_x, np.exp(RNG.uniform(-30, 3, 1000)), 3.0),
        (kernels.expm1_over_x, expm1_over_x, -np.exp(RNG.uniform(-30, 3, 1000)), 3.0),
    ],
)
def test_kernels_are_as_accurate_as_they_say(
    kernel: Callable[[float], float],
    truth: Callable[[Decimal], Decimal],
    arguments: "np.ndarray[Any, Any]",
    limit_ulp: float,
) -> None:
    worst = max(error_ulp(kernel(x), exact(truth, x)) for x in arguments.tolist())
    assert worst <= limit_ulp


def test_exp_covers_the_whole_range() -> None:
    for x in (0.0, -745.0, -740.0, -720.0, -708.5, 708.5, 709.78, 1e-320, -1e-320):
        assert kernels.exp(x) == pytest.approx(math.exp(x), rel=4e-16, abs=5e-324)
    assert kernels.exp(-746.0) == 0.0
    assert kernels.exp(-math.inf) == 0.0
    assert kernels.exp(710.0) == math.inf
    assert kernels.exp(math.inf) == math.inf


def test_log_covers_subnormal_numbers() -> None:
    assert kernels.log(5e-324) == pytest.approx(math.log(5e-324), rel=4e-16)
    assert kernels.log(1.0) == 0.0


def test_ratios_continue_through_zero() -> None:
    assert kernels.log1p_over_x(0.0) == 1.0
    assert kernels.expm1_over_x(0.0) == 1.0
    assert kernels.log1p(0.0) == 0.0


def test_normal_quantile_is_that_of_the_normal_distribution() -> None:
    u = np.concatenate([RNG.random(5000), np.exp(-RNG.uniform(0, 700, 5000))])
    got = np.array([kernels.normal_quantile(x) for x in u.tolist()])
    np.testing.assert_allclose(got, special.ndtri(u), rtol=3e-15, atol=1e-16)


def test_normal_quantile_is_symmetric_to_the_last_bit() -> None:
    for u in ((np.arange(1, 4000) + 0.5) * 2.0**-12).tolist():
        assert kernels.normal_quantile(u) == -kernels.normal_quantile(1 - u)


def test_the_99_percent_point_is_that_of_the_normal_distribution() -> None:
    assert special.ndtri(0.99) == pytest.approx(kernels.Z99, rel=1e-15)
    assert kernels.normal_quantile(0.99) == pytest.approx(kernels.Z99, rel=1e-15)


@pytest.mark.parametrize("shape", [1e-4, 0.01, 0.3, 1.0, 2.5, 100.0, 1e4])
def test_gamma_constants_are_correctly_rounded(shape: float) -> None:
    log_gamma, peak = gamma_constants(shape)
    assert log_gamma == pytest.approx(math.lgamma(shape + 1), rel=1e-13, abs=1e-15)
    assert peak == pytest.approx(shape * math.log(shape) - shape - log_gamma, abs=1e-10)
    with decimal.localcontext(decimal.Context(prec=6)):  # whatever the caller computes with
        assert gamma_constants(shape) == (log_gamma, peak)


# ------------------------------------------------------------------------- the same bits everywhere

ROWS, VALUES = DistributionTable().freeze()
KEY_ROWS, CELLS = KeyTable().freeze()

FUSED = re.compile(r"\bv?fn?m(?:add|sub)|\bfml[as]\b")
# Names of the C library's functions, as call targets or as addresses loaded for a call.
CALLS = re.compile(r"(?:call[ql]?|bl|movabsq)\s+\$?_?([a-z][a-z0-9]*)\b")
LIBM = {
    "exp", "exp2", "exp10", "expm1", "log", "log2", "log10", "log1p", "pow", "fma", "ldexp",
    "frexp", "sin", "cos", "tan", "cbrt", "hypot", "fmod", "erf", "erfc", "lgamma", "tgamma",
}  # fmt: skip


def machine_code(function: Callable[..., Any], *arguments: Any) -> str:
    """Assembly of a function with all that it calls, compiled afresh for these arguments."""
    signature = tuple(numba.typeof(argument) for argument in arguments)
    compiled = numba.njit(signature, forceinline=True)(function)
    return "\n".join(compiled.inspect_asm().values())


def called(code: str) -> set[str]:
    return set(CALLS.findall(code)) & LIBM


HAS_FMA = platform.machine() in ("arm64", "aarch64") or llvm.get_host_cpu_features().get("fma")


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (kernels.exp.py_func, (1.0,)),
        (kernels.log.py_func, (1.0,)),
        (kernels.log1p.py_func, (1.0,)),
        (kernels.expm1_over_x.py_func, (1.0,)),
        (kernels.log1p_over_x.py_func, (1.0,)),
        (kernels.normal_quantile.py_func, (1.0,)),
        (lambda u: gamma_quantile(u, 2.5, 1.0, 1.0), (0.5,)),
        (lambda r, v, u: quantile(r, v, 0, u), (ROWS, VALUES, 0.5)),
        (lambda r, v, k, i: sample_int(r, v, 0, k, i, 0), (ROWS, VALUES, np.uint64(1), 0)),
        (lambda r, c, k, i: sample_key(r, c, 0, k, i, 0), (KEY_ROWS, CELLS, np.uint64(1), 0)),
    ],
)
def test_compiled_draws_fuse_nothing_and_call_no_library(
    function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    code = machine_code(function, *arguments)
    assert not FUSED.search(code)
    assert called(code) == set()


def test_a_library_call_would_be_seen() -> None:
    assert called(machine_code(lambda x: math.exp(x) + math.log1p(x), 1.0)) == {"exp", "log1p"}


@pytest.mark.skipif(not HAS_FMA, reason="this processor has no fused multiply-add")
def test_a_fused_multiply_add_would_be_seen() -> None:
    compiled = numba.njit("f8(f8, f8, f8)", fastmath=True)(lambda x, y, z: x * y + z)
    assert FUSED.search("\n".join(compiled.inspect_asm().values()))


# A digest of the bits of many quantiles, by the kernels as they are or in plain Python.
DIGEST = """
import hashlib, struct, warnings
from apisim.draws.discrete import alias_cells
from apisim.draws.distributions import *
from apisim.draws.zipf import zipf_constants
laws = [LogNormal(20.0, 100.0), LogNormalMean(20.0, 100.0), Exponential(5.0), Uniform(1.0, 4.0),
        Pareto(1.0, 1.3), Gamma(10.0, 0.3), Gamma(10.0, 1.7), Quantiles(((50, 1), (99, 7))),
        Samples((3.0, 1.0, 2.0)), Mixture(((0.9, Exponential(1.0)), (0.1, LogNormal(5.0, 9.0))))]
table = DistributionTable()
numbers = [table.add(law) for law in laws]
rows, values = table.freeze()
digest = hashlib.blake2b(digest_size=16)
for number in numbers:
    for i in range(101):
        u = (i * 44_591_113_797_121 % 2**52 + 0.5) * 2.0**-52
        digest.update(struct.pack("<d", quantile(rows, values, number, u)))
for s in (0.3, 1.0, 1.4):
    digest.update(struct.pack("<3d", *zipf_constants(s, 10**7)))
print(digest.hexdigest())
"""


def test_plain_python_gets_the_same_bits_and_they_stay_what_they_are() -> None:
    """Plain Python rounds every operation; it knows no vectors, no fusing, no reordering."""
    digests = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", DIGEST],
            env={**os.environ, "NUMBA_DISABLE_JIT": disable},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for disable in ("0", "1")
    ]
    assert digests[0] == digests[1] == "797ffb2b2dcb6467958c605dc6eaf49a"
