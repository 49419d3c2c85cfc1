"""How API Gateway decides: one mechanism a file, each a small function over numpy records.

A mechanism says yes or no (route, throttle, authorizer, cache) or counts (metering); *when* it is
asked is the engine's business. Nothing here knows the traffic or what stands behind the API.
"""
