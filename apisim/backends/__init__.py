"""What stands behind the API: functions with their warm pools, HTTP servers, mocks.

A backend takes work, says when it ends and how it failed. It does not know who asked: the gateway's
time-outs, caches and refusals are elsewhere, and work goes on after the caller has given up.
"""
