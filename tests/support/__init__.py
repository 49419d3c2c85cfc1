"""What several tests share: experiments, verdicts, and references that are not apisim."""
