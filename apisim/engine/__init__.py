"""When things happen: lowering a scenario to arrays, the order of events, and the two engines."""
