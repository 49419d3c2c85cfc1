"""Distributions with a formula: what they mean, and what they are in compiled code.

Each is a frozen description whose parameters mean something to the reader of a scenario (``p50``
and ``p99``, ``mean`` and ``cv``), in the unit in which draws are wanted (nanoseconds, bytes). All
live on [0, inf). Quantiles are computed by the very code that draws.

Logarithms and exponentials that end up in a row come from ``kernels``, never from the C library,
so that rows are the same on every machine.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from apisim.draws.gamma import gamma_constants, gamma_probability
from apisim.draws.kernels import Z99, exp, log
from apisim.draws.sampling import Kind, to_int
from apisim.draws.tables import Lowered, quantile_of

__all__ = [
    "Constant",
    "Distribution",
    "Exponential",
    "Gamma",
    "LogNormal",
    "LogNormalMean",
    "Pareto",
    "Uniform",
    "require",
]


def require(condition: bool, rule: str, got: object) -> None:
    """Refuse a parameter that breaks a rule.

    Parameters
    ----------
    condition : bool
        Whether the rule holds; written so that NaN breaks it.
    rule : str
        The rule, as the beginning of the message.
    got : object
        What was given instead.

    Raises
    ------
    ValueError
        If the rule does not hold.
    """
    if not condition:
        raise ValueError(f"{rule}, got {got}")


class Distribution(ABC):
    """A distribution on [0, inf)."""

    __slots__ = ()

    @abstractmethod
    def mean(self) -> float:
        """Expected value, in the unit of the parameters; infinite where there is none."""

    @abstractmethod
    def cdf(self, x: float) -> float:
        """P(X <= x), for any number x in the unit of the parameters."""

    @abstractmethod
    def lower(self) -> Lowered:
        """What the distribution is in compiled code."""

    def quantile(self, q: float) -> float:
        """Smallest value that a share ``q`` of the draws does not exceed.

        Parameters
        ----------
        q : float
            In (0, 1).

        Returns
        -------
        float
            In the unit of the parameters.

        Raises
        ------
        ValueError
            If ``q`` is not inside (0, 1).
        """
        require(0 < q < 1, "a quantile needs a probability inside (0, 1)", q)
        return self._quantile(float(q))

    def _quantile(self, q: float) -> float:
        return quantile_of(self, q)


@dataclass(frozen=True, slots=True)
class Constant(Distribution):
    """Always the same value, which costs no draw.

    Parameters
    ----------
    value : float
        Finite, >= 0.
    """

    value: float

    def __post_init__(self) -> None:
        require(0 <= self.value < math.inf, "a constant must be finite and >= 0", self.value)

    def mean(self) -> float:
        """The value."""
        return float(self.value)

    def cdf(self, x: float) -> float:
        """0 below the value, 1 from it on."""
        return 1.0 if x >= self.value else 0.0

    def lower(self) -> Lowered:
        """Kind CONSTANT: a = value."""
        return Lowered(Kind.CONSTANT, a=float(self.value), rounded=to_int(float(self.value)))


class _LogNormalLaw(Distribution):
    """What both log-normal descriptions share once median and sigma are known."""

    __slots__ = ()

    @property
    @abstractmethod
    def sigma(self) -> float:
        """Standard deviation of the logarithm, >= 0."""

    @property
    @abstractmethod
    def median(self) -> float:
        """Median, in the unit of the parameters."""

    def cdf(self, x: float) -> float:
        """Normal probability of ln(x / median) / sigma."""
        if x <= 0:
            return 0.0
        if self.sigma == 0:
            return 1.0 if x >= self.median else 0.0
        return 0.5 * math.erfc(-math.log(x / self.median) / (self.sigma * math.sqrt(2)))

    def lower(self) -> Lowered:
        """Kind LOG_NORMAL: a = median, b = sigma."""
        return Lowered(Kind.LOG_NORMAL, a=self.median, b=self.sigma)


@dataclass(frozen=True, slots=True)
class LogNormal(_LogNormalLaw):
    """Log-normal through its median and its 99 % quantile.

    sigma = ln(p99 / p50) / 2.32635, and the mean is p50 exp(sigma^2 / 2).

    Parameters
    ----------
    p50 : float
        Median, finite, > 0.
    p99 : float
        99 % quantile, finite, >= p50.

    Examples
    --------
    >>> law = LogNormal(20.0, 100.0)
    >>> round(law.sigma, 6), round(law.mean(), 4), round(law.quantile(0.95), 3)
    (0.69183, 25.4076, 62.408)
    """

    p50: float
    p99: float

    def __post_init__(self) -> None:
        require(0 < self.p50 < math.inf, "p50 must be finite and > 0", self.p50)
        require(
            self.p50 <= self.p99 and self.p99 / self.p50 < math.inf,
            "p99 must be finite and at least p50",
            f"p50 {self.p50} and p99 {self.p99}",
        )

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm, >= 0."""
        return log(self.p99 / self.p50) / Z99

    @property
    def median(self) -> float:
        """Median, in the unit of the parameters."""
        return float(self.p50)

    def mean(self) -> float:
        """p50 exp(sigma^2 / 2)."""
        return self.median * exp(0.5 * self.sigma * self.sigma)


