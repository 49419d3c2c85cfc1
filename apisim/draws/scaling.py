"""A distribution's values times a factor: the same shape, slower or faster."""

from dataclasses import fields

from apisim.draws.distributions import Distribution, Gamma, Mixture, Pareto, Quantiles, Samples

__all__ = ["scaled"]


def scaled(distribution: Distribution, factor: float) -> Distribution:
    """Distribution of ``factor`` times a draw.

    Parameters
    ----------
    distribution : Distribution
    factor : float
        Above 0; 1 gives the distribution itself.

    Examples
    --------
    >>> from apisim.draws.distributions import LogNormal
    >>> scaled(LogNormal(40.0, 100.0), 0.5)
    LogNormal(p50=20.0, p99=50.0)
    """
    if factor == 1:
        return distribution
    if isinstance(distribution, Quantiles):
        return Quantiles(tuple((percent, value * factor) for percent, value in distribution.points))
    if isinstance(distribution, Samples):
        return Samples(tuple(value * factor for value in distribution.values))
    if isinstance(distribution, Mixture):
        return Mixture(tuple((weight, scaled(part, factor)) for weight, part in distribution.parts))
    # What a class is made from stands in its fields, in this order; one of them may be a shape.
    shape = {Gamma: "cv", Pareto: "alpha"}.get(type(distribution))
    parameters = [
        getattr(distribution, one.name) * (1 if one.name == shape else factor)
        for one in fields(distribution)  # type: ignore[arg-type]
    ]
    return type(distribution)(*parameters)
