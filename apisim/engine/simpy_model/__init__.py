"""The golden model: SimPy processes, written to be read. It is the specification."""
