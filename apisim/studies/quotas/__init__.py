"""The limits a scenario meets: what AWS calls them, how much of each is used, where traffic stops.

``catalogue`` knows the quotas, ``scaling`` makes more of the same traffic, ``observing`` reads off
one simulation what it used and which limits refused, ``searching`` looks for the traffic at which
each limit refuses first, ``counting`` counts what does not depend on traffic, ``rows`` and
``sheet`` put it all in a table, ``envelope`` says by arithmetic which limit a launch meets first.
"""
