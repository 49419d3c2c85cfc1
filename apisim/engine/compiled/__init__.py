"""The fast engine: one calendar and one ``advance`` over slots, compiled."""