# The parameter is called ``mean``, as in a scenario; ``mean()`` being the method, the field that
# keeps it is ``mean_``, and these three classes write their own ``__init__``.


@dataclass(frozen=True, slots=True, init=False)
class LogNormalMean(_LogNormalLaw):
    """Log-normal through its mean and its 99 % quantile.

    With L = ln(p99 / mean), sigma solves sigma^2 / 2 - 2.32635 sigma + L = 0. Of the two roots the
    smaller one is meant: the larger one, above 2.32635, belongs to tails so heavy that most of the
    mean comes from beyond the 99 % quantile. There are roots while p99 <= 14.968 mean.

    Parameters
    ----------
    mean : float
        Expected value, finite, > 0.
    p99 : float
        99 % quantile, in [mean, 14.968 mean].
    """

    mean_: float
    p99: float

    def __init__(self, mean: float, p99: float) -> None:
        require(0 < mean < math.inf, "the mean must be finite and > 0", mean)
        given = f"mean {mean} and p99 {p99}"
        require(
            mean <= p99 < math.inf,
            "p99 must be finite and at least the mean: no log-normal near it has a lower one",
            given,
        )
        require(
            2.0 * log(p99 / mean) <= Z99 * Z99,
            "p99 must be at most 14.968 times the mean: no log-normal has a higher one",
            given,
        )
        object.__setattr__(self, "mean_", mean)
        object.__setattr__(self, "p99", p99)

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm, in [0, 2.32635]."""
        ratio = log(self.p99 / self.mean_)
        return 2.0 * ratio / (Z99 + math.sqrt(Z99 * Z99 - 2.0 * ratio))

    @property
    def median(self) -> float:
        """Median, the mean times exp(-sigma^2 / 2)."""
        return self.mean_ * exp(-0.5 * self.sigma * self.sigma)

    def mean(self) -> float:
        """The mean as given."""
        return float(self.mean_)


@dataclass(frozen=True, slots=True, init=False)
class Exponential(Distribution):
    """Exponential distribution.

    Parameters
    ----------
    mean : float
        Expected value, finite, > 0.
    """

    mean_: float

    def __init__(self, mean: float) -> None:
        require(0 < mean < math.inf, "the mean must be finite and > 0", mean)
        object.__setattr__(self, "mean_", mean)

    def mean(self) -> float:
        """The mean as given."""
        return float(self.mean_)

    def cdf(self, x: float) -> float:
        """1 - exp(-x / mean)."""
        return -math.expm1(-x / self.mean_) if x > 0 else 0.0

    def lower(self) -> Lowered:
        """Kind EXPONENTIAL: a = mean."""
        return Lowered(Kind.EXPONENTIAL, a=float(self.mean_))


@dataclass(frozen=True, slots=True, init=False)
class Gamma(Distribution):
    """Gamma distribution by its mean and its coefficient of variation.

    The shape is 1 / cv^2: cv = 1 is exponential, below it is more regular, above it burstier.

    Parameters
    ----------
    mean : float
        Expected value, finite, > 0.
    cv : float
        Standard deviation over mean, in [0.01, 100].
    """

    mean_: float
    cv: float

    def __init__(self, mean: float, cv: float) -> None:
        require(0 < mean < math.inf, "the mean must be finite and > 0", mean)
        require(0.01 <= cv <= 100, "cv must be in [0.01, 100] (none at all is a constant)", cv)
        object.__setattr__(self, "mean_", mean)
        object.__setattr__(self, "cv", cv)

    @property
    def shape(self) -> float:
        """1 / cv^2."""
        return 1.0 / (self.cv * self.cv)

    def mean(self) -> float:
        """The mean as given."""
        return float(self.mean_)

    def cdf(self, x: float) -> float:
        """Regularized incomplete gamma function of the shape at x / scale."""
        if x <= 0:
            return 0.0
        peak = gamma_constants(self.shape)[1]
        return gamma_probability(x / (self.mean_ * self.cv * self.cv), self.shape, peak)[0]

    def lower(self) -> Lowered:
        """Kind GAMMA: a = shape, b = scale, c and d = constants of the shape."""
        log_gamma, peak = gamma_constants(self.shape)
        scale = self.mean_ * self.cv * self.cv
        return Lowered(Kind.GAMMA, a=self.shape, b=scale, c=log_gamma, d=peak)


@dataclass(frozen=True, slots=True)
class Uniform(Distribution):
    """Uniform distribution.

    Parameters
    ----------
    low, high : float
        Ends, 0 <= low <= high, finite.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        require(
            0 <= self.low <= self.high < math.inf,
            "the ends must be finite, with 0 <= low <= high",
            f"low {self.low} and high {self.high}",
        )

    def mean(self) -> float:
        """Middle of the ends."""
        return self.low + 0.5 * (self.high - self.low)

    def cdf(self, x: float) -> float:
        """Share of the interval up to x."""
        if x >= self.high:
            return 1.0
        return max(x - self.low, 0.0) / (self.high - self.low)

    def lower(self) -> Lowered:
        """Kind UNIFORM: a = low, b = width."""
        return Lowered(Kind.UNIFORM, a=float(self.low), b=float(self.high - self.low))


@dataclass(frozen=True, slots=True)
class Pareto(Distribution):
    """Pareto distribution (type I): P(X > x) = (minimum / x)^alpha.

    Parameters
    ----------
    minimum : float
        Smallest value, finite, > 0.
    alpha : float
        Tail index, finite, > 0; the mean is infinite up to 1, the variance up to 2.
    """

    minimum: float
    alpha: float

    def __post_init__(self) -> None:
        require(0 < self.minimum < math.inf, "the minimum must be finite and > 0", self.minimum)
        require(0 < self.alpha < math.inf, "alpha must be finite and > 0", self.alpha)

    def mean(self) -> float:
        """Alpha minimum / (alpha - 1), infinite for alpha <= 1."""
        if self.alpha <= 1:
            return math.inf
        return self.minimum * (self.alpha / (self.alpha - 1.0))

    def cdf(self, x: float) -> float:
        """1 - (minimum / x)^alpha."""
        if x <= self.minimum:
            return 0.0
        return -math.expm1(self.alpha * math.log(self.minimum / x))

    def lower(self) -> Lowered:
        """Kind PARETO: a = minimum, b = alpha."""
        return Lowered(Kind.PARETO, a=float(self.minimum), b=float(self.alpha))
