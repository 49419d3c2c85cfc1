"""Advice with simulated evidence: candidate changes, what each does, and which are worth it.

``candidates`` makes changes that the chapter's tips and pitfalls suggest of a scenario,
``choosing`` those of options somebody asks about, ``judging`` says which differences are worth it.
"""
